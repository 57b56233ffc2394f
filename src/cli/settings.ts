/**
 * A command's settings, declared once: its flags, environment variables, configuration keys, help lines and
 * documentation all come from this table.
 */
type SettingKind = 'string' | 'int' | 'size' | 'duration' | 'boolean' | 'strings' | 'fractions' | 'choice';
export type SettingValue = string | number | boolean | readonly string[] | readonly number[];

export interface Setting {
  readonly kind: SettingKind;
  /** One line, without the default and the unit: those come from the other fields. */
  readonly doc: string;
  /** In ms for a duration, in bytes for a size. Without one, the setting is `undefined` unless given. */
  readonly default?: SettingValue;
  /** What the help says in place of a default that is worked out at run time. */
  readonly defaultDoc?: string;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** What is wrong with a text; empty if nothing is. */
  readonly check?: (text: string) => string;
  /** The key in a configuration file, where it is not the flag with `_` for `-`. */
  readonly config?: string;
  readonly char?: 'n';
  readonly group?: string;
  /** The name of the value in the help, e.g. `address`. */
  readonly placeholder?: string;
  /** What the bare flag means, as in `--tls-required`. */
  readonly bare?: string;
  /** The items of a list may hold commas: only repeating the flag makes several. */
  readonly verbatim?: boolean;
  /** Accepted, but not shown in the help. */
  readonly hidden?: boolean;
  /** Only as a flag: neither from the environment nor from a file. */
  readonly flagOnly?: boolean;
}

/** The longest delay that Node's timers take: a longer one would be over at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export type Settings = Readonly<Record<string, Setting>>;

interface ValueOfKind {
  string: string;
  int: number;
  size: number;
  duration: number;
  boolean: boolean;
  strings: readonly string[];
  fractions: readonly number[];
}

/** What a setting's value is: of a choice, one of its words. */
type ValueOf<S extends Setting> = S['kind'] extends keyof ValueOfKind
  ? ValueOfKind[S['kind']]
  : S extends { choices: readonly (infer Word)[] }
    ? Word
    : SettingValue;

/** The values of a table by flag: `undefined` only for those without a default. */
export type ValuesOf<T extends Settings> = {
  readonly [K in keyof T]: ValueOf<T[K]> | (T[K] extends { default: SettingValue } ? never : undefined);
};

/** Keeps a table's literal types, so that {@link ValuesOf} knows kinds and defaults. */
export function defineSettings<const T extends Settings>(settings: T): T {
  return settings;
}

/** Whether a repeated flag adds to it. */
export function isList({ kind }: Pick<Setting, 'kind'>): boolean {
  return kind === 'strings' || kind === 'fractions';
}

export function environmentName(flag: string): string {
  return `NSQ_${flag.replaceAll('-', '_').toUpperCase()}`;
}

/** The keys under which a file may set it: the original's first. */
export function configKeys(flag: string, setting: Setting): readonly string[] {
  const key = flag.replaceAll('-', '_');
  return setting.config === undefined || setting.config === key ? [key] : [setting.config, key];
}
