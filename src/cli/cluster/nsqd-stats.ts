import * as v from 'valibot';
import { isValidName } from '../../protocol/names.js';
import { NodeError, printable } from './node-error.js';

export interface TopicFigures {
  readonly name: string;
  readonly paused: boolean;
  /** Messages that wait; `memory` and `disk` are its parts. */
  readonly depth: number;
  readonly memory: number;
  readonly disk: number;
  /** Messages ever. */
  readonly messages: number;
}

export interface ChannelFigures extends TopicFigures {
  readonly inFlight: number;
  readonly deferred: number;
  readonly requeues: number;
  readonly timeouts: number;
  /** Consumers. */
  readonly connections: number;
}

export interface TopicStats extends TopicFigures {
  readonly channels: readonly ChannelFigures[];
}

/** What an nsqd's `/stats` says. */
export interface NsqdStats {
  readonly version: string;
  /** `OK`, or what is wrong. */
  readonly health: string;
  readonly topics: readonly TopicStats[];
}

const Count = v.optional(v.pipe(v.number(), v.finite()), 0);
const Name = v.pipe(v.string(), v.check(isValidName, 'a name that is none'));
const FIGURES = {
  depth: Count,
  backend_depth: Count,
  message_count: Count,
  paused: v.optional(v.boolean(), false),
};
const Channel = v.object({
  ...FIGURES,
  channel_name: Name,
  in_flight_count: Count,
  deferred_count: Count,
  requeue_count: Count,
  timeout_count: Count,
  client_count: v.optional(v.pipe(v.number(), v.finite())),
  // Before 1.2 there is no count, but always a list.
  clients: v.nullish(v.array(v.unknown())),
});
const Topic = v.object({ ...FIGURES, topic_name: Name, channels: v.nullish(v.array(Channel)) });
const Stats = v.object({
  version: v.optional(v.string(), ''),
  health: v.optional(v.string(), ''),
  topics: v.nullish(v.array(Topic)),
});

/** Throws {@link NodeError} when the answer is not nsqd's. */
export function readNsqdStats(address: string, json: unknown): NsqdStats {
  const result = v.safeParse(Stats, json, { abortEarly: true });
  // A lookupd or another server answers JSON too.
  if (!result.success || !('topics' in result.output)) {
    const where = result.issues?.[0] && v.getDotPath(result.issues[0]);
    const part = where ? ` at ${printable(where)}` : '';
    throw new NodeError(
      'E_ANSWER',
      address,
      `answered with something else than the statistics of nsqd${part}`,
    );
  }
  const { version, health, topics } = result.output;
  return { version: printable(version), health: printable(health), topics: (topics ?? []).map(topicStats) };
}

function topicStats(topic: v.InferOutput<typeof Topic>): TopicStats {
  return {
    ...figures(topic.topic_name, topic),
    channels: (topic.channels ?? []).map((channel) => ({
      ...figures(channel.channel_name, channel),
      inFlight: channel.in_flight_count,
      deferred: channel.deferred_count,
      requeues: channel.requeue_count,
      timeouts: channel.timeout_count,
      connections: channel.client_count ?? channel.clients?.length ?? 0,
    })),
  };
}

function figures(
  name: string,
  entry: Pick<v.InferOutput<typeof Topic>, 'depth' | 'backend_depth' | 'message_count' | 'paused'>,
): TopicFigures {
  const { depth, backend_depth: disk, message_count: messages, paused } = entry;
  return { name, paused, depth, memory: depth - disk, disk, messages };
}
