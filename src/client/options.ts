import { hostname } from 'node:os';
import { DEFAULT_MAX_FRAME_SIZE } from '../protocol/frame-decoder.js';
import { OptionError } from './errors.js';
import { version } from './version.js';

/**
 * Every option of the client library: its meaning here in the types, its default, range and go-nsq name in the
 * tables below. Times are in milliseconds, sizes in bytes.
 */
export interface ConnectionOptions {
  /** Longest wait for the connection, ms. Default 1,000; 1 to 300,000. */
  readonly connectTimeout?: number | undefined;
  /** Longest wait for the answer to each step of the handshake, ms. Default 5,000; 1 to 300,000. */
  readonly handshakeTimeout?: number | undefined;
  /**
   * How often the broker asks whether this side lives, ms; when nothing came for twice as long, the connection is
   * given up. Default 30,000; the broker takes 1,000 to its `--max-heartbeat-interval`; -1 = never (producers only).
   */
  readonly heartbeatInterval?: number | undefined;
  /** First delay before connecting again, ms; it doubles each time, with jitter. Default 100; 1 to 3,600,000. */
  readonly reconnectDelay?: number | undefined;
  /** Longest delay before connecting again, ms. Default 30,000; 1 to 3,600,000. */
  readonly maxReconnectDelay?: number | undefined;
  /** Name of this client in the broker's statistics. Default: the host name up to its first dot. */
  readonly clientId?: string | undefined;
  /** Host name in the broker's statistics. Default: the system's. */
  readonly hostname?: string | undefined;
  /** Default: `nsq-js/<version>`. */
  readonly userAgent?: string | undefined;
  /** Bytes the broker gathers before it writes to this connection. Default 16,384; -1 = it gathers nothing. */
  readonly outputBufferSize?: number | undefined;
  /** Longest time the broker gathers, ms. Default 250; -1 = without limit. */
  readonly outputBufferTimeout?: number | undefined;
  /** Time until the broker takes a message back that is not answered, ms. Default 0 = the broker's `--msg-timeout`. */
  readonly msgTimeout?: number | undefined;
  /** Percentage of the channel's messages to receive. Default 0 = all; 0 to 99. */
  readonly sampleRate?: number | undefined;
  /** Region and zone of this client, for brokers that prefer near consumers. Default none. */
  readonly topologyRegion?: string | undefined;
  readonly topologyZone?: string | undefined;
  /** Largest frame taken from the broker, bytes. Default 16 MiB; 1,024 to 2,147,483,643. */
  readonly maxFrameSize?: number | undefined;
}

export interface ProducerOptions extends ConnectionOptions {
  /** `host:port`, `[IPv6]:port` or socket path; several are used in turn. Default `127.0.0.1:4150`. */
  readonly nsqdTcpAddress?: string | readonly string[] | undefined;
  /** Longest wait for the outcome of one call, ms, connecting included. Default 30,000; 0 = without limit. */
  readonly publishTimeout?: number | undefined;
  /** Most calls without an outcome; further ones are refused with E_QUEUE_FULL. Default 100,000; 1 or more. */
  readonly maxPending?: number | undefined;
  /** Most bytes of such calls (a single larger one is still taken). Default 64 MiB; 1 or more. */
  readonly maxPendingBytes?: number | undefined;
}

export interface ConsumerOptions extends ConnectionOptions {
  readonly topic: string;
  readonly channel: string;
  /**
   * nsqds to consume from: `host:port`, `[IPv6]:port` or socket path. Default `127.0.0.1:4150`, or with
   * `lookupdHttpAddresses` none besides those that are found.
   */
  readonly nsqdTcpAddresses?: string | readonly string[] | undefined;
  /** lookupds that say which nsqds have the topic: `http://host:port` or `host:port`. Default none. */
  readonly lookupdHttpAddresses?: string | readonly string[] | undefined;
  /** How often a lookupd is asked that cannot be watched, ms. Default 60,000; 10 to 300,000. */
  readonly lookupdPollInterval?: number | undefined;
  /** Part of that by which it is shortened at most, at random each time. Default 0.3; 0 to 1. */
  readonly lookupdPollJitter?: number | undefined;
  /** Longest wait for a lookupd's answer, ms. Default 5,000; 10 to 300,000. */
  readonly lookupdPollTimeout?: number | undefined;
  /** Most messages unanswered at a time, over all connections. Default 1; 0 or more. */
  readonly maxInFlight?: number | undefined;
  /** Delay of a requeue without one, ms, times the message's attempts. Default 90,000; 0 to 3,600,000. */
  readonly requeueDelay?: number | undefined;
  /** Longest such delay, ms. Default 900,000; 0 to 3,600,000. */
  readonly maxRequeueDelay?: number | undefined;
  /** With fewer messages in flight than connections: idle time after which a connection yields, ms. Default 10,000. */
  readonly lowRdyIdleTimeout?: number | undefined;
  /** The same, idle or not. Default 30,000. */
  readonly lowRdyTimeout?: number | undefined;
  /** How often that is looked at, ms. Default 5,000; 1 to 5,000. */
  readonly rdyRedistributeInterval?: number | undefined;
}

export interface CloseOptions {
  /** Longest wait for what is under way, ms. Default 30,000; 0 = none. */
  readonly timeout?: number | undefined;
}

interface NumberSpec {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Takes -1, which switches off. */
  readonly off?: true;
  /** Need not be whole. */
  readonly fraction?: true;
  /** The option's name in go-nsq's Config. */
  readonly goNsq?: string;
}

const HOUR = 3_600_000;
const FIVE_MINUTES = 300_000;
const MAX_INT32 = 0x7fffffff;

