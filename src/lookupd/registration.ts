import type { LookupPeer } from '../protocol/lookup-commands.js';
import type { Channel } from './channel.js';

/** What the answers tell of a broker, in the order in which they tell it. */
export interface PeerInfo extends Required<LookupPeer> {
  /** Where its connection comes from: `host:port`. */
  readonly remote_address: string;
}

/**
 * The directory, as objects that name each other, so that no question walks through what it does not ask for:
 *
 *     Peer ─ producers ─> Producer <─ producers ─ Topic ─ channels ─> Channel
 *
 * There are as many producers as brokers times topics, and nearly all of a topic's have all of its channels: which ones
 * a producer has are bits of a number.
 */
export interface Peer {
  /** Its connection's remote address. */
  readonly id: string;
  readonly info: PeerInfo;
  /** When it last identified itself or pinged, in ms of the database's clock. */
  lastUpdate: number;
  /** False after a silence of the inactive time: it is left out of look-ups until it pings again. */
  active: boolean;
  /** One for each of its topics. */
  readonly producers: Set<Producer>;
}

export interface Topic {
  readonly name: string;
  readonly producers: Map<Peer, Producer>;
  readonly channels: Map<string, Channel>;
  /** Those of its channels. */
  takenBits: number;
  /** Another one after every change of what a look-up of this topic answers. */
  version: number;
}

/** One peer as a producer of one topic. */
export interface Producer {
  readonly peer: Peer;
  readonly topic: Topic;
  /** The bits of its channels. */
  channels: number;
  /** When it was last tombstoned, undefined if it never was. */
  tombstonedAt: number | undefined;
  /** Left out of look-ups of this topic, until the tombstone's life is over. */
  tombstoned: boolean;
}
