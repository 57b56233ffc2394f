import type { MemoryStats } from '../stats/memory.js';
import type { ChannelStats, TopicStats } from '../stats/stats.js';

const EPHEMERAL = '#ephemeral';

/**
 * The lines of each push: gauges, and counters, which are what was added since the push before. Keys, types and order are
 * those of nsqd (nsqd/statsd.go).
 */
export class Metrics {
  readonly #prefix: string;
  readonly #excludeEphemeral: boolean;
  #topics = new Map<string, TopicStats>();
  /** By `topic:channel`; no name has a colon in it. */
  #channels = new Map<string, ChannelStats>();
  #gcRuns = 0;

  /** @param prefix what every key begins with */
  constructor(prefix: string, excludeEphemeral: boolean) {
    this.#prefix = prefix;
    this.#excludeEphemeral = excludeEphemeral;
  }

  /** Each line with its `\n`. What was not there at the push before counts from 0, even if it was there earlier. */
  *lines(topics: readonly TopicStats[], memory: MemoryStats | undefined): Generator<string> {
    const wasTopics = this.#topics;
    const wasChannels = this.#channels;
    this.#topics = new Map();
    this.#channels = new Map();
    for (const topic of topics) {
      const { topic_name: name } = topic;
      if (this.#isLeftOut(name)) continue;
      const key = `${this.#prefix}topic.${name}.`;
      yield* topicLines(key, topic, wasTopics.get(name));
      this.#topics.set(name, topic);
      for (const channel of topic.channels) {
        if (this.#isLeftOut(channel.channel_name)) continue;
        const id = `${name}:${channel.channel_name}`;
        yield* channelLines(`${key}channel.${channel.channel_name}.`, channel, wasChannels.get(id));
        this.#channels.set(id, channel);
      }
    }
    if (memory) yield* this.#memoryLines(memory);
  }

  #isLeftOut(name: string): boolean {
    return this.#excludeEphemeral && name.endsWith(EPHEMERAL);
  }

  #memoryLines({ gc_total_runs: runs, ...gauges }: MemoryStats): string[] {
    const was = this.#gcRuns;
    this.#gcRuns = runs;
    return [
      ...Object.entries(gauges).map(([name, value]) => gauge(`${this.#prefix}mem.${name}`, value)),
      counter(`${this.#prefix}mem.gc_runs`, runs, was),
    ];
  }
}

function topicLines(key: string, now: TopicStats, was: TopicStats | undefined): string[] {
  return [
    counter(`${key}message_count`, now.message_count, was?.message_count),
    counter(`${key}message_bytes`, now.message_bytes, was?.message_bytes),
    gauge(`${key}depth`, now.depth),
    gauge(`${key}backend_depth`, now.backend_depth),
    ...latencyLines(key, now),
  ];
}

function channelLines(key: string, now: ChannelStats, was: ChannelStats | undefined): string[] {
  return [
    counter(`${key}message_count`, now.message_count, was?.message_count),
    gauge(`${key}depth`, now.depth),
    gauge(`${key}backend_depth`, now.backend_depth),
    gauge(`${key}in_flight_count`, now.in_flight_count),
    gauge(`${key}deferred_count`, now.deferred_count),
    counter(`${key}requeue_count`, now.requeue_count, was?.requeue_count),
    counter(`${key}timeout_count`, now.timeout_count, was?.timeout_count),
    gauge(`${key}clients`, now.client_count),
    ...latencyLines(key, now),
  ];
}

function latencyLines(key: string, { e2e_processing_latency: latency }: TopicStats | ChannelStats): string[] {
  return (latency.percentiles ?? []).map(({ quantile, value }) =>
    gauge(`${key}e2e_processing_latency_${toEven(quantile * 100)}`, Math.trunc(value)),
  );
}

function counter(key: string, now: number, was = 0): string {
  return `${key}:${now - was}|c\n`;
}

function gauge(key: string, value: number): string {
  return `${key}:${value}|g\n`;
}

/** Rounds halves to the even number, as Go's `%.0f`. */
function toEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
