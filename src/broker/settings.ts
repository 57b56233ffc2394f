import type { Logger, LogLevel } from './logger.js';

/** What an OK promises: written to the file, on stable storage, or in memory only. */
export const DURABILITIES = ['os', 'fsync', 'memory'] as const;
export type Durability = (typeof DURABILITIES)[number];

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
  maxDeflateLevel: number;
  logLevel: LogLevel;
  logPrefix: string;
}

export type BrokerOptions = { [K in keyof BrokerSettings]?: BrokerSettings[K] | undefined } & {
  /** Takes the log lines; nothing is logged without one. */
  logger?: Logger | undefined;
};
