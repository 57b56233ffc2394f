/** A connection's state, with nsqd's numbers for it. */
export const SessionState = { Init: 0, Subscribed: 3, Closing: 4 } as const;

/** How many messages a client published to a topic. */
export interface PubCount {
  topic: string;
  count: number;
}
