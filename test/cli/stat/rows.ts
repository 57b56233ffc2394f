import type { Sample } from '../../../src/cli/cluster/cluster.js';
import { NodeError } from '../../../src/cli/cluster/node-error.js';
import type { ChannelFigures, TopicStats } from '../../../src/cli/cluster/nsqd-stats.js';
import type { Row } from '../../../src/cli/stat/row.js';

export function channel(name: string, figures: Partial<ChannelFigures> = {}): ChannelFigures {
  return {
    ...{ name, paused: false, depth: 0, memory: 0, disk: 0, messages: 0 },
    ...{ inFlight: 0, deferred: 0, requeues: 0, timeouts: 0, connections: 0 },
    ...figures,
  };
}

export function topic(name: string, figures: Partial<TopicStats> = {}): TopicStats {
  return { name, paused: false, depth: 0, memory: 0, disk: 0, messages: 0, channels: [], ...figures };
}

/** What nsqds said at a time; undefined for one that said nothing. */
export function sample(
  at: number,
  nodes: Readonly<Record<string, readonly TopicStats[] | undefined>>,
): Sample {
  return {
    time: new Date(Date.UTC(2026, 0, 1) + at),
    nodes: Object.entries(nodes).map(([address, topics]) =>
      topics
        ? { address, at, stats: { version: '1.3.0', health: 'OK', topics } }
        : { address, error: new NodeError('E_UNREACHABLE', address, 'nobody there') },
    ),
    lookupFailures: [],
  };
}

export function row(topicName: string, channelName = '', figures: Partial<Row> = {}): Row {
  const ofChannel = channelName === '' ? undefined : 0;
  return {
    ...{ topic: topicName, channel: channelName, node: '', paused: false },
    ...{ depth: 0, memory: 0, disk: 0, messages: 0, rate: undefined, outRate: undefined },
    ...{ inFlight: ofChannel, deferred: ofChannel, requeues: ofChannel, timeouts: ofChannel },
    ...{ connections: ofChannel, ...figures },
  };
}
