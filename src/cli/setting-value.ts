import { isFraction } from '../daemon/options.js';
import { formatDuration, parseDuration } from '../protocol/duration.js';
import { UsageError } from './errors.js';
import { isList, type Setting, type SettingValue } from './settings.js';

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** The words that Go's flag package takes for a boolean. */
export function parseBoolean(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

/** The part of a setting that says what its values are. */
export type ValueSpec = Pick<Setting, 'kind' | 'choices' | 'min' | 'max' | 'check' | 'verbatim'>;

/**
 * A setting's value from the text of a flag or an environment variable. `source` is how the error names it.
 * Lists are split at commas. Throws {@link UsageError}.
 */
export function parseSetting(setting: ValueSpec, text: string, source: string): SettingValue {
  switch (setting.kind) {
    case 'string': {
      const complaint = setting.check?.(text) ?? '';
      if (complaint !== '') throw invalid(source, complaint);
      return text;
    }
    case 'strings':
      return setting.verbatim ? [text] : text.split(',').filter((item) => item !== '');
    case 'fractions':
      return text.split(',').map((item) => fractionOf(item, source));
    case 'boolean': {
      const value = parseBoolean(text);
      if (value === undefined) throw invalid(source, `"${text}" is neither true nor false`);
      return value;
    }
    case 'choice':
      return checkedChoice(setting, text, source);
    case 'duration':
      return checkedRange(setting, durationOf(text, source), source);
    default:
      return checkedRange(setting, integerOf(text, source), source);
  }
}

/**
 * A setting's value from a TOML file, as the original reads it: a duration may also be a number of milliseconds, and a
 * scalar may stand in quotes. Throws {@link UsageError}.
 */
export function settingFromToml(setting: ValueSpec, value: unknown, source: string): SettingValue {
  if (Array.isArray(value)) {
    if (!isList(setting)) throw invalid(source, 'a single value is needed, not a list');
    const texts = value.map((item) => scalarText(item, source));
    return setting.kind === 'strings' ? texts : texts.map((text) => fractionOf(text, source));
  }
  const text = scalarText(value, source);
  if (setting.kind === 'duration' && /^\d+$/.test(text)) return checkedRange(setting, Number(text), source);
  return parseSetting(setting, text, source);
}

/** How the help and the documentation print a value: durations as Go does, lists with commas. */
export function formatSetting(setting: ValueSpec, value: SettingValue): string {
  if (setting.kind === 'duration' && typeof value === 'number') return formatDuration(value);
  return Array.isArray(value) ? value.join(',') : String(value);
}

function scalarText(value: unknown, source: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  throw invalid(source, 'a string, a number or a boolean is needed');
}

function durationOf(text: string, source: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw invalid(source, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function fractionOf(text: string, source: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (isFraction(value)) return value;
  const meant = value > 1 && value < 100 ? `; ${text} % is ${Number((value / 100).toPrecision(15))}` : '';
  throw invalid(source, `"${text}" is not a number above 0 and up to 1${meant}`);
}

function integerOf(text: string, source: string): number {
  const value = /^[-+]?(\d+|0[xX][\da-fA-F]+)$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalid(source, `"${text}" is not a whole number`);
  return value;
}

function checkedRange(setting: ValueSpec, value: number, source: string): number {
  const { min, max } = setting;
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    const given = formatSetting(setting, value);
    throw invalid(source, `${given} is out of range: ${formatRange(setting)}`);
  }
  return value;
}

/** The range in words, or '' if there is none. */
export function formatRange(setting: ValueSpec): string {
  const bound = (value: number): string => formatSetting(setting, value);
  if (setting.min !== undefined && setting.max !== undefined)
    return `${bound(setting.min)} to ${bound(setting.max)}`;
  if (setting.min !== undefined) return `${bound(setting.min)} or more`;
  return setting.max === undefined ? '' : `at most ${bound(setting.max)}`;
}

function checkedChoice(setting: ValueSpec, text: string, source: string): string {
  const choices = setting.choices ?? [];
  const choice = choices.find((candidate) => candidate === text.toLowerCase());
  if (choice === undefined)
    throw invalid(source, `"${text}" is none of ${choices.filter((it) => it !== '').join(', ')}`);
  return choice;
}

function invalid(source: string, reason: string, cause?: unknown): UsageError {
  return new UsageError(`invalid value for ${source}: ${reason}`, cause === undefined ? {} : { cause });
}
