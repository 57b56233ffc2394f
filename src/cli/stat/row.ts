/** Everything that a report can say of a topic or a channel, summed over nsqds or at one of them. */
export interface Row {
  readonly topic: string;
  /** '' for the topic itself. */
  readonly channel: string;
  /** '' for the sum. */
  readonly node: string;
  readonly paused: boolean;
  /** Messages that wait: in the topic for a channel, in the channel for a consumer. `memory` and `disk` are its parts. */
  readonly depth: number;
  readonly memory: number;
  readonly disk: number;
  /** From here to `timeouts`, and `connections`: undefined for a topic. */
  readonly inFlight: number | undefined;
  readonly deferred: number | undefined;
  readonly requeues: number | undefined;
  readonly timeouts: number | undefined;
  /** Messages ever. */
  readonly messages: number;
  /** Messages that came, a second; undefined until two samples are there. */
  readonly rate: number | undefined;
  /** Messages that went, to the channels or to consumers, less those that came back, a second. */
  readonly outRate: number | undefined;
  /** Consumers. */
  readonly connections: number | undefined;
}

/** A report's columns that hold numbers. */
export type Measure = Exclude<keyof Row, 'topic' | 'channel' | 'node' | 'paused'>;

export const MEASURES = [
  'depth',
  'memory',
  'disk',
  'inFlight',
  'deferred',
  'requeues',
  'timeouts',
  'messages',
  'rate',
  'outRate',
  'connections',
] as const satisfies readonly Measure[];
