import { hostname } from 'node:os';
import { HttpError } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import type { Request } from './routes.js';

const NANOSECONDS = 1e6;

export function ping({ broker }: Request): Answer {
  if (!broker.healthy) throw new HttpError(500, broker.health);
  return broker.health;
}

/** Who this broker is. Durations are in nanoseconds, as Go encodes them. */
export function info({ broker }: Request): Answer {
  const { settings } = broker;
  return {
    json: {
      version: broker.version,
      broadcast_address: settings.broadcastAddress,
      hostname: hostname(),
      http_port: portOf(broker.httpAddress),
      tcp_port: portOf(broker.tcpAddress),
      start_time: Math.floor(broker.startedAt / 1000),
      max_heartbeat_interval: settings.maxHeartbeatInterval * NANOSECONDS,
      max_output_buffer_size: settings.maxOutputBufferSize,
      max_output_buffer_timeout: settings.maxOutputBufferTimeout * NANOSECONDS,
      max_deflate_level: settings.maxDeflateLevel,
      topology_zone: settings.topologyZone,
      topology_region: settings.topologyRegion,
    },
  };
}

/** -1 for a unix socket. */
export function portOf(address: string): number {
  const match = /:(\d+)$/.exec(address);
  return match ? Number(match[1]) : -1;
}
