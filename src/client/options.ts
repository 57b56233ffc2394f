import { hostname } from 'node:os';
import { parseLocalAddress } from './address.js';
import { OptionError } from './errors.js';
import type { Message } from './message.js';
import { CONNECTION_OPTIONS } from './option-table/connection-options.js';
import { CONSUMER_OPTIONS } from './option-table/consumer-options.js';
import { checkNames } from './option-table/option-names.js';
import type { OptionSpec, OptionTable } from './option-table/option-spec.js';
import { PRODUCER_OPTIONS } from './option-table/producer-options.js';
import { type TlsOptions, tlsOption } from './tls-options.js';
import { version } from './version.js';

/**
 * What the client library can be told. The defaults, ranges and go-nsq names that count are those of the tables in
 * option-table/. Times are in milliseconds, sizes in bytes.
 */
export interface ConnectionOptions {
  /** Longest wait for the connection, ms. Default 1,000; 0 = the system's; to 3,600,000. */
  readonly connectTimeout?: number | undefined;
  /** Longest wait for the answer to each step of the handshake, ms. Default 5,000; 1 to 300,000. */
  readonly handshakeTimeout?: number | undefined;
  /**
   * The connection is given up when nothing came for so long, ms. Default: twice `heartbeatInterval`, which it may not
   * be less than; 100 to 300,000.
   */
  readonly readTimeout?: number | undefined;
  /**
   * The connection is given up when the broker takes nothing for so long of what is to be written, ms. Default 1,000; 100
   * to 300,000.
   */
  readonly writeTimeout?: number | undefined;
  /** Address to connect from: `IP`, `IP:port` or `:port`. Default: the system's choice. */
  readonly localAddress?: string | undefined;
  /**
   * How often the broker asks whether this side lives, ms. Default 30,000; the broker takes 1,000 to its
   * `--max-heartbeat-interval`; at most `readTimeout` (60,000 unless given); -1 = never (producers only).
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
  /**
   * Time until the broker takes a message back that is not answered, ms. Default 0 = the broker's `--msg-timeout`; it takes
   * 1,000 to its `--max-msg-timeout`.
   */
  readonly msgTimeout?: number | undefined;
  /** Percentage of the channel's messages to receive. Default 0 = all; 0 to 99. */
  readonly sampleRate?: number | undefined;
  /** Region of this client, for brokers that prefer near consumers. Default none. */
  readonly topologyRegion?: string | undefined;
  /** Zone of this client within its region. Default none. */
  readonly topologyZone?: string | undefined;
  /** Largest frame taken from the broker, bytes. Default 16 MiB; 1,024 to 2,147,483,643. */
  readonly maxFrameSize?: number | undefined;
  /**
   * Encrypts connections; a broker that does not offer it is refused. `ca`, `cert`, `key` and `rejectUnauthorized` are those
   * for `https:` lookupds too. Default false; true = all of its defaults.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Asks for snappy; a broker without it is talked to uncompressed. Default false. */
  readonly snappy?: boolean | undefined;
  /** Asks for deflate, as `snappy` does; not both. Default false. */
  readonly deflate?: boolean | undefined;
  /** How much deflate tries, if the broker allows as much. Default 6; 1 to 9. */
  readonly deflateLevel?: number | undefined;
  /** What is sent as AUTH to a broker that requires it. Default none. */
  readonly authSecret?: string | undefined;
}

