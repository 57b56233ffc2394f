import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { crc32 } from 'node:zlib';
import { LOG_LEVELS } from './logger.js';
import { type BrokerSettings, DURABILITIES } from './settings.js';

export type OptionKind = 'string' | 'int' | 'size' | 'duration' | 'choice';

/** One row of the options table: flags, configuration keys, checks and docs all come from it. */
export interface OptionSpec {
  readonly key: keyof BrokerSettings;
  /** The flag's name, as nsqd has it. Durations are written as Go writes them. */
  readonly flag: string;
  /** The key in a configuration file, where it is not the flag's name with underscores. */
  readonly config?: string;
  readonly kind: OptionKind;
  readonly choices?: readonly string[];
  /** The daemon's default. */
  readonly default: string | number;
  /** The default of an embedded broker, where it differs. */
  readonly embedded?: string | number;
  readonly min?: number;
  readonly max?: number;
  readonly doc: string;
  readonly group: 'addresses' | 'storage' | 'messages' | 'clients' | 'logging';
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const KIB = 1024;
const MIB = 1024 * KIB;
/** Lengths on the wire are signed 32-bit numbers. */
const MAX_WIRE_SIZE = 0x7fffffff;
const MAX_PORT = 65535;
/** The longest duration that a timer can be armed for without care: 24 days. */
const MAX_DURATION = 2 ** 31 - 1;

/** As nsqd derives it: the CRC-32 of the host name's MD5, modulo 1024. */
export function defaultNodeId(host: string = hostname()): number {
  return crc32(createHash('md5').update(host).digest()) % 1024;
}

export const OPTION_SPECS: readonly OptionSpec[] = [
  {
    key: 'tcpAddress',
    flag: 'tcp-address',
    kind: 'string',
    default: '0.0.0.0:4150',
    embedded: '127.0.0.1:0',
    doc: 'address for TCP clients: <addr>:<port>, or a path for a unix socket',
    group: 'addresses',
  },
  {
    key: 'httpAddress',
    flag: 'http-address',
    kind: 'string',
    default: '0.0.0.0:4151',
    embedded: '127.0.0.1:0',
    doc: 'address for HTTP clients: <addr>:<port>, or a path for a unix socket; empty for none',
    group: 'addresses',
  },
  {
    key: 'broadcastAddress',
    flag: 'broadcast-address',
    kind: 'string',
    default: hostname(),
    doc: "address that clients are told to reach this broker at (default: this host's name)",
    group: 'addresses',
  },
  {
    key: 'broadcastTcpPort',
    flag: 'broadcast-tcp-port',
    kind: 'int',
    default: 0,
    min: 0,
    max: MAX_PORT,
    doc: 'TCP port that clients are told (0: the port listened on)',
    group: 'addresses',
  },
  {
    key: 'broadcastHttpPort',
    flag: 'broadcast-http-port',
    kind: 'int',
    default: 0,
    min: 0,
    max: MAX_PORT,
    doc: 'HTTP port that clients are told (0: the port listened on)',
    group: 'addresses',
  },
  {
    key: 'nodeId',
    flag: 'node-id',
    config: 'id',
    kind: 'int',
    default: defaultNodeId(),
    min: 0,
    max: 1023,
    doc: "this broker's part of message ids, 0 to 1023 (default: a hash of this host's name)",
    group: 'addresses',
  },
  {
    key: 'topologyRegion',
    flag: 'topology-region',
    kind: 'string',
    default: '',
    doc: 'region this broker says it is in',
    group: 'addresses',
  },
  {
    key: 'topologyZone',
    flag: 'topology-zone',
    kind: 'string',
    default: '',
    doc: 'zone this broker says it is in',
    group: 'addresses',
  },
  {
    key: 'dataPath',
    flag: 'data-path',
    kind: 'string',
    default: '',
    doc: 'directory that messages are stored in (default: the current one)',
    group: 'storage',
  },
  {
    key: 'durability',
    flag: 'durability',
    kind: 'choice',
    choices: DURABILITIES,
    default: 'os',
    doc: 'what an OK promises: os (written to the file, survives kill -9), fsync (on stable storage), memory',
    group: 'storage',
  },
  {
    key: 'memQueueSize',
    flag: 'mem-queue-size',
    kind: 'int',
    default: 10000,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'messages that an #ephemeral topic or channel holds at most',
    group: 'storage',
  },
  {
    key: 'maxBytesPerFile',
    flag: 'max-bytes-per-file',
    kind: 'size',
    default: 100 * MIB,
    min: 1,
    max: 2 ** 40,
    doc: 'bytes of a segment file before the next one is begun',
    group: 'storage',
  },
  {
    key: 'syncEvery',
    flag: 'sync-every',
    kind: 'int',
    default: 2500,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'messages after which a topic is synced to stable storage, as long as that takes a tenth of the time at most',
    group: 'storage',
  },
  {
    key: 'syncTimeout',
    flag: 'sync-timeout',
    kind: 'duration',
    default: 2 * SECOND,
    min: 1,
    max: MAX_DURATION,
    doc: 'time after which a topic is synced to stable storage',
    group: 'storage',
  },
  {
    key: 'cacheSize',
    flag: 'cache-size',
    kind: 'size',
    default: 128 * MIB,
    min: 0,
    max: 2 ** 40,
    doc: 'bytes of queued messages that are kept in memory too, over all topics',
    group: 'storage',
  },
  {
    key: 'msgTimeout',
    flag: 'msg-timeout',
    kind: 'duration',
    default: MINUTE,
    min: 1,
    max: MAX_DURATION,
    doc: 'time a consumer has for a message before it is delivered again',
    group: 'messages',
  },
  {
    key: 'maxMsgTimeout',
    flag: 'max-msg-timeout',
    kind: 'duration',
    default: 15 * MINUTE,
    min: 1,
    max: MAX_DURATION,
    doc: 'longest message timeout that a client may ask for, or reach by TOUCH',
    group: 'messages',
  },
  {
    key: 'maxMsgSize',
    flag: 'max-msg-size',
    kind: 'size',
    default: MIB,
    min: 1,
    max: MAX_WIRE_SIZE - KIB,
    doc: 'bytes of a message at most',
    group: 'messages',
  },
  {
    key: 'maxBodySize',
    flag: 'max-body-size',
    kind: 'size',
    default: 5 * MIB,
    min: 1,
    max: MAX_WIRE_SIZE - KIB,
    doc: "bytes of a command's body at most",
    group: 'messages',
  },
  {
    key: 'maxReqTimeout',
    flag: 'max-req-timeout',
    kind: 'duration',
    default: 60 * MINUTE,
    min: 0,
    max: 2 ** 45,
    doc: 'longest delay of a requeued or deferred message',
    group: 'messages',
  },
  {
    key: 'queueScanRefreshInterval',
    flag: 'queue-scan-refresh-interval',
    kind: 'duration',
    default: 5 * SECOND,
    embedded: 0,
    min: 0,
    max: MAX_DURATION,
    doc: "tick, counted from the start, from which on a new channel's message timeouts are enforced (0: at once)",
    group: 'messages',
  },
  {
    key: 'clientTimeout',
    flag: 'client-timeout',
    kind: 'duration',
    default: MINUTE,
    min: 2,
    max: MAX_DURATION,
    doc: 'silence after which a client that asked for no heartbeat interval of its own is closed',
    group: 'clients',
  },
  {
    key: 'maxHeartbeatInterval',
    flag: 'max-heartbeat-interval',
    kind: 'duration',
    default: MINUTE,
    min: 1,
    max: MAX_DURATION,
    doc: 'longest heartbeat interval that a client may ask for',
    group: 'clients',
  },
  {
    key: 'maxRdyCount',
    flag: 'max-rdy-count',
    kind: 'int',
    default: 2500,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'largest RDY count',
    group: 'clients',
  },
  {
    key: 'maxOutputBufferSize',
    flag: 'max-output-buffer-size',
    kind: 'size',
    default: 64 * KIB,
    min: 64,
    max: MAX_WIRE_SIZE,
    doc: 'largest output buffer that a client may ask for',
    group: 'clients',
  },
  {
    key: 'maxOutputBufferTimeout',
    flag: 'max-output-buffer-timeout',
    kind: 'duration',
    default: 30 * SECOND,
    min: 1,
    max: MAX_DURATION,
    doc: 'longest output buffer timeout that a client may ask for',
    group: 'clients',
  },
  {
    key: 'minOutputBufferTimeout',
    flag: 'min-output-buffer-timeout',
    kind: 'duration',
    default: 25,
    min: 1,
    max: MAX_DURATION,
    doc: 'shortest output buffer timeout that a client may ask for',
    group: 'clients',
  },
  {
    key: 'outputBufferTimeout',
    flag: 'output-buffer-timeout',
    kind: 'duration',
    default: 250,
    min: 0,
    max: MAX_DURATION,
    doc: 'output buffer timeout that clients are told',
    group: 'clients',
  },
  {
    key: 'maxChannelConsumers',
    flag: 'max-channel-consumers',
    kind: 'int',
    default: 0,
    min: 0,
    max: 2 ** 31 - 1,
    doc: 'consumers of one channel at most (0: no limit)',
    group: 'clients',
  },
  {
    key: 'maxDeflateLevel',
    flag: 'max-deflate-level',
    kind: 'int',
    default: 6,
    min: 1,
    max: 9,
    doc: 'highest deflate level that a client may ask for',
    group: 'clients',
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
    default: '[nsqd] ',
    doc: 'text before every log message',
    group: 'logging',
  },
];
