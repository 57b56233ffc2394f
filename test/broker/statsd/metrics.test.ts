import { describe, expect, it } from 'vitest';
import type { ChannelStats, TopicStats } from '../../../src/broker/stats/stats.js';
import { Metrics } from '../../../src/broker/statsd/metrics.js';

const NO_LATENCY = { count: 0, percentiles: null };

function channel(name: string, counts: Partial<ChannelStats> = {}): ChannelStats {
  return {
    channel_name: name,
    depth: 0,
    backend_depth: 0,
    in_flight_count: 0,
    deferred_count: 0,
    message_count: 0,
    requeue_count: 0,
    timeout_count: 0,
    client_count: 0,
    clients: null,
    paused: false,
    e2e_processing_latency: NO_LATENCY,
    ...counts,
  };
}

function topic(name: string, channels: ChannelStats[] = [], counts: Partial<TopicStats> = {}): TopicStats {
  return {
    topic_name: name,
    channels,
    depth: 0,
    backend_depth: 0,
    message_count: 0,
    message_bytes: 0,
    paused: false,
    e2e_processing_latency: NO_LATENCY,
    ...counts,
  };
}

const metrics = (excludeEphemeral = false): ((...topics: TopicStats[]) => string[]) => {
  const made = new Metrics('nsq.', excludeEphemeral);
  return (...topics) => [...made.lines(topics, undefined)].map((line) => line.replace('nsq.topic.', ''));
};

/** The lines of one key's end, without what they have in common. */
const of = (end: string, lines: string[]): string[] => lines.filter((line) => line.includes(`${end}:`));

describe('Metrics', () => {
  it('has the keys, types and order of nsqd', () => {
    const counts = { message_count: 3, depth: 1, backend_depth: 2, in_flight_count: 4, deferred_count: 5 };
    const c = channel('c.1', { ...counts, requeue_count: 6, timeout_count: 7, client_count: 8 });
    const t = topic('t#ephemeral', [c], {
      message_count: 9,
      message_bytes: 10,
      depth: 11,
      backend_depth: 12,
    });
    expect([...new Metrics('p.', false).lines([t], undefined)]).toEqual([
      'p.topic.t#ephemeral.message_count:9|c\n',
      'p.topic.t#ephemeral.message_bytes:10|c\n',
      'p.topic.t#ephemeral.depth:11|g\n',
      'p.topic.t#ephemeral.backend_depth:12|g\n',
      'p.topic.t#ephemeral.channel.c.1.message_count:3|c\n',
      'p.topic.t#ephemeral.channel.c.1.depth:1|g\n',
      'p.topic.t#ephemeral.channel.c.1.backend_depth:2|g\n',
      'p.topic.t#ephemeral.channel.c.1.in_flight_count:4|g\n',
      'p.topic.t#ephemeral.channel.c.1.deferred_count:5|g\n',
      'p.topic.t#ephemeral.channel.c.1.requeue_count:6|c\n',
      'p.topic.t#ephemeral.channel.c.1.timeout_count:7|c\n',
      'p.topic.t#ephemeral.channel.c.1.clients:8|g\n',
    ]);
  });

  it('counts what was added since the push before, and gauges what is', () => {
    const lines = metrics();
    lines(
      topic('t', [channel('c', { requeue_count: 2 })], { message_count: 5, message_bytes: 50, depth: 3 }),
    );
    const next = lines(
      topic('t', [channel('c', { requeue_count: 2 })], { message_count: 7, message_bytes: 70, depth: 3 }),
    );
    expect(of('t.message_count', next)).toEqual(['t.message_count:2|c\n']);
    expect(of('message_bytes', next)).toEqual(['t.message_bytes:20|c\n']);
    expect(of('t.depth', next)).toEqual(['t.depth:3|g\n']);
    expect(of('requeue_count', next)).toEqual(['t.channel.c.requeue_count:0|c\n']);
  });

  it('says as nsqd does that a topic began anew: with what it has less than before', () => {
    const lines = metrics();
    lines(topic('t', [], { message_count: 5 }));
    expect(of('t.message_count', lines(topic('t', [], { message_count: 1 })))).toEqual([
      't.message_count:-4|c\n',
    ]);
  });

  it('counts from 0 what was away for a push', () => {
    const lines = metrics();
    const t = topic('t', [channel('c', { message_count: 5 })], { message_count: 5 });
    lines(t);
    lines();
    expect(of('message_count', lines(t))).toEqual([
      't.message_count:5|c\n',
      't.channel.c.message_count:5|c\n',
    ]);
  });

  it('does not take a topic of the same key for a channel', () => {
    const lines = metrics();
    const topics = [
      topic('a', [channel('b', { message_count: 5 })]),
      topic('a.channel.b', [], { message_count: 9 }),
    ];
    lines(...topics);
    expect(of('b.message_count', lines(...topics))).toEqual([
      'a.channel.b.message_count:0|c\n',
      'a.channel.b.message_count:0|c\n',
    ]);
  });

  it('leaves ephemeral names out if asked to', () => {
    const topics = [
      topic('t', [channel('c#ephemeral'), channel('ephemeral')]),
      topic('e#ephemeral', [channel('c')]),
    ];
    expect(of('depth', metrics(true)(...topics)).filter((line) => !line.includes('backend'))).toEqual([
      't.depth:0|g\n',
      't.channel.ephemeral.depth:0|g\n',
    ]);
    expect(of('depth', metrics()(...topics))).not.toHaveLength(4);
  });

  it('has the percentiles that there are, named and cut as Go does it', () => {
    const quantiles = [1, 0.99, 0.995, 0.985, 0.125, 0.999, 0.5];
    const e2e_processing_latency = {
      count: 1,
      percentiles: quantiles.map((quantile, index) => ({ quantile, value: 1_234_567.9 + index })),
    };
    const lines = metrics()(
      topic('t', [channel('c', { e2e_processing_latency })], { e2e_processing_latency }),
    );
    const names = ['100', '99', '100', '98', '12', '100', '50'];
    const expected = names.map((name, index) => `e2e_processing_latency_${name}:${1_234_567 + index}|g\n`);
    expect(lines.slice(4, 11)).toEqual(expected.map((line) => `t.${line}`));
    expect(lines.slice(19)).toEqual(expected.map((line) => `t.channel.c.${line}`));
  });

  it('ends with the figures of memory', () => {
    const memory = {
      heap_objects: 1,
      heap_idle_bytes: 2,
      heap_in_use_bytes: 3,
      heap_released_bytes: 4,
      gc_pause_usec_100: 5,
      gc_pause_usec_99: 6,
      gc_pause_usec_95: 7,
      next_gc_bytes: 8,
      gc_total_runs: 9,
    };
    const made = new Metrics('', false);
    expect([...made.lines([], memory)].join('')).toBe(
      'mem.heap_objects:1|g\nmem.heap_idle_bytes:2|g\nmem.heap_in_use_bytes:3|g\nmem.heap_released_bytes:4|g\n' +
        'mem.gc_pause_usec_100:5|g\nmem.gc_pause_usec_99:6|g\nmem.gc_pause_usec_95:7|g\nmem.next_gc_bytes:8|g\n' +
        'mem.gc_runs:9|c\n',
    );
    expect([...made.lines([], { ...memory, gc_total_runs: 12 })].at(-1)).toBe('mem.gc_runs:3|c\n');
  });
});
