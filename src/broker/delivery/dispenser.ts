import { MAX_ATTEMPTS } from '../../protocol/message.js';
import type { Consumer } from './consumer.js';
import type { Cursor } from './cursor.js';
import { Run } from './in-flight.js';
import type { Skip, Skips } from './skips.js';
import type { Taken } from './taken.js';

/** Records are handed to one consumer in pieces of at most so many bytes, so that others get their share of a turn. */
const PIECE = 256 * 1024;

/** Hands a channel's messages to one consumer: new ones from the log, and those that are to be sent again. */
export class Dispenser {
  readonly #cursor: Cursor;
  readonly #taken: Taken;
  readonly #skips: Skips;
  readonly #pumped: () => number;
  readonly #timeoutsFrom: number;
  /** Held messages have the next turn; they and new ones take turns, so that neither starves. */
  #heldNext = true;

  /**
   * @param pumped messages before this number may be read
   * @param timeoutsFrom timeouts before this time (monotonic, ms) are held back until it
   */
  constructor(cursor: Cursor, taken: Taken, skips: Skips, pumped: () => number, timeoutsFrom: number) {
    this.#cursor = cursor;
    this.#taken = taken;
    this.#skips = skips;
    this.#pumped = pumped;
    this.#timeoutsFrom = timeoutsFrom;
  }

  /** Gives a consumer up to `share` messages, held and new ones in turn. How many it got. */
  serve(consumer: Consumer, share: number, now: number): number {
    let quota = Math.min(share, consumer.capacity());
    let given = 0;
    while (quota > 0) {
      const heldFirst = this.#heldNext;
      this.#heldNext = !heldFirst;
      let got = heldFirst ? this.#serveHeld(consumer, Math.ceil(quota / 2), now) : 0;
      if (got === 0) got = this.#serveFresh(consumer, quota, now);
      if (got === 0 && !heldFirst) got = this.#serveHeld(consumer, quota, now);
      if (got === 0) break;
      given += got;
      quota = Math.min(quota - got, consumer.capacity());
    }
    return given;
  }

  #serveHeld(consumer: Consumer, quota: number, now: number): number {
    let given = 0;
    for (; given < quota && consumer.capacity() > 0; given++) {
      const found = this.#taken.nextWaiting();
      if (!found) break;
      const { held, slab, start, end } = found;
      const attempts = Math.min(held.attempts + 1, MAX_ATTEMPTS);
      consumer.sendAgain(slab, start, end, attempts);
      const deadline = this.#deadlineOf(consumer, now);
      this.#taken.sentAgain(new Run(consumer, held.n, 1, held.segment, attempts, now, deadline), slab, start);
    }
    return given;
  }

  #serveFresh(consumer: Consumer, quota: number, now: number): number {
    const cursor = this.#cursor;
    if (!this.#openCursor()) return 0;
    const bound = this.#skips.first?.from ?? Number.POSITIVE_INFINITY;
    if (consumer.sampleRate > 0) return this.#serveSample(consumer, now);
    const { n, at, segment } = cursor;
    let count = Math.min(quota, cursor.left, bound - n);
    let end = cursor.endOf(count);
    if (end - at > PIECE && count > 1) {
      count = Math.max(1, Math.floor((count * PIECE) / (end - at)));
      end = cursor.endOf(count);
    }
    consumer.sendRecords(cursor.slab, at, end, count);
    const deadline = this.#deadlineOf(consumer, now);
    this.#taken.sent(new Run(consumer, n, count, segment, 1, now, deadline), cursor.slab, at);
    cursor.advance(count, end);
    return count;
  }

  /** One message for a consumer that wants a share of them: others are finished without being sent. */
  #serveSample(consumer: Consumer, now: number): number {
    const cursor = this.#cursor;
    const { n, at, segment } = cursor;
    const end = cursor.endOf(1);
    // nsqd lets a message through when a number from 0 to 99 is not above the rate.
    if (Math.floor(Math.random() * 100) > consumer.sampleRate) {
      cursor.advance(1, end);
      this.#taken.passOver(n, segment);
      return 1;
    }
    consumer.sendRecords(cursor.slab, at, end, 1);
    const deadline = this.#deadlineOf(consumer, now);
    this.#taken.sent(new Run(consumer, n, 1, segment, 1, now, deadline), cursor.slab, at);
    cursor.advance(1, end);
    return 1;
  }

  /** Stands the cursor at the next message to deliver, past what is skipped. */
  #openCursor(): boolean {
    for (;;) {
      const skip = this.#skips.first;
      if (skip && this.#cursor.n >= skip.from) {
        this.#passSkip(skip);
        continue;
      }
      const limit = Math.min(this.#pumped(), skip?.from ?? Number.POSITIVE_INFINITY);
      if (this.#cursor.open(limit)) return true;
      if (!skip || this.#cursor.n < skip.from) return false;
    }
  }

  #passSkip(skip: Skip): void {
    this.#skips.shift();
    if (this.#cursor.n < skip.to) this.#cursor.seek(skip.to);
  }

  #deadlineOf(consumer: Consumer, now: number): number {
    return Math.max(now + consumer.msgTimeout, this.#timeoutsFrom);
  }
}