export interface ProducerOptions extends ConnectionOptions {
  /**
   * `host:port`, `[IPv6]:port` or socket path; several are used in turn. Default `127.0.0.1:4150`, or with
   * `lookupdHttpAddresses` none besides those that are found.
   */
  readonly nsqdTcpAddress?: string | readonly string[] | undefined;
  /** lookupds that say which nsqds there are (`/nodes`): `host:port`, `http://…` or `https://…`. Default none. */
  readonly lookupdHttpAddresses?: string | readonly string[] | undefined;
  /** How often a lookupd is asked, ms. Default 60,000; 10 to 300,000. */
  readonly lookupdPollInterval?: number | undefined;
  /** Part of that by which it is shortened at most, at random each time. Default 0.3; 0 to 1. */
  readonly lookupdPollJitter?: number | undefined;
  /** Longest wait for a lookupd's answer, ms. Default 60,000; 1 to 3,600,000. */
  readonly lookupdPollTimeout?: number | undefined;
  /** Send `authSecret` to lookupds too, as `Authorization: Bearer`. Default true. */
  readonly lookupdAuthorization?: boolean | undefined;
  /** Longest wait for the outcome of one call, ms, connecting included. Default 30,000; 0 = without limit. */
  readonly publishTimeout?: number | undefined;
  /** Most calls without an outcome; what becomes of further ones says `whenFull`. Default 100,000; 1 or more. */
  readonly maxPending?: number | undefined;
  /** Most bytes of such calls (a single larger one is still taken). Default 64 MiB; 1 or more. */
  readonly maxPendingBytes?: number | undefined;
  /**
   * What becomes of a call beyond these bounds. `reject` (the default): it fails at once with E_QUEUE_FULL. `wait`: it
   * waits for its turn, within its time-out; no more than the bounds are handed to brokers at a time.
   */
  readonly whenFull?: 'reject' | 'wait' | undefined;
  /**
   * Concurrent calls of `publish` for one topic may go out as one MPUB. Each still has an outcome of its own. Default
   * true.
   */
  readonly autoBatch?: boolean | undefined;
  /**
   * A publish whose connection was lost before the answer is published again, which may double it, instead of failing
   * with E_CONNECTION_LOST. Default false.
   */
  readonly retryLost?: boolean | undefined;
}

/** The levels count from 1. */
export type BackoffStrategy = 'exponential' | 'full_jitter' | ((level: number) => number);

export interface ConsumerOptions extends ConnectionOptions {
  /** The topic to consume: 1 to 64 of `.a-zA-Z0-9_-`, optionally followed by `#ephemeral`. It is made if there is none. */
  readonly topic: string;
  /**
   * The channel of that topic, named in the same way and made if there is none. Consumers of one channel share its messages;
   * every channel gets all of the topic's.
   */
  readonly channel: string;
  /**
   * nsqds to consume from: `host:port`, `[IPv6]:port` or socket path. Default `127.0.0.1:4150`, or with
   * `lookupdHttpAddresses` none besides those that are found.
   */
  readonly nsqdTcpAddresses?: string | readonly string[] | undefined;
  /** lookupds that say which nsqds have the topic: `host:port`, `http://…` or `https://…`. Default none. */
  readonly lookupdHttpAddresses?: string | readonly string[] | undefined;
  /** How often a lookupd is asked that cannot be watched, ms. Default 60,000; 10 to 300,000. */
  readonly lookupdPollInterval?: number | undefined;
  /** Part of that by which it is shortened at most, at random each time. Default 0.3; 0 to 1. */
  readonly lookupdPollJitter?: number | undefined;
  /** Longest wait for a lookupd's answer, ms. Default 60,000; 1 to 3,600,000. */
  readonly lookupdPollTimeout?: number | undefined;
  /** Send `authSecret` to lookupds too, as `Authorization: Bearer`. Default true. */
  readonly lookupdAuthorization?: boolean | undefined;
  /** Most messages unanswered at a time, over all connections. Default 1; 0 or more. */
  readonly maxInFlight?: number | undefined;
  /**
   * Deliveries after which a message is given up instead of handed out once more: it is finished, after
   * `deadLetterTopic` or `onGiveUp` if there is one. Default 5; 0 = never; to 65,535.
   */
  readonly maxAttempts?: number | undefined;
  /**
   * Topic that gets the bodies of messages given up, on the nsqd they came from; a message is finished when this has
   * been answered OK, and requeued when not. Default none.
   */
  readonly deadLetterTopic?: string | undefined;
  /**
   * Called with each message given up, in place of `deadLetterTopic`. The message is finished when it returns (or its
   * promise resolves), requeued when it throws, left alone when it has answered. Default none.
   */
  readonly onGiveUp?: ((message: Message) => unknown) | undefined;
  /** Delay of a requeue without one, ms, times the message's attempts. Default 90,000; 0 to 3,600,000. */
  readonly requeueDelay?: number | undefined;
  /** Longest such delay, ms. Default 900,000; 0 to 3,600,000. */
  readonly maxRequeueDelay?: number | undefined;
  /**
   * After a requeue all connections stop for a while, and then one message at a time decides how it goes on. How long
   * at level n: `exponential`, `backoffMultiplier` times 2 to the power of n; `full_jitter`, a random part of that; or
   * what a function of n says, ms. Default `exponential`.
   */
  readonly backoffStrategy?: BackoffStrategy | undefined;
  /** Unit of the backoff, ms. Default 1,000; 0 to 3,600,000. */
  readonly backoffMultiplier?: number | undefined;
  /** Longest backoff, ms. Default 120,000; 0 = none at all; to 3,600,000. */
  readonly maxBackoffDuration?: number | undefined;
  /**
   * Touch messages that are not answered yet, waiting or handed out, before the broker takes them back; it takes no
   * more touches at its `--max-msg-timeout`. Default false.
   */
  readonly autoTouch?: boolean | undefined;
  /**
   * With fewer messages in flight than connections: idle time after which a connection yields, ms. Default 10,000; 1,000
   * to 300,000.
   */
  readonly lowRdyIdleTimeout?: number | undefined;
  /** The same, idle or not, ms. Default 30,000; 1,000 to 300,000. */
  readonly lowRdyTimeout?: number | undefined;
  /** How often that is looked at, ms. Default 5,000; 1 to 5,000. */
  readonly rdyRedistributeInterval?: number | undefined;
}

