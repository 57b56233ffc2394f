import type { Logger, LogLevel } from './logger.js';

/** What an OK promises: written to the file, on stable storage, or in memory only. */
export const DURABILITIES = ['os', 'fsync', 'memory'] as const;
export type Durability = (typeof DURABILITIES)[number];

/** What is done when a topic or the disk is as full as it may be: refuse what is published, or drop the oldest messages. */
export const LIMIT_ACTIONS = ['reject', 'drop-oldest'] as const;
export type LimitAction = (typeof LIMIT_ACTIONS)[number];

/** Which clients must speak TLS: none; all, over HTTP too; or all but those of the HTTP API. */
export const TLS_REQUIREMENTS = ['false', 'true', 'tcp-https'] as const;

/** Every setting of a broker, resolved. Durations are in milliseconds, sizes in bytes. */
export interface BrokerSettings {
  tcpAddress: string;
  httpAddress: string;
  dataPath: string;
  nodeId: number;
  broadcastAddress: string;
  broadcastTcpPort: number;
  broadcastHttpPort: number;
  /** lookupds to register with, `<host>:<port>` each. */
  lookupdTcpAddresses: readonly string[];
  httpClientConnectTimeout: number;
  httpClientRequestTimeout: number;
  topologyRegion: string;
  topologyZone: string;
  durability: Durability;
  memQueueSize: number;
  maxBytesPerFile: number;
  /** Bytes that a topic's segment files may have; 0 for no limit. */
  maxTopicBytes: number;
  /** Messages older than this are dropped; 0 for no limit. */
  maxTopicAge: number;
  /** How full the file system may be: `90%`, or the bytes that must stay free; `0` for no limit. */
  diskHighWater: string;
  onLimit: LimitAction;
  syncEvery: number;
  syncTimeout: number;
  /** How often files that few messages hold are compacted; 0 for never. */
  compactionInterval: number;
  cacheSize: number;
  msgTimeout: number;
  maxMsgTimeout: number;
  maxMsgSize: number;
  maxBodySize: number;
  maxReqTimeout: number;
  queueScanRefreshInterval: number;
  clientTimeout: number;
  maxHeartbeatInterval: number;
  maxRdyCount: number;
  maxOutputBufferSize: number;
  maxOutputBufferTimeout: number;
  minOutputBufferTimeout: number;
  outputBufferTimeout: number;
  maxChannelConsumers: number;
  deflate: boolean;
  maxDeflateLevel: number;
  snappy: boolean;
  /** Where HTTPS clients reach it, if there is a certificate; '' for nowhere. */
  httpsAddress: string;
  /** Paths of PEM files; '' for none. */
  tlsCert: string;
  tlsKey: string;
  tlsRootCaFile: string;
  tlsClientAuthPolicy: '' | 'require' | 'require-verify';
  /** `false`, `true` or `tcp-https`, or a word that Go takes for one of the first two. */
  tlsRequired: string;
  /** '' for nsqd's default, TLS 1.0. */
  tlsMinVersion: '' | 'tls1.0' | 'tls1.1' | 'tls1.2' | 'tls1.3';
  /** Servers that say what a client may do: `<host>:<port>`, or a URL. Without one, everybody may do everything. */
  authHttpAddresses: readonly string[];
  authHttpRequestMethod: 'get' | 'post';
  logLevel: LogLevel;
  logPrefix: string;
}

export type BrokerOptions = { [K in keyof BrokerSettings]?: BrokerSettings[K] | undefined } & {
  /** Takes the log lines; nothing is logged without one. */
  logger?: Logger | undefined;
};
