/** What a channel holds. */
export interface ChannelStats {
  /** Messages that wait to be delivered. */
  readonly depth: number;
  readonly inFlight: number;
  readonly deferred: number;
  /** Messages given back, since the channel was made. */
  readonly requeued: number;
  /** Messages whose time ran out, since the channel was made. */
  readonly timedOut: number;
}

/** Empty lists are null, as nsqd's are. */
interface StatsBody {
  readonly topics:
    | readonly {
        readonly topic_name: string;
        readonly depth: number;
        readonly channels:
          | readonly {
              readonly channel_name: string;
              readonly depth: number;
              readonly in_flight_count: number;
              readonly deferred_count: number;
              readonly requeue_count: number;
              readonly timeout_count: number;
            }[]
          | null;
      }[]
    | null;
}

/** Asks the broker; undefined when it has no such channel. */
export async function channelStats(
  httpAddress: string,
  topic: string,
  channel: string,
): Promise<ChannelStats | undefined> {
  const query = new URLSearchParams({ format: 'json', topic, channel });
  const response = await fetch(`http://${httpAddress}/stats?${query}`);
  const { topics } = (await response.json()) as StatsBody;
  const found = topics
    ?.find((one) => one.topic_name === topic)
    ?.channels?.find((one) => one.channel_name === channel);
  return (
    found && {
      depth: found.depth,
      inFlight: found.in_flight_count,
      deferred: found.deferred_count,
      requeued: found.requeue_count,
      timedOut: found.timeout_count,
    }
  );
}
