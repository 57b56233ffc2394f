/**
 * Every option of the client library, once: what it takes, its default and range, and its name in go-nsq's Config. The
 * library checks its options by these tables, `--consumer-opt` and `--producer-opt` take go-nsq's names from them, and
 * docs/CLIENT-OPTIONS.md is written from them. Durations are milliseconds, sizes bytes.
 */
export interface OptionSpec {
  /** `other`: checked where it is used, and no command takes it. */
  readonly kind: 'duration' | 'int' | 'size' | 'float' | 'boolean' | 'text' | 'choice' | 'other';
  readonly doc: string;
  readonly default?: number | boolean | string;
  /** The default in words, where it is worked out at run time or an empty one needs explaining. */
  readonly defaultDoc?: string;
  /** What a value looks like, for those of the kind `other`. */
  readonly type?: string;
  readonly min?: number;
  readonly max?: number;
  /** Takes -1, which switches off. */
  readonly off?: true;
  readonly choices?: readonly string[];
  /** The option's name in go-nsq's Config; the older name comes second. */
  readonly goNsq?: string | readonly string[];
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export const HOUR = 3_600_000;
export const FIVE_MINUTES = 300_000;
export const MAX_INT32 = 0x7fffffff;