const CONNECTION_NUMBERS = {
  connectTimeout: { default: 1000, min: 1, max: FIVE_MINUTES, goNsq: 'dial_timeout' },
  handshakeTimeout: { default: 5000, min: 1, max: FIVE_MINUTES },
  heartbeatInterval: { default: 30_000, min: 1, max: HOUR, off: true, goNsq: 'heartbeat_interval' },
  reconnectDelay: { default: 100, min: 1, max: HOUR },
  maxReconnectDelay: { default: 30_000, min: 1, max: HOUR },
  outputBufferSize: { default: 16_384, min: 0, max: MAX_INT32, off: true, goNsq: 'output_buffer_size' },
  outputBufferTimeout: { default: 250, min: 0, max: HOUR, off: true, goNsq: 'output_buffer_timeout' },
  msgTimeout: { default: 0, min: 0, max: MAX_INT32, goNsq: 'msg_timeout' },
  sampleRate: { default: 0, min: 0, max: 99, goNsq: 'sample_rate' },
  maxFrameSize: { default: DEFAULT_MAX_FRAME_SIZE, min: 1024, max: MAX_INT32 - 4 },
} as const satisfies Record<string, NumberSpec>;

const PRODUCER_NUMBERS = {
  publishTimeout: { default: 30_000, min: 0, max: MAX_INT32 },
  maxPending: { default: 100_000, min: 1, max: Number.MAX_SAFE_INTEGER },
  maxPendingBytes: { default: 64 * 1024 * 1024, min: 1, max: Number.MAX_SAFE_INTEGER },
} as const satisfies Record<string, NumberSpec>;

const CONSUMER_NUMBERS = {
  maxInFlight: { default: 1, min: 0, max: MAX_INT32, goNsq: 'max_in_flight' },
  requeueDelay: { default: 90_000, min: 0, max: HOUR, goNsq: 'default_requeue_delay' },
  maxRequeueDelay: { default: 900_000, min: 0, max: HOUR, goNsq: 'max_requeue_delay' },
  lowRdyIdleTimeout: { default: 10_000, min: 1, max: FIVE_MINUTES, goNsq: 'low_rdy_idle_timeout' },
  lowRdyTimeout: { default: 30_000, min: 1, max: FIVE_MINUTES, goNsq: 'low_rdy_timeout' },
  rdyRedistributeInterval: { default: 5000, min: 1, max: 5000, goNsq: 'rdy_redistribute_interval' },
  lookupdPollInterval: { default: 60_000, min: 10, max: FIVE_MINUTES, goNsq: 'lookupd_poll_interval' },
  lookupdPollJitter: { default: 0.3, min: 0, max: 1, fraction: true, goNsq: 'lookupd_poll_jitter' },
  lookupdPollTimeout: { default: 5000, min: 10, max: FIVE_MINUTES, goNsq: 'lookupd_poll_timeout' },
} as const satisfies Record<string, NumberSpec>;

type Numbers<Specs> = { readonly [Key in keyof Specs]: number };

/** {@link ConnectionOptions} with every default filled in. */
export interface ConnectionSettings extends Numbers<typeof CONNECTION_NUMBERS> {
  readonly clientId: string;
  readonly hostname: string;
  readonly userAgent: string;
  readonly topologyRegion: string;
  readonly topologyZone: string;
}
export type ProducerSettings = Numbers<typeof PRODUCER_NUMBERS>;
export type ConsumerSettings = Numbers<typeof CONSUMER_NUMBERS>;

/** @throws OptionError */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  const host = textOption('hostname', options.hostname) ?? hostname();
  return {
    ...numberOptions(CONNECTION_NUMBERS, options),
    hostname: host,
    clientId: textOption('clientId', options.clientId) ?? (host.split('.', 1)[0] || host),
    userAgent: textOption('userAgent', options.userAgent) ?? `nsq-js/${version()}`,
    topologyRegion: textOption('topologyRegion', options.topologyRegion) ?? '',
    topologyZone: textOption('topologyZone', options.topologyZone) ?? '',
  };
}

/** @throws OptionError */
export function producerSettings(options: ProducerOptions): ProducerSettings {
  return numberOptions(PRODUCER_NUMBERS, options);
}

/** @throws OptionError */
export function consumerSettings(options: ConsumerOptions): ConsumerSettings {
  return numberOptions(CONSUMER_NUMBERS, options);
}

/** @throws OptionError */
export function closeTimeout(options: CloseOptions): number {
  return checkNumber('timeout', options.timeout ?? 30_000, { min: 0, max: MAX_INT32 });
}

/** A whole number within its range. @throws OptionError */
export function checkNumber(
  name: string,
  value: unknown,
  spec: Pick<NumberSpec, 'min' | 'max' | 'off' | 'fraction'>,
): number {
  if (typeof value === 'number' && (spec.fraction || Number.isInteger(value))) {
    if ((value >= spec.min && value <= spec.max) || (spec.off && value === -1)) return value;
  }
  const off = spec.off ? ', or -1' : '';
  throw new OptionError(
    `${name} must be a ${spec.fraction ? '' : 'whole '}number from ${spec.min} to ${spec.max}${off}, not ${String(value)}`,
  );
}

function numberOptions<Specs extends Readonly<Record<string, NumberSpec>>>(
  specs: Specs,
  options: { readonly [Key in keyof Specs]?: number | undefined },
): Numbers<Specs> {
  const entries = Object.entries(specs).map(([name, spec]) => {
    const value = options[name];
    return [name, value === undefined ? spec.default : checkNumber(name, value, spec)];
  });
  return Object.fromEntries(entries) as Numbers<Specs>;
}

function textOption(name: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw new OptionError(`${name} must be a string`);
  return value;
}
