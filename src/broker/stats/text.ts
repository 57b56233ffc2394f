import { formatDuration } from '../../protocol/duration.js';
import type { Broker } from '../broker.js';
import { latencyText } from '../latency/latency-stats.js';
import type { MemoryStats } from './memory.js';
import type { BrokerStats, ChannelStats, ClientStats, TopicStats } from './stats.js';

/** `/stats` as text, in nsqd's layout, which scripts cut into columns. */
export function statsText(broker: Broker, stats: BrokerStats, memory: MemoryStats | undefined): string {
  const uptime = Date.now() - broker.startedAt;
  const lines = [
    `nsqd v${broker.version} (built w/node${process.versions.node})`,
    `start_time ${rfc3339(broker.startedAt)}`,
    `uptime ${formatDuration(uptime)}`,
    '',
    `Health: ${broker.health}`,
  ];
  if (memory) {
    lines.push('', 'Memory:');
    for (const [name, value] of Object.entries(memory)) lines.push(`   ${name.padEnd(25)}\t${value}`);
  }
  const topics = stats.topics ?? [];
  lines.push('', topics.length === 0 ? 'Topics: None' : 'Topics:');
  topics.forEach((topic, index) => {
    if (index > 0) lines.push('');
    lines.push(topicLine(topic));
    for (const channel of topic.channels) {
      lines.push(channelLine(channel));
      for (const client of channel.clients ?? []) lines.push(`        ${clientLine(client)}`);
    }
  });
  const producers = stats.producers ?? [];
  lines.push('', producers.length === 0 ? 'Producers: None' : 'Producers:');
  for (const client of producers) lines.push(`   ${clientLine(client)}`);
  return `${lines.join('\n')}\n`;
}

function topicLine(topic: TopicStats): string {
  const paused = topic.paused ? '*P ' : '   ';
  return `${paused}[${pad(topic.topic_name, 15)}] depth: ${pad(topic.depth, 5)} be-depth: ${pad(topic.backend_depth, 5)} msgs: ${pad(topic.message_count, 8)} e2e%: ${lineEnd(topic)}`;
}

function channelLine(channel: ChannelStats): string {
  const paused = channel.paused ? '   *P ' : '      ';
  return (
    `${paused}[${pad(channel.channel_name, 25)}] depth: ${pad(channel.depth, 5)}` +
    ` be-depth: ${pad(channel.backend_depth, 5)} inflt: ${pad(channel.in_flight_count, 4)}` +
    ` def: ${pad(channel.deferred_count, 4)} re-q: ${pad(channel.requeue_count, 5)}` +
    ` timeout: ${pad(channel.timeout_count, 5)} msgs: ${pad(channel.message_count, 8)} e2e%: ${lineEnd(channel)}`
  );
}

function clientLine(client: ClientStats): string {
  const connected = formatDuration(Math.max(0, Math.floor(Date.now() / 1000) - client.connect_ts) * 1000);
  const port = /:(\d+)$/.exec(client.remote_address)?.[1] ?? '';
  const id = pad(`${client.hostname}:${port} ${client.user_agent}`, 21);
  if (client.pub_counts) {
    const total = client.pub_counts.reduce((sum, { count }) => sum + count, 0);
    const topics = client.pub_counts.map(({ topic, count }) => `${topic}=${count}`).join(',');
    return `[${client.version} ${id}] msgs: ${pad(total, 8)} topics: ${topics} connected: ${connected}`;
  }
  return (
    `[${client.version} ${id}] state: ${client.state} inflt: ${pad(client.in_flight_count, 4)}` +
    ` rdy: ${pad(client.ready_count, 4)} fin: ${pad(client.finish_count, 8)} re-q: ${pad(client.requeue_count, 8)}` +
    ` msgs: ${pad(client.message_count, 8)} connected: ${connected}`
  );
}

/** What was dropped is not in nsqd: it comes last, and only if there is something to say. */
function lineEnd({
  e2e_processing_latency: latency,
  dropped_count: count = 0,
}: TopicStats | ChannelStats): string {
  const times = latencyText(latency);
  if (count === 0) return times;
  return `${times}${times === '' ? '' : ' '}dropped: ${count}`;
}

function pad(value: string | number, width: number): string {
  return String(value).padEnd(width);
}

/** Without a fraction, as Go prints it. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
