import type { Interfaces } from '@oclif/core';
import { boolean, string } from '@oclif/core/flags';
import { formatSetting } from './setting-value.js';
import { environmentName, isList, type Setting, type Settings } from './settings.js';

/** Every command has these. */
export const COMMON_SETTINGS = {
  config: {
    kind: 'string',
    doc: 'TOML file with these settings, "-" in names written as "_"',
    placeholder: 'file',
    group: 'global',
  },
  color: {
    kind: 'boolean',
    doc: 'colour on a terminal; --no-color, NO_COLOR and TERM=dumb turn it off',
    defaultDoc: 'on a terminal',
    group: 'global',
  },
  version: { kind: 'boolean', doc: 'print the version', default: false, group: 'global', flagOnly: true },
} as const satisfies Settings;

const PLACEHOLDERS = {
  int: 'n',
  size: 'bytes',
  duration: 'duration',
  choice: 'choice',
  string: 'value',
  strings: 'value',
  fractions: 'fraction',
};

/**
 * oclif's flags for a table. The texts stay unparsed, and a flag may be repeated as in Go: values, ranges, the
 * environment and the file are all `resolveSettings`' business, so that each source gets the same checks.
 */
export function flagsFor(settings: Settings): Interfaces.FlagInput {
  return Object.fromEntries(
    Object.entries(settings).map(([flag, setting]) => {
      const common = {
        description: flagHelp(flag, setting),
        ...(setting.char === undefined ? {} : { char: setting.char }),
        ...(setting.group === undefined ? {} : { helpGroup: setting.group }),
        ...(setting.hidden === undefined ? {} : { hidden: setting.hidden }),
      };
      if (setting.kind === 'boolean') return [flag, boolean({ ...common, allowNo: true })];
      const helpValue = `<${placeholder(setting)}>`;
      return [flag, string({ ...common, helpValue, multiple: true, multipleNonGreedy: true })];
    }),
  );
}

export function placeholder(setting: Setting): string {
  if (setting.placeholder !== undefined) return setting.placeholder;
  if (setting.kind === 'choice' && setting.choices) return setting.choices.join('|');
  return setting.kind === 'boolean' ? '' : PLACEHOLDERS[setting.kind];
}

function flagHelp(flag: string, setting: Setting): string {
  const notes: string[] = [];
  const byDefault = defaultText(setting);
  if (byDefault !== '') notes.push(`default ${byDefault}`);
  if (isList(setting)) notes.push('may be repeated');
  if (flag === 'config') notes.push(environmentName(flag));
  return notes.length === 0 ? setting.doc : `${setting.doc} (${notes.join('; ')})`;
}

/** The default as the help and the documentation show it, or ''. */
export function defaultText(setting: Setting): string {
  if (setting.defaultDoc !== undefined) return setting.defaultDoc;
  if (setting.default === undefined || setting.default === '' || setting.default === false) return '';
  return formatSetting(setting, setting.default);
}
