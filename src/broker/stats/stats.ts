import type { SessionAuth } from '../auth/session-auth.js';
import type { Broker } from '../broker.js';
import type { Channel } from '../channel.js';
import type { Consumers } from '../delivery/consumers.js';
import { type LatencyStats, latencyStats } from '../latency/latency-stats.js';
import { Session } from '../tcp/session.js';
import type { PubCount } from '../tcp/session-state.js';
import { type TlsStats, tlsStats } from '../tls/tls-stats.js';
import type { Topic } from '../topic.js';

/** A client in `/stats`; names and order of the fields are nsqd's. */
export interface ClientStats extends TlsStats {
  client_id: string;
  hostname: string;
  version: 'V2';
  remote_address: string;
  state: number;
  ready_count: number;
  in_flight_count: number;
  message_count: number;
  finish_count: number;
  requeue_count: number;
  connect_ts: number;
  sample_rate: number;
  deflate: boolean;
  snappy: boolean;
  user_agent: string;
  /** Left out while it is not authorized. */
  authed?: boolean;
  auth_identity?: string;
  auth_identity_url?: string;
  topology_zone: string;
  topology_region: string;
  pub_counts?: PubCount[];
}

export interface ChannelStats {
  channel_name: string;
  depth: number;
  backend_depth: number;
  in_flight_count: number;
  deferred_count: number;
  message_count: number;
  /** Deliveries to consumers of the broker's zone, of its region and elsewhere, each left out while there is none. */
  zone_local_msg_count?: number;
  region_local_msg_count?: number;
  global_msg_count?: number;
  requeue_count: number;
  timeout_count: number;
  client_count: number;
  clients: ClientStats[] | null;
  paused: boolean;
  e2e_processing_latency: LatencyStats;
  /** Messages that a limit dropped, left out while there is none; not in nsqd. */
  dropped_count?: number;
}

export interface TopicStats {
  topic_name: string;
  channels: ChannelStats[];
  depth: number;
  backend_depth: number;
  message_count: number;
  message_bytes: number;
  paused: boolean;
  e2e_processing_latency: LatencyStats;
  /** Messages that a limit dropped, once for each channel, left out while there is none; not in nsqd. */
  dropped_count?: number;
}

export interface BrokerStats {
  /** `null` if one topic was asked for and there is none of its name. */
  topics: TopicStats[] | null;
  producers: ClientStats[] | null;
}

export interface StatsFilter {
  /** Only this topic; empty for all. */
  topic: string;
  /** Only this channel; empty for all. */
  channel: string;
  clients: boolean;
}

export function collectStats(broker: Broker, filter: StatsFilter): BrokerStats {
  const wanted = filter.topic === '' ? [...broker.topics.values()] : [broker.topics.get(filter.topic)];
  if (wanted.length === 1 && wanted[0] === undefined) return { topics: null, producers: null };
  const topics: TopicStats[] = [];
  for (const topic of byName(wanted.filter((it) => it !== undefined))) {
    if (filter.channel !== '' && !topic.channels.has(filter.channel)) continue;
    topics.push(topicStats(topic, filter));
  }
  const producers: ClientStats[] = [];
  if (filter.clients) {
    for (const session of broker.tcp.sessions) {
      if (session.pubCounts.size > 0) producers.push(clientStats(session, filter.topic));
    }
  }
  return { topics, producers: producers.length > 0 ? producers : null };
}

function topicStats(topic: Topic, filter: StatsFilter): TopicStats {
  const channels = byName([...topic.channels.values()]).filter(
    ({ name }) => filter.channel === '' || name === filter.channel,
  );
  return {
    topic_name: topic.name,
    channels: channels.map((channel) => channelStats(channel, filter)),
    depth: topic.depth,
    backend_depth: topic.backendDepth,
    message_count: topic.messageCount,
    message_bytes: topic.messageBytes,
    paused: topic.paused,
    e2e_processing_latency: latencyStats(
      topic.channels.values(),
      topic.settings.e2eProcessingLatencyPercentiles,
    ),
    ...dropped(topic.limits.droppedCount),
  };
}

/** What nsqd does not have stays out of sight until there is something to say. */
function dropped(count: number): { dropped_count?: number } {
  return count > 0 ? { dropped_count: count } : {};
}

function channelStats(channel: Channel, filter: StatsFilter): ChannelStats {
  const sessions = [...channel.consumers].filter((consumer) => consumer instanceof Session);
  return {
    channel_name: channel.name,
    depth: channel.depth,
    backend_depth: channel.backendDepth,
    in_flight_count: channel.inFlightCount,
    deferred_count: channel.deferredCount,
    message_count: channel.messageCount,
    ...deliveryCounts(channel.consumers),
    requeue_count: channel.requeueCount,
    timeout_count: channel.timeoutCount,
    client_count: channel.consumers.size,
    clients: filter.clients ? sessions.map((session) => clientStats(session, filter.topic)) : null,
    paused: channel.paused,
    e2e_processing_latency: latencyStats([channel], channel.topic.settings.e2eProcessingLatencyPercentiles),
    ...dropped(channel.droppedCount),
  };
}

function deliveryCounts(consumers: Consumers): Partial<ChannelStats> {
  const zone = consumers.deliveryCount('zone');
  const region = consumers.deliveryCount('region');
  const global = consumers.deliveryCount('global');
  return {
    ...(zone > 0 && { zone_local_msg_count: zone }),
    ...(region > 0 && { region_local_msg_count: region }),
    ...(global > 0 && { global_msg_count: global }),
  };
}

function clientStats(session: Session, topic: string): ClientStats {
  const { settings } = session;
  const pubCounts = [...session.pubCounts.values()].filter((it) => topic === '' || it.topic === topic);
  return {
    client_id: settings.clientId,
    hostname: settings.hostname,
    version: 'V2',
    remote_address: session.remoteAddress,
    state: session.state,
    ready_count: session.readyCount,
    in_flight_count: session.inFlightCount,
    message_count: session.messageCount,
    finish_count: session.finishCount,
    requeue_count: session.requeueCount,
    connect_ts: Math.floor(session.connectedAt / 1000),
    sample_rate: settings.sampleRate,
    deflate: (session.upgradedBy?.deflateLevel ?? 0) > 0,
    snappy: session.upgradedBy?.snappy ?? false,
    user_agent: settings.userAgent,
    ...authStats(session.auth),
    topology_zone: settings.topologyZone,
    topology_region: settings.topologyRegion,
    ...(pubCounts.length > 0 && {
      pub_counts: pubCounts.map(({ topic: name, count }) => ({ topic: name, count })),
    }),
    ...tlsStats(session.secured),
  };
}

/** Empty fields are left out, as Go leaves them out. */
function authStats(auth: SessionAuth | undefined): Partial<ClientStats> {
  const { identity = '', identityUrl = '' } = auth?.permissions ?? {};
  return {
    ...(auth?.isAuthorized && { authed: true }),
    ...(identity !== '' && { auth_identity: identity }),
    ...(identityUrl !== '' && { auth_identity_url: identityUrl }),
  };
}

function byName<T extends { name: string }>(items: T[]): T[] {
  return items.sort((a, b) => (a.name < b.name ? -1 : 1));
}
