import type { Slab } from '../log/slab.js';
import type { Place } from './proximity.js';

/** What a channel needs of a connection that subscribed to it. */
export interface Consumer {
  /** Where it says it is when it subscribes. */
  readonly place: Place;
  /** Share of the messages that it wants, in percent; 0 for all. */
  readonly sampleRate: number;
  /** Milliseconds it has for a message. */
  readonly msgTimeout: number;
  /** Messages that it takes at the moment: its RDY count less what it has in flight; none while its socket is full. */
  capacity(): number;
  /** Sends records as they stand in the log. The slab is to be held for as long as its bytes are not sent. */
  sendRecords(slab: Slab, start: number, end: number, count: number): void;
  /** Sends one record with another count of attempts. */
  sendAgain(slab: Slab, start: number, end: number, attempts: number): void;
  /** A message of it is not in flight any more although it did not say so: timed out, or the channel was emptied. */
  messagesGone(count: number): void;
  /** The channel is deleted. */
  channelClosed(): void;
}
