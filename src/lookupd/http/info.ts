import { parseQuery } from '../../http/query.js';
import type { Answer } from '../../http/route.js';
import type { Peer, Producer } from '../registration.js';
import { NSQLOOKUPD_VERSION } from '../version.js';
import { requiredParam } from './params.js';
import type { Request } from './routes.js';

const NANOSECONDS = 1e6;
/** Never: Go's zero time in nanoseconds since 1970, as near as a number comes to it. */
const NEVER = -6795364578871345000;

export function ping(): Answer {
  return 'OK';
}

export function info(): Answer {
  return { json: { version: NSQLOOKUPD_VERSION } };
}

export function topics({ lookupd }: Request): Answer {
  return { json: { topics: Array.from(lookupd.db.topics(), ({ name }) => name) } };
}

/** GET /channels?topic=…: none for a topic that is not there. */
export function channels({ lookupd, rawQuery }: Request): Answer {
  const topic = lookupd.db.topic(requiredParam(parseQuery(rawQuery), 'topic'));
  return { json: { channels: [...(topic?.channels.keys() ?? [])] } };
}

/** GET /debug: every registration that has a producer, with all that is known of it; all by name, as Go writes it. */
export function debug({ lookupd }: Request): Answer {
  const registrations: [key: string, producers: unknown[]][] = [];
  const clients = Array.from(lookupd.db.peers(), (peer) => describe(peer, undefined));
  if (clients.length > 0) registrations.push(['client::', clients]);
  for (const topic of lookupd.db.topics()) {
    const producers = [...topic.producers.values()];
    if (producers.length > 0)
      registrations.push([`topic:${topic.name}:`, producers.map((it) => describe(it.peer, it))]);
    for (const channel of topic.channels.values()) {
      if (channel.size === 0) continue;
      const those = channel.producers().map(({ peer }) => describe(peer, undefined));
      registrations.push([`channel:${topic.name}:${channel.name}`, those]);
    }
  }
  return { json: Object.fromEntries(registrations.sort(byKey)) };
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function describe({ info, lastUpdate }: Peer, producer: Producer | undefined): Record<string, unknown> {
  const tombstonedAt = producer?.tombstonedAt;
  return {
    broadcast_address: info.broadcast_address,
    hostname: info.hostname,
    http_port: info.http_port,
    id: info.remote_address,
    last_update: Math.round(lastUpdate * NANOSECONDS),
    tcp_port: info.tcp_port,
    tombstoned: tombstonedAt !== undefined,
    tombstoned_at: tombstonedAt === undefined ? NEVER : Math.round(tombstonedAt * NANOSECONDS),
    topology_region: info.topology_region,
    topology_zone: info.topology_zone,
    version: info.version,
  };
}
