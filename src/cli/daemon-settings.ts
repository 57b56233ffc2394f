import type { DaemonOption } from '../daemon/options.js';
import { codeOf, UsageError } from './errors.js';
import type { Setting, Settings } from './settings.js';

/** A daemon's complaint about its options in the words of the command line: `--tls-cert` for `tlsCert`. */
export function withFlagNames(specs: readonly DaemonOption[], error: unknown): unknown {
  if (!(error instanceof Error) || codeOf(error) !== 'E_OPTION') return error;
  const flags = new Map<string, string>(specs.map(({ key, flag }) => [key, `--${flag}`]));
  const message = error.message.replace(/^\w+|\b[a-z]+[A-Z]\w*/g, (word) => flags.get(word) ?? word);
  return new UsageError(message, { cause: error });
}

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
