import { OptionError } from '../client/errors.js';
import { CONNECTION_OPTIONS } from '../client/option-table/connection-options.js';
import { CONSUMER_OPTIONS } from '../client/option-table/consumer-options.js';
import type { OptionSpec, OptionTable } from '../client/option-table/option-spec.js';
import { PRODUCER_OPTIONS } from '../client/option-table/producer-options.js';
import { type ConsumerOptions, connectionSettings, type ProducerOptions } from '../client/options.js';
import { clientTls, TLS_OPTIONS } from './client-tls.js';
import { UsageError } from './errors.js';
import { parseSetting, type ValueSpec } from './setting-value.js';
import { nearest } from './suggestion.js';
import type { Terminal } from './terminal.js';

type Flag = 'consumer-opt' | 'producer-opt';
type Passed = Partial<ConsumerOptions & ProducerOptions>;

interface Named {
  readonly option: string;
  readonly spec: OptionSpec;
}

const TAKEN: Readonly<Record<Flag, ReadonlyMap<string, Named>>> = {
  'consumer-opt': byName({ ...CONNECTION_OPTIONS, ...CONSUMER_OPTIONS }),
  'producer-opt': byName({ ...CONNECTION_OPTIONS, ...PRODUCER_OPTIONS }),
};
/** go-nsq has one list for both. */
const ALL = new Map([...TAKEN['producer-opt'], ...TAKEN['consumer-opt']]);

/**
 * The options in `name,value` form, as the originals take them: go-nsq's names, and ours where it has none, with `_` or
 * `-`. A command's consumer gives no message up unless it is told to (`max_attempts`): none is to be finished that was
 * not worked on. Warns about what has no effect on this side.
 * @throws UsageError on an unknown name or a value that does not fit
 */
export function passedOptions(
  flag: Flag,
  given: readonly string[],
  terminal: Pick<Terminal, 'warn'>,
): Passed {
  const passed: Record<string, unknown> = flag === 'consumer-opt' ? { maxAttempts: 0 } : {};
  const tlsOptions = new Map<string, string>();
  for (const text of given) {
    const comma = text.indexOf(',');
    const key = (comma < 0 ? text : text.slice(0, comma)).trim().replaceAll('-', '_');
    const value = comma < 0 ? undefined : text.slice(comma + 1);
    const named = ALL.get(key);
    if (TLS_OPTIONS.has(key)) {
      tlsOptions.set(key, value ?? 'true');
    } else if (!named) {
      throw unknownOption(flag, key);
    } else {
      const parsed = parse(named.spec, value, `--${flag} ${key}`);
      if (TAKEN[flag].has(key)) passed[named.option] = parsed;
      else terminal.warn(`--${flag} ${key} has no effect on a ${flag.split('-', 1)[0]}`);
    }
  }
  const tls = clientTls(flag, tlsOptions);
  if (tls) passed.tls = tls;
  checkTogether(flag, passed);
  return passed;
}

/** A name alone switches on, as in `--consumer-opt snappy`. */
function parse(spec: OptionSpec, text: string | undefined, source: string): unknown {
  if (spec.kind === 'float') return parseFloatIn(spec, text ?? '', source);
  if (text === undefined && spec.kind !== 'boolean')
    throw new UsageError(`invalid value for ${source}: none is given`);
  if (spec.kind === 'choice' && text === '') return spec.default;
  const isOff = spec.off && /^-1(ns|us|ms)?$/.test(text ?? '');
  if (isOff) return -1;
  const parsed = parseSetting(valueSpec(spec), text ?? 'true', source);
  // The library takes whole milliseconds.
  return spec.kind === 'duration' ? Math.ceil(Number(parsed)) : parsed;
}

function valueSpec({ kind, min, max, choices }: OptionSpec): ValueSpec {
  return {
    kind: kind === 'text' || kind === 'other' || kind === 'float' ? 'string' : kind,
    ...(min !== undefined && { min }),
    ...(max !== undefined && max < Number.MAX_SAFE_INTEGER && { max }),
    ...(choices && { choices }),
  };
}

function parseFloatIn({ min = 0, max = 1 }: OptionSpec, text: string, source: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new UsageError(`invalid value for ${source}: "${text}" is not a number`);
  if (value >= min && value <= max) return value;
  throw new UsageError(`invalid value for ${source}: ${value} is out of range: ${min} to ${max}`);
}

/** What is wrong with options that each are right. */
function checkTogether(flag: Flag, passed: Passed): void {
  try {
    const { heartbeatInterval } = connectionSettings(passed);
    if (flag === 'consumer-opt' && heartbeatInterval < 0)
      throw new OptionError('heartbeatInterval cannot be -1 for a consumer');
  } catch (cause) {
    if (!(cause instanceof OptionError)) throw cause;
    const words = cause.message.replaceAll(/\b[a-z]+(?:[A-Z][a-z]+)+\b|\btls\.[a-z]+\b/g, nameOf);
    throw new UsageError(`invalid value for --${flag}: ${words}`, { cause });
  }
}

function nameOf(option: string): string {
  if (option.startsWith('tls.')) return option === 'tls.ca' ? 'tls_root_ca_file' : option.replace('.', '_');
  for (const [name, named] of ALL) if (named.option === option) return name;
  return option;
}

function byName(table: OptionTable): ReadonlyMap<string, Named> {
  const entries = Object.entries(table)
    .filter(([, spec]) => spec.kind !== 'other')
    .flatMap(([option, spec]) => {
      const names = spec.goNsq ?? option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [names].flat().map((name): [string, Named] => [name, { option, spec }]);
    });
  return new Map(entries);
}

function unknownOption(flag: Flag, name: string): UsageError {
  const near = nearest(name, [...ALL.keys(), ...TLS_OPTIONS]);
  return new UsageError(`--${flag}: invalid option ${name}`, near ? { hint: `Did you mean ${near}?` } : {});
}
