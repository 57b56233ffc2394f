type OptionKind = 'string' | 'strings' | 'fractions' | 'int' | 'size' | 'duration' | 'boolean' | 'choice';
type OptionValue = string | number | boolean | readonly string[] | readonly number[];

/** One row of a daemon's options table: flags, configuration keys, checks and docs all come from it. */
export interface DaemonOption<K extends string = string, G extends string = string> {
  readonly key: K;
  /** The flag's name, as the original daemon has it. Durations are written as Go writes them. */
  readonly flag: string;
  /** The key in a configuration file, where it is not the flag's name with underscores. */
  readonly config?: string;
  readonly kind: OptionKind;
  readonly choices?: readonly string[];
  /** The choice that the flag without a value is. */
  readonly bare?: string;
  /** The daemon's default; durations in ms, sizes in bytes. */
  readonly default: OptionValue;
  /** The default of an embedded daemon, where it differs. */
  readonly embedded?: OptionValue;
  readonly min?: number;
  readonly max?: number;
  /** What is wrong with a text, to be read after the option's name; empty if nothing is. */
  readonly check?: (text: string) => string;
  readonly doc: string;
  readonly group: G;
}

/** Options beside the table's rows: objects, which no flag can give. */
const APART: readonly string[] = ['logger'];

/**
 * Fills in the defaults of an embedded daemon and checks every name and value. What does not fit is thrown as `refuse`
 * makes it, with the option's name and what it may be.
 */
export function resolveDaemonOptions<K extends string>(
  specs: readonly DaemonOption<K>[],
  options: { readonly [key in K]?: OptionValue | undefined },
  refuse: (message: string) => Error,
): Record<K, OptionValue> {
  const values = {} as Record<K, OptionValue>;
  const unknown = Object.keys(options).find(
    (name) => !APART.includes(name) && !specs.some(({ key }) => key === name),
  );
  if (unknown !== undefined) throw refuse(`there is no option ${unknown}`);
  for (const spec of specs) {
    const value = options[spec.key] ?? spec.embedded ?? spec.default;
    const complaint = complaintAbout(spec, value);
    if (complaint !== '') throw refuse(`${spec.key} ${complaint}`);
    values[spec.key] = value;
  }
  return values;
}

/** A part of a whole that is not nothing. */
export function isFraction(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 1;
}

function complaintAbout(spec: DaemonOption, value: OptionValue): string {
  if (spec.kind === 'strings') {
    const isList = Array.isArray(value) && value.every((it) => typeof it === 'string');
    return isList ? '' : 'must be a list of texts';
  }
  if (spec.kind === 'fractions') {
    const fits = Array.isArray(value) && value.every(isFraction);
    return fits ? '' : `must be a list of numbers above 0 and up to 1, not ${String(value)}`;
  }
  if (spec.kind === 'string' || spec.kind === 'choice') {
    if (typeof value !== 'string') return 'must be a text';
    const allowed = !spec.choices || spec.choices.includes(value);
    if (!allowed) return `must be one of ${spec.choices.join(', ')}, not '${value}'`;
    return spec.check?.(value) ?? '';
  }
  if (spec.kind === 'boolean') return typeof value === 'boolean' ? '' : 'must be true or false';
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  const whole = spec.kind === 'duration' || Number.isSafeInteger(value);
  const fits = typeof value === 'number' && whole && value >= min && value <= max;
  return fits ? '' : `must be a number from ${min} to ${max}, not ${value}`;
}
