import type { DaemonOption } from '../daemon/options.js';
import type { BrokerSettings } from './settings.js';

type OptionGroup = 'addresses' | 'storage' | 'messages' | 'clients' | 'security' | 'statsd' | 'logging';

/** One row of the options table: flags, configuration keys, checks and docs all come from it. */
export type OptionSpec = DaemonOption<keyof BrokerSettings, OptionGroup>;

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const KIB = 1024;
export const MIB = 1024 * KIB;
/** Lengths on the wire are signed 32-bit numbers. */
export const MAX_WIRE_SIZE = 0x7fffffff;
/** The longest duration that a timer can be armed for without care: 24 days. */
export const MAX_DURATION = 2 ** 31 - 1;
