import type { Logger, LogLevel } from './logger.js';

/** What an OK promises: written to the file, on stable storage, or in memory only. */
export const DURABILITIES = ['os', 'fsync', 'memory'] as const;
export type Durability = (typeof DURABILITIES)[number];

/** What is done when a topic or the disk is as full as it may be: refuse what is published, or drop the oldest messages. */
export const LIMIT_ACTIONS = ['reject', 'drop-oldest'] as const;
export type LimitAction = (typeof LIMIT_ACTIONS)[number];

/** What `experiments` may turn on, by nsqd's names. */
export const EXPERIMENTS = ['topology-aware-consumption'] as const;
export type Experiment = (typeof EXPERIMENTS)[number];

/** Which clients must speak TLS: none; all, over HTTP too; or all but those of the HTTP API. */
export const TLS_REQUIREMENTS = ['false', 'true', 'tcp-https'] as const;

/**
 * Every setting of a broker, resolved. Durations are in milliseconds, sizes in bytes. The defaults are those of a broker
 * in one's own process; `nsq serve` has others for the addresses and the data path.
 */
export interface BrokerSettings {
  /** Where TCP clients reach it: `<addr>:<port>`, or the path of a unix socket. Default: a free port of 127.0.0.1. */
  tcpAddress: string;
  /** Where HTTP clients reach it, as `tcpAddress`; '' for nowhere. Default: a free port of 127.0.0.1. */
  httpAddress: string;
  /** Where HTTPS clients reach it, if there is a certificate; '' for nowhere. Default: a free port of 127.0.0.1. */
  httpsAddress: string;
  /** The address that clients and lookupds are told. Default: this host's name. */
  broadcastAddress: string;
  /** The TCP port that they are told; 0, the default, for the one it listens on. */
  broadcastTcpPort: number;
  /** The HTTP port that they are told; 0, the default, for the one it listens on. */
  broadcastHttpPort: number;
  /** lookupds to register with, `<host>:<port>` each. Default: none. */
  lookupdTcpAddresses: readonly string[];
  /** Longest wait for a connection to a lookupd when a new topic's channels are asked for. Default 2 s. */
  httpClientConnectTimeout: number;
  /** Longest wait for its answer; the new topic's messages are delivered once it is known. Default 5 s. */
  httpClientRequestTimeout: number;
  /** This broker's part of message ids, 0 to 1023. Default: a hash of this host's name. */
  nodeId: number;
  /** The region that it says it is in. Default ''. */
  topologyRegion: string;
  /** The zone that it says it is in. Default ''. */
  topologyZone: string;
  /** What is on that is off by default; a name that there is not is warned of. Default: none. */
  experiments: readonly Experiment[];
  /** The directory of the messages. Default: a temporary one that `close()` removes. */
  dataPath: string;
  /** What an OK promises. Default `os`. */
  durability: Durability;
  /** Messages that an `#ephemeral` topic or channel holds at most. Default 10,000. */
  memQueueSize: number;
  /** Bytes of a segment file before the next one is begun. Default 100 MiB. */
  maxBytesPerFile: number;
  /** Bytes that a topic's segment files may have; 0, the default, for no limit. */
  maxTopicBytes: number;
  /** Messages older than this are dropped; 0, the default, for no limit. */
  maxTopicAge: number;
  /** How full the file system may be: `90%`, or the bytes that must stay free; `0`, the default, for no limit. */
  diskHighWater: string;
  /** What is done at `maxTopicBytes` or `diskHighWater`. Default `reject`. */
  onLimit: LimitAction;
  /** Messages after which a topic is synced, unless that would take more than a tenth of the time. Default 2,500. */
  syncEvery: number;
  /** Time after which a topic is synced to stable storage. Default 2 s. */
  syncTimeout: number;
  /** How often files that few messages hold are compacted; 0 for never. Default 5 s. */
  compactionInterval: number;
  /** Bytes of queued messages that are kept in memory too, over all topics. Default 128 MiB. */
  cacheSize: number;
  /** The time a consumer has for a message before it is delivered again. Default 60 s. */
  msgTimeout: number;
  /** The longest message timeout that a client may ask for, or reach by TOUCH. Default 15 min. */
  maxMsgTimeout: number;
  /** Bytes of a message at most. Default 1 MiB. */
  maxMsgSize: number;
  /** Bytes of a command's body at most, such as an MPUB's. Default 5 MiB. */
  maxBodySize: number;
  /** The longest delay of a requeued or deferred message. Default 1 h. */
  maxReqTimeout: number;
  /** A tick: a new channel's message timeouts are enforced from the next one on; 0, the default, for at once. */
  queueScanRefreshInterval: number;
  /** Quantiles of the time from publish to FIN in the stats, each above 0 and up to 1. Default: none, not measured. */
  e2eProcessingLatencyPercentiles: readonly number[];
  /** Of the messages that were finished in how long a time they are. Default 10 min. */
  e2eProcessingLatencyWindowTime: number;
  /** Silence after which a client is closed that asked for no heartbeat interval of its own. Default 60 s. */
  clientTimeout: number;
  /** The longest heartbeat interval that a client may ask for. Default 60 s. */
  maxHeartbeatInterval: number;
  /** The largest RDY count. Default 2,500. */
  maxRdyCount: number;
  /** The largest output buffer that a client may ask for. Default 64 KiB. */
  maxOutputBufferSize: number;
  /** The longest output buffer timeout that a client may ask for. Default 30 s. */
  maxOutputBufferTimeout: number;
  /** The shortest output buffer timeout that a client may ask for. Default 25 ms. */
  minOutputBufferTimeout: number;
  /** The output buffer timeout of clients that ask for none. Default 250 ms. */
  outputBufferTimeout: number;
  /** Consumers of one channel at most; 0, the default, for no limit. */
  maxChannelConsumers: number;
  /** Whether clients may have deflate. Default true. */
  deflate: boolean;
  /** The highest deflate level that a client may ask for, 1 to 9. Default 6. */
  maxDeflateLevel: number;
  /** Whether clients may have snappy. Default true. */
  snappy: boolean;
  /** Path of the certificate (PEM) and those between it and its authority; '', the default, for no TLS. */
  tlsCert: string;
  /** Path of the certificate's private key (PEM). Default ''. */
  tlsKey: string;
  /** Path of the authorities (PEM) of clients' and auth servers' certificates; '', the default, for those Node trusts. */
  tlsRootCaFile: string;
  /** Which certificate clients must show: any, or one an authority signed; implies `tlsRequired`. Default '': none. */
  tlsClientAuthPolicy: '' | 'require' | 'require-verify';
  /** `false`, `true` or `tcp-https`, or a word that Go takes for one of the first two. Default `false`. */
  tlsRequired: string;
  /** The least TLS version; '', the default, for nsqd's, TLS 1.0. */
  tlsMinVersion: '' | 'tls1.0' | 'tls1.1' | 'tls1.2' | 'tls1.3';
  /** Servers that say what a client may do: `<host>:<port>`, or a URL. Without one, everybody may do everything. */
  authHttpAddresses: readonly string[];
  /** How auth servers are asked. Default `get`. */
  authHttpRequestMethod: 'get' | 'post';
  /** The UDP address of a statsd daemon that figures are pushed to, `<host>:<port>`; '', the default, for none. */
  statsdAddress: string;
  /** The time between pushes; a push's packets are spread over it, but for its last second. Default 60 s. */
  statsdInterval: number;
  /** Whether figures of memory and garbage collection are pushed too. Default true. */
  statsdMemStats: boolean;
  /** What the keys begin with; `%s` is the broadcast address and HTTP port. Default `nsq.%s`. */
  statsdPrefix: string;
  /** Bytes of a UDP packet at most, but for a longer line; 0 for 4096. Default 508. */
  statsdUdpPacketSize: number;
  /** Whether `#ephemeral` topics and channels are left out. Default false. */
  statsdExcludeEphemeral: boolean;
  /** The least level that goes to `logger`. Default `info`. */
  logLevel: LogLevel;
  /** Text before every log line, for who writes them. Default `[nsqd] `. */
  logPrefix: string;
}

/** What `startBroker` takes: any of the settings, and where log lines go. */
export type BrokerOptions = { [K in keyof BrokerSettings]?: BrokerSettings[K] | undefined } & {
  /** Takes the log lines; nothing is logged without one. */
  logger?: Logger | undefined;
};
