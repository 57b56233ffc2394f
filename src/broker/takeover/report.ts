/** What became of one of nsqd's topics. */
export interface TopicReport {
  readonly name: string;
  readonly paused: boolean;
  /**
   * `imported`: now, or by an earlier start that was interrupted. `left`: not, since there is another topic of that name;
   * its files are where they were.
   */
  readonly outcome: 'imported' | 'left';
  /** Records in its log. */
  readonly messages: number;
  /** Bytes of their bodies. */
  readonly bytes: number;
  /** Of these, those that no channel had got yet. */
  readonly waiting: number;
  readonly channels: readonly ChannelReport[];
}

export interface ChannelReport {
  readonly name: string;
  readonly paused: boolean;
  /** Messages of its own, those that wait for all channels not counted. */
  readonly messages: number;
}

/** What an import from nsqd came to. */
export interface TakeoverReport {
  /** Where nsqd's files are now; empty if there were none. */
  readonly movedTo: string;
  readonly topics: readonly TopicReport[];
  /** What was not in order, a line each. */
  readonly warnings: readonly string[];
}

export const NOTHING_TAKEN_OVER: TakeoverReport = { movedTo: '', topics: [], warnings: [] };