export interface CloseOptions {
  /** Longest wait for what is under way, ms. Default 30,000; 0 = none. */
  readonly timeout?: number | undefined;
}

export interface ConsumerCloseOptions extends CloseOptions {
  /**
   * What becomes of messages that were received and not handed out, or come before the brokers agree: they are given back
   * (the default), or handed out as long as the time-out lasts.
   */
  readonly rest?: 'given back' | 'handled' | undefined;
}

type ValueOf<Spec extends OptionSpec> = Spec extends { kind: 'boolean' }
  ? boolean
  : Spec extends { choices: readonly (infer Choice)[] }
    ? Choice
    : Spec extends { kind: 'text' }
      ? string
      : number;

/** The values of a table: those of the kind `other`, and those without a default, are left out. */
type Values<Table extends OptionTable> = {
  readonly [Key in keyof Table as Table[Key] extends { default: unknown } ? Key : never]: ValueOf<Table[Key]>;
};

/** What {@link Values} leaves out, as it was given. */
type Given<Options> = { readonly [Key in keyof Options]?: unknown };

/** {@link ConnectionOptions} with every default filled in. */
export interface ConnectionSettings extends Values<typeof CONNECTION_OPTIONS> {
  /** 0 = none. */
  readonly readTimeout: number;
  readonly clientId: string;
  readonly hostname: string;
  readonly userAgent: string;
  readonly tls: TlsOptions | undefined;
}

/** {@link ProducerOptions} with every default filled in, but where to publish to. */
export type ProducerSettings = Values<typeof PRODUCER_OPTIONS>;

/** {@link ConsumerOptions} with every default filled in, but what to consume from where. */
export interface ConsumerSettings extends Omit<Values<typeof CONSUMER_OPTIONS>, 'backoffStrategy'> {
  readonly backoffStrategy: BackoffStrategy;
  readonly onGiveUp: ConsumerOptions['onGiveUp'];
}

// Each table has all options of its interface, and no other.
CONNECTION_OPTIONS satisfies Record<keyof ConnectionOptions, OptionSpec>;
PRODUCER_OPTIONS satisfies Record<keyof Omit<ProducerOptions, keyof ConnectionOptions>, OptionSpec>;
CONSUMER_OPTIONS satisfies Record<keyof Omit<ConsumerOptions, keyof ConnectionOptions>, OptionSpec>;

/** Go-nsq's read_timeout, which no heartbeat_interval may exceed. */
const DEFAULT_READ_TIMEOUT = 60_000;

/** @throws OptionError */
export function connectionSettings(options: ConnectionOptions): ConnectionSettings {
  const values = tableValues(CONNECTION_OPTIONS, options);
  parseLocalAddress(values.localAddress);
  if (values.snappy && values.deflate) throw new OptionError('snappy and deflate exclude each other');
  const host = textOption('hostname', options.hostname) ?? hostname();
  return {
    ...values,
    readTimeout: readTimeout(options.readTimeout, values.heartbeatInterval),
    hostname: host,
    clientId: textOption('clientId', options.clientId) ?? (host.split('.', 1)[0] || host),
    userAgent: textOption('userAgent', options.userAgent) ?? `nsq-js/${version()}`,
    tls: tlsOption(options.tls),
  };
}

