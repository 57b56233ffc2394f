import { hostname } from 'node:os';
import { LOG_LEVELS, type Logger, type LogLevel } from '../daemon/logger.js';
import { type DaemonOption, resolveDaemonOptions } from '../daemon/options.js';
import { LookupdError } from './errors.js';

/** Every setting of a lookupd, resolved. Durations are in milliseconds. */
export interface LookupdSettings {
  /** Where brokers register: `<addr>:<port>`, or a path with a slash. Default: a free port of 127.0.0.1. */
  tcpAddress: string;
  /** Where it answers HTTP, as `tcpAddress`. Default: a free port of 127.0.0.1. */
  httpAddress: string;
  /** What brokers are told that this lookupd's address is. Default: this host's name. */
  broadcastAddress: string;
  /** Silence after which a broker is left out of look-ups. Default 5 minutes. */
  inactiveProducerTimeout: number;
  /** How long a tombstoned broker is left out of look-ups of a topic. Default 45 seconds. */
  tombstoneLifetime: number;
  /** Look-ups that may wait for a change at once; 0: none waits. Default 10,000. */
  maxWatchers: number;
  /** The least level that goes to `logger`. Default `info`. */
  logLevel: LogLevel;
  /** Text before every log line, for who writes them. Default `[nsqlookupd] `. */
  logPrefix: string;
}

/** What `startLookupd` takes: any of the settings, and where log lines go. */
export type LookupdOptions = { [K in keyof LookupdSettings]?: LookupdSettings[K] | undefined } & {
  /** Takes the log lines; nothing is logged without one. */
  logger?: Logger | undefined;
};

type LookupdOption = DaemonOption<keyof LookupdSettings, 'addresses' | 'directory' | 'logging'>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Go's longest duration is 2^63 - 1 nanoseconds. */
const MAX_DURATION = 9_223_372_036_854;

/** nsqlookupd has no unix sockets: a port alone is a mistake there, and no file's name here. */
function complaintAboutAddress(text: string): string {
  return /[:/]/.test(text) ? '' : `must be <addr>:<port> or a path with a slash, not '${text}'`;
}

/** The lookupd's options as a table: key, flag, kind, default, range and a line of documentation for each. */
export const LOOKUPD_OPTION_SPECS: readonly LookupdOption[] = [
  {
    key: 'tcpAddress',
    flag: 'tcp-address',
    kind: 'string',
    default: '0.0.0.0:4160',
    embedded: '127.0.0.1:0',
    check: complaintAboutAddress,
    doc: 'address for brokers: <addr>:<port>, or a path with a slash for a unix socket',
    group: 'addresses',
  },
  {
    key: 'httpAddress',
    flag: 'http-address',
    kind: 'string',
    default: '0.0.0.0:4161',
    embedded: '127.0.0.1:0',
    check: complaintAboutAddress,
    doc: 'address for HTTP clients: <addr>:<port>, or a path with a slash for a unix socket',
    group: 'addresses',
  },
  {
    key: 'broadcastAddress',
    flag: 'broadcast-address',
    kind: 'string',
    default: hostname(),
    doc: "address of this lookupd that brokers are told (default: this host's name)",
    group: 'addresses',
  },
  {
    key: 'inactiveProducerTimeout',
    flag: 'inactive-producer-timeout',
    kind: 'duration',
    default: 5 * MINUTE,
    min: 0,
    max: MAX_DURATION,
    doc: 'silence after which a broker is left out of look-ups',
    group: 'directory',
  },
  {
    key: 'tombstoneLifetime',
    flag: 'tombstone-lifetime',
    kind: 'duration',
    default: 45 * SECOND,
    min: 0,
    max: MAX_DURATION,
    doc: 'time for which a tombstoned broker is left out of look-ups of a topic, if it stays registered',
    group: 'directory',
  },
  {
    key: 'maxWatchers',
    flag: 'max-watchers',
    kind: 'int',
    default: 10_000,
    min: 0,
    max: 1_000_000,
    doc: 'look-ups that may wait for a change at once; more are answered at once (0: none waits)',
    group: 'directory',
  },
  {
    key: 'logLevel',
    flag: 'log-level',
    kind: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    doc: 'least level that is logged',
    group: 'logging',
  },
  {
    key: 'logPrefix',
    flag: 'log-prefix',
    kind: 'string',
    default: '[nsqlookupd] ',
    doc: 'text before every log message',
    group: 'logging',
  },
];

/** Fills in the defaults of an embedded lookupd and checks every value. @throws LookupdError E_OPTION */
export function resolveLookupdOptions(options: LookupdOptions): LookupdSettings {
  // Every key of the settings is a row of the table, checked just now (and by a test for completeness).
  return resolveDaemonOptions(
    LOOKUPD_OPTION_SPECS,
    options,
    (message) => new LookupdError('E_OPTION', message),
  ) as unknown as LookupdSettings;
}
