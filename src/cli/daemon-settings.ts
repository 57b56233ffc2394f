import type { DaemonOption } from '../daemon/options.js';
import type { Setting, Settings } from './settings.js';

const NOTED_DEFAULT = / \(default: (.*)\)$/;

/** A daemon's own table of options as settings by flag. `groups` are its groups' names before the word FLAGS. */
export function daemonSettings<G extends string>(
  specs: readonly DaemonOption<string, G>[],
  groups: Readonly<Record<G, string>>,
): Settings {
  return Object.fromEntries(specs.map((spec) => [spec.flag, settingOf(spec, groups[spec.group])]));
}

function settingOf(spec: DaemonOption, group: string): Setting {
  const [, noted] = NOTED_DEFAULT.exec(spec.doc) ?? [];
  return {
    kind: spec.kind,
    doc: spec.doc.replace(NOTED_DEFAULT, ''),
    default: spec.default,
    group,
    ...(noted === undefined ? {} : { defaultDoc: noted }),
    ...(spec.flag.endsWith('-address') ? { placeholder: 'address' } : {}),
    ...(spec.config === undefined ? {} : { config: spec.config }),
    ...(spec.choices === undefined ? {} : { choices: spec.choices, placeholder: choicesText(spec.choices) }),
    ...(spec.bare === undefined ? {} : { bare: spec.bare }),
    ...(spec.check === undefined ? {} : { check: spec.check }),
    ...(spec.min === undefined ? {} : { min: spec.min }),
    ...(spec.max === undefined || spec.max >= Number.MAX_SAFE_INTEGER ? {} : { max: spec.max }),
  };
}

/** Without those that only stand for others: the empty one, and Go's short words for true and false. */
function choicesText(choices: readonly string[]): string {
  return choices.filter(({ length }) => length > 1).join('|');
}
