import type { NodeSample, Sample } from '../cluster/cluster.js';
import type { NodeError } from '../cluster/node-error.js';
import type { ChannelFigures, TopicFigures } from '../cluster/nsqd-stats.js';
import { type NodeRates, ratesBetween } from './rates.js';
import { MEASURES, type Row } from './row.js';

/** A broker in a report. */
interface NodeState {
  readonly address: string;
  readonly version: string;
  readonly health: string;
  /** Why it has not answered. */
  readonly error: NodeError | undefined;
}

/** What one interval has brought. */
export interface Report {
  readonly time: Date;
  readonly nodes: readonly NodeState[];
  readonly lookupFailures: readonly NodeError[];
  /** By topic, channel and node; a topic's own row before those of its channels. */
  readonly rows: readonly Row[];
}

export interface ReportOptions {
  readonly earlier?: Sample | undefined;
  readonly intervalMs: number;
  /** A row for each nsqd in place of their sum. */
  readonly perNode: boolean;
}

export function makeReport(sample: Sample, { earlier, intervalMs, perNode }: ReportOptions): Report {
  const rates = ratesBetween(earlier, sample, intervalMs);
  const rows = sample.nodes.flatMap((node) => nodeRows(node, rates.get(node.address)));
  return {
    time: sample.time,
    nodes: sample.nodes.map(nodeState),
    lookupFailures: sample.lookupFailures,
    rows: (perNode ? rows : summed(rows)).sort(byName),
  };
}

/** Everything that has not answered: the report leaves it out. */
export function failuresOf({ nodes, lookupFailures }: Report): NodeError[] {
  return [...nodes.flatMap(({ error }) => error ?? []), ...lookupFailures];
}

export function byName(one: Row, other: Row): number {
  return (
    compare(one.topic, other.topic) || compare(one.channel, other.channel) || compare(one.node, other.node)
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function nodeState(node: NodeSample): NodeState {
  if ('error' in node) return { address: node.address, version: '', health: '', error: node.error };
  const { version, health } = node.stats;
  return { address: node.address, version, health, error: undefined };
}

function nodeRows(node: NodeSample, rates: NodeRates | undefined): Row[] {
  if (!('stats' in node)) return [];
  return node.stats.topics.flatMap((topic) => [
    row(node.address, topic.name, '', topic, rates),
    ...topic.channels.map((channel) => row(node.address, topic.name, channel.name, channel, rates)),
  ]);
}

function row(
  node: string,
  topic: string,
  channel: string,
  figures: TopicFigures & { [K in keyof ChannelFigures]?: ChannelFigures[K] },
  rates: NodeRates | undefined,
): Row {
  const { paused, depth, memory, disk, messages, inFlight, deferred, requeues, timeouts, connections } =
    figures;
  const { rate, outRate } = rates?.of(topic, channel, figures) ?? {};
  return {
    ...{ topic, channel, node, paused, depth, memory, disk, inFlight, deferred, requeues, timeouts },
    ...{ messages, rate, outRate, connections },
  };
}

/** Rows of the same topic and channel as one. */
function summed(rows: readonly Row[]): Row[] {
  const sums = new Map<string, Row>();
  for (const one of rows) {
    const key = `${one.topic}/${one.channel}`;
    const sum = sums.get(key);
    sums.set(key, sum ? add(sum, one) : { ...one, node: '' });
  }
  return [...sums.values()];
}

function add(sum: Row, one: Row): Row {
  const measures = MEASURES.map((name) => {
    const [left, right] = [sum[name], one[name]];
    return [name, left === undefined ? right : left + (right ?? 0)] as const;
  });
  return { ...sum, paused: sum.paused || one.paused, ...Object.fromEntries(measures) };
}