function readTimeout(given: number | undefined, heartbeatInterval: number): number {
  if (given !== undefined) checkNumber('readTimeout', given, CONNECTION_OPTIONS.readTimeout);
  const longest = given ?? DEFAULT_READ_TIMEOUT;
  if (heartbeatInterval > longest) {
    throw new OptionError(
      `heartbeatInterval (${heartbeatInterval}) must not be more than readTimeout (${longest})`,
    );
  }
  return given ?? Math.max(0, 2 * heartbeatInterval);
}

/** @throws OptionError */
export function producerSettings(options: ProducerOptions): ProducerSettings {
  checkNames(options, CONNECTION_OPTIONS, PRODUCER_OPTIONS);
  return tableValues(PRODUCER_OPTIONS, options);
}

/** @throws OptionError */
export function consumerSettings(options: ConsumerOptions): ConsumerSettings {
  checkNames(options, CONNECTION_OPTIONS, CONSUMER_OPTIONS);
  const { backoffStrategy, onGiveUp, deadLetterTopic } = options;
  if (onGiveUp !== undefined && typeof onGiveUp !== 'function')
    throw new OptionError('onGiveUp must be a function');
  if (onGiveUp !== undefined && deadLetterTopic !== undefined)
    throw new OptionError('onGiveUp and deadLetterTopic exclude each other');
  const isFunction = typeof backoffStrategy === 'function';
  const values = tableValues(
    CONSUMER_OPTIONS,
    isFunction ? { ...options, backoffStrategy: undefined } : options,
  );
  return { ...values, ...(isFunction && { backoffStrategy }), onGiveUp };
}

/** @throws OptionError */
export function closeTimeout(options: CloseOptions): number {
  return checkNumber('timeout', options.timeout ?? 30_000, { min: 0, max: 0x7fffffff });
}

/** @throws OptionError */
export function closeHandlesRest({ rest = 'given back' }: ConsumerCloseOptions): boolean {
  if (rest !== 'handled' && rest !== 'given back')
    throw new OptionError(`rest must be 'given back' or 'handled', not ${JSON.stringify(rest)}`);
  return rest === 'handled';
}

/** What is checked of a number. */
type NumberRange = Pick<OptionSpec, 'min' | 'max' | 'off'> & { readonly kind?: OptionSpec['kind'] };

/** A number within its range, whole unless of the kind `float`. @throws OptionError */
export function checkNumber(name: string, value: unknown, spec: NumberRange): number {
  const { kind, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, off } = spec;
  if (typeof value === 'number' && (kind === 'float' || Number.isInteger(value))) {
    if ((value >= min && value <= max) || (off && value === -1)) return value;
  }
  const what = kind === 'float' ? 'number' : 'whole number';
  throw new OptionError(
    `${name} must be a ${what} from ${min} to ${max}${off ? ', or -1' : ''}, not ${shown(value)}`,
  );
}

function tableValues<Table extends OptionTable, Options>(
  table: Table,
  options: Given<Options>,
): Values<Table> {
  const given: Readonly<Record<string, unknown>> = options;
  const entries = Object.entries<OptionSpec>(table)
    .filter(([, spec]) => spec.default !== undefined)
    .map(([name, spec]) => [
      name,
      given[name] === undefined ? spec.default : checked(name, given[name], spec),
    ]);
  return Object.fromEntries(entries) as Values<Table>;
}

function checked(name: string, value: unknown, spec: OptionSpec): unknown {
  if (spec.kind === 'text') return textOption(name, value);
  if (spec.kind === 'boolean') return booleanOption(name, value);
  if (spec.kind !== 'choice') return checkNumber(name, value, spec);
  if (spec.choices?.some((choice) => choice === value)) return value;
  throw new OptionError(`${name} must be one of ${spec.choices?.join(', ')}, not ${shown(value)}`);
}

function booleanOption(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new OptionError(`${name} must be true or false, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function textOption(name: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw new OptionError(`${name} must be a string`);
  return value;
}
