/**
 * Durations as Go's `time` package writes them, since flags, configuration files and HTTP parameters of NSQ use them:
 * a sign, then decimal numbers each with a unit (`ns`, `us` or `µs`, `ms`, `s`, `m`, `h`), as in `1m30s` or `-1.5h`.
 */
const NS_PER_UNIT: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const NS_PER_MS = 1e6;
const MAX_NS = 2n ** 63n - 1n;
const TERM = /(\d*)(?:\.(\d*))?([^\d.]+)/y;

/** A text that is not a duration. */
export class DurationError extends RangeError {
  override readonly name = 'DurationError';
  readonly code = 'E_DURATION';
}

/**
 * Milliseconds, with a fraction where the text has one (`1us` is 0.001). Throws {@link DurationError} on anything that
 * Go's `time.ParseDuration` refuses: no unit, an unknown unit, or more than its 292 years.
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const unsigned = /^[-+]/.test(text) ? text.slice(1) : text;
  if (unsigned === '0') return 0;
  if (unsigned === '') throw invalid(text, 'a number with a unit is needed, as in 1m30s or 250ms');

  let ns = 0n;
  TERM.lastIndex = 0;
  for (let end = 0; end < unsigned.length; end = TERM.lastIndex) {
    const term = TERM.exec(unsigned);
    if (!term) throw invalid(text, missingUnit(unsigned.slice(end)));
    ns += termNs(term, text);
    if (ns > MAX_NS) throw invalid(text, 'it is longer than 292 years');
  }
  return ns === 0n ? 0 : (sign * Number(ns)) / NS_PER_MS;
}

function termNs([, whole = '', fraction = '', unit = '']: RegExpExecArray, text: string): bigint {
  const scale = NS_PER_UNIT.get(unit);
  if (scale === undefined) throw invalid(text, `the unit "${unit}" is none of ns, us, ms, s, m, h`);
  if (whole === '' && fraction === '') throw invalid(text, `a number is missing before "${unit}"`);
  const part = fraction === '' ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  return BigInt(whole === '' ? 0 : whole) * scale + part;
}

function missingUnit(rest: string): string {
  return /^[\d.]+$/.test(rest) ? `a unit is missing, as in ${rest}s or ${rest}ms` : `"${rest}" is no number`;
}

function invalid(text: string, reason: string): DurationError {
  return new DurationError(`invalid duration "${text}": ${reason}`);
}

/** The text of Go's `time.Duration.String()`: `1m0s`, `1.5s`, `250ms`, `0s`; rounded to whole nanoseconds. */
export function formatDuration(ms: number): string {
  const ns = BigInt(Math.round(ms * NS_PER_MS));
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const length = ns < 0n ? -ns : ns;
  return sign + (length < 1_000_000_000n ? subSecond(length) : clock(length));
}

function subSecond(ns: bigint): string {
  if (ns < 1_000n) return `${ns}ns`;
  return ns < 1_000_000n ? `${decimal(ns, 3)}µs` : `${decimal(ns, 6)}ms`;
}

function clock(ns: bigint): string {
  const minutes = ns / 60_000_000_000n;
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${minutes}m${seconds}` : `${hours}h${minutes % 60n}m${seconds}`;
}

/** `value / 10^digits` without trailing zeros. */
function decimal(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  return text.slice(0, -digits) + (fraction === '' ? '' : `.${fraction}`);
}
