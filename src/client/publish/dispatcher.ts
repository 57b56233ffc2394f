import { Fifo } from '../fifo.js';
import type { ProducerSettings } from '../options.js';
import { OpenParcels } from './open-parcels.js';
import { Parcel, type ParcelOwner } from './parcel.js';
import type { Pending } from './pending.js';
import type { Pool } from './pool.js';

/** Parcels that nobody waits for any more, from which the queue is tidied. */
const STALE_LIMIT = 1000;
/** Between an outcome and the next call, at most, when calls wait for each other; ms. */
const AWAITED = 1;
const NOTHING = Buffer.alloc(0);
const RESOLVED = Promise.resolve();

/**
 * Takes calls to brokers. Those of one turn of the event loop, and those that have to wait, gather in parcels; calls
 * for one topic stay in their order. A call that follows the outcome of the only one under way does not wait for the
 * turn's end.
 *
 *     call ─→ its topic's open parcel, or a new one ─→ queue ─(turn's end, room, a connection)─→ node
 *                                                        ↑                                        │
 *                                                        └──────────────── returned ──────────────┘
 */
export class Dispatcher implements ParcelOwner {
  readonly retryLost: boolean;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  readonly #autoBatch: boolean;
  readonly #pool: Pool;
  /** Not handed to a connection yet, in order. */
  readonly #queue = new Fifo<Parcel>();
  /** Of these, by topic, the last one, if calls may still be added to it. */
  readonly #open = new OpenParcels();
  /** To be put in front of the queue. */
  #returned: Parcel[] = [];
  /** Of the queue, at most so many that nobody waits for. */
  #stale = 0;
  #isScheduled = false;
  /** Handed to connections and not answered, calls given up since included. */
  #sentCount = 0;
  #sentBytes = 0;
  /** When a connection was last done with a parcel: `performance.now()`. */
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: ProducerSettings, pool: Pool) {
    this.#pool = pool;
    this.retryLost = settings.retryLost;
    this.maxPending = settings.maxPending;
    this.maxPendingBytes = settings.maxPendingBytes;
    this.#autoBatch = settings.autoBatch;
  }

  /** @param now `performance.now()` */
  add(call: Pending, now: number): void {
    const open = this.#open.get(call.topic);
    if (!this.#autoBatch || !Parcel.isJoinable(call)) {
      // What comes later must not overtake it.
      if (open) this.#open.delete(open);
      this.#push(call);
    } else if (!open?.add(call)) {
      if (open) this.#send();
      this.#open.add(this.#push(call));
    }
    if (this.#isAwaited(now)) this.#scheduleSoon();
    else this.schedule();
  }

  /** A call has its outcome. */
  settled(call: Pending): void {
    const { parcel } = call;
    if (!parcel?.isWaiting) return;
    call.command = NOTHING;
    parcel.dropped();
    if (!parcel.isStale) return;
    this.#open.delete(parcel);
    this.#stale++;
    if (this.#stale <= STALE_LIMIT || this.#stale <= this.#queue.size / 2) return;
    this.#stale = 0;
    this.#queue.filter((queued) => !queued.isStale);
  }

  /** Sends what can be sent, at the end of the turn. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#onTurn);
  }

  ended(parcel: Parcel): void {
    this.#endedAt = performance.now();
    this.#sentCount -= parcel.calls.length;
    this.#sentBytes -= parcel.bytes;
    if (parcel.node) parcel.node.isSuspect = false;
    if (this.#queue.size > 0) this.schedule();
  }

  returned(parcel: Parcel): void {
    this.#returned.push(parcel);
    this.schedule();
  }

  /** Whether it looks as if each call is made when the one before has its outcome. */
  #isAwaited(now: number): boolean {
    return this.#sentCount === 0 && now - this.#endedAt < AWAITED;
  }

  /** Sends behind what runs now, with all that it calls for: whoever waits is spared the rest of the turn. */
  #scheduleSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void RESOLVED.then(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#isScheduled = false;
    this.#send();
    this.#pool.flush();
  };

  #push(call: Pending): Parcel {
    const parcel = new Parcel(this, call);
    this.#queue.push(parcel);
    return parcel;
  }

  #restore(): void {
    if (this.#returned.length === 0) return;
    const parcels = this.#returned.sort((a, b) => a.number - b.number);
    this.#returned = [];
    for (const parcel of parcels.reverse()) {
      parcel.isWaiting = true;
      this.#queue.unshift(parcel);
    }
  }

  #send(): void {
    this.#restore();
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (!this.#hasRoomFor(next)) return;
      const node = this.#pool.pick();
      if (node === undefined) return;
      this.#queue.shift();
      this.#open.delete(next);
      next.isWaiting = false;
      node.limits.check(next, node.address.text);
      next.tidy();
      if (next.calls.length === 0) continue;
      if (!node.limits.takesJoined(next)) {
        next.separate();
        this.#restore();
        continue;
      }
      this.#sentCount += next.calls.length;
      this.#sentBytes += next.bytes;
      next.node = node;
      node.send(next);
    }
  }

  #hasRoomFor(parcel: Parcel): boolean {
    if (this.#sentCount === 0) return true;
    return (
      this.#sentCount + parcel.calls.length <= this.maxPending &&
      this.#sentBytes + parcel.bytes <= this.maxPendingBytes
    );
  }
}
