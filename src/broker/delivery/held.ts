import { BLOCK_HEADER_SIZE, blockCount, blockFirst, blockLength, isDamaged } from '../log/block.js';
import { recordLength } from '../log/record.js';
import type { Segment } from '../log/segment.js';
import type { Slab } from '../log/slab.js';
import type { TopicLog } from '../log/topic-log.js';
import { Deque } from './deque.js';

/** A message that a channel took and is to deliver now: again, or for the first time because it is due. */
export class Held {
  readonly n: number;
  /** Deliveries so far. */
  readonly attempts: number;
  readonly segment: Segment;

  constructor(n: number, attempts: number, segment: Segment) {
    this.n = n;
    this.attempts = attempts;
    this.segment = segment;
  }
}

/** A held message and where its record is. */
export interface FoundRecord {
  held: Held;
  slab: Slab;
  start: number;
  end: number;
}

/** The held messages that may go out now, in order. One whose record is not in memory is read back first. */
export class HeldQueue {
  readonly #log: TopicLog;
  readonly #loaded: (found: boolean) => void;
  readonly #lost: (held: Held) => void;
  readonly #queue = new Deque<Held>();
  readonly #finder = new RecordFinder();
  #loading = false;
  /** The slab that was read last, and the segment it is of. */
  #slab: Slab | undefined;
  #segment: Segment | undefined;
  /** How often that had been compacted then. */
  #compactions = 0;
  /** The message that turned out not to be there when it was read: it is in a damaged block. */
  #missed: Held | undefined;

  /**
   * @param loaded is told when a message that was not in memory is, or cannot be read
   * @param lost is told of a message that can never be delivered, because its block is damaged
   */
  constructor(log: TopicLog, loaded: (found: boolean) => void, lost: (held: Held) => void) {
    this.#log = log;
    this.#loaded = loaded;
    this.#lost = lost;
  }

  get length(): number {
    return this.#queue.length;
  }

  push(held: Held): void {
    this.#queue.push(held);
  }

  clear(): void {
    this.#queue.clear();
    this.#keep(undefined);
    this.#missed = undefined;
  }

  [Symbol.iterator](): IterableIterator<Held> {
    return this.#queue[Symbol.iterator]();
  }

  /** Takes the next message out; undefined if there is none, or if it must be read first. */
  take(): FoundRecord | undefined {
    for (let held = this.#queue.first; held; held = this.#queue.first) {
      const slab = this.#slabOf(held);
      if (!slab && this.#missed !== held && this.#placeOf(held) < held.segment.endPos) {
        this.#load(held);
        return undefined;
      }
      this.#queue.shift();
      const start = slab ? this.#finder.find(slab, held) : -1;
      if (slab && start !== -1) return { held, slab, start, end: start + recordLength(slab.buf, start) };
      this.#lost(held);
    }
    this.#keep(undefined);
    return undefined;
  }

  #slabOf({ n }: Held): Slab | undefined {
    const kept = this.#slab;
    return kept && n >= kept.first && n < kept.endN ? kept : this.#log.slabOf(n);
  }

  /** Keeps the slab that was read last: what is wanted next is often in it too. */
  #keep(slab: Slab | undefined, segment?: Segment): void {
    slab?.hold();
    this.#slab?.letGo();
    this.#slab = slab;
    this.#segment = segment;
    this.#compactions = segment?.compactions ?? 0;
  }

  /** Where to read for a message: at the nearest place known before it. */
  #placeOf({ n, segment }: Held): number {
    const place = segment.positionBefore(n);
    const kept = this.#slab;
    // One without a good block has none of its own: what follows it begins with its first number.
    const goesOn =
      kept &&
      (kept.endN === -1 ? kept.first : kept.endN) <= n &&
      this.#segment === segment &&
      this.#compactions === segment.compactions;
    return goesOn ? Math.max(kept.end, place) : place;
  }

  #load(held: Held): void {
    if (this.#loading) return;
    this.#loading = true;
    const { n, segment } = held;
    this.#log.load(this.#placeOf(held), (slab) => {
      this.#loading = false;
      if (slab) {
        this.#keep(slab, segment);
        if (slab.first > n || slab.end >= segment.endPos) this.#missed = held;
      }
      this.#loaded(slab !== undefined);
    });
  }
}

/** Finds records in slabs. What is asked for next is mostly not far behind: it looks there first. */
class RecordFinder {
  #slab: Slab | undefined;
  /** A block of `#slab`, and the number of its first message. */
  #at = 0;
  #first = 0;

  /** Offset of the message's record in a slab; -1 if it is not there. */
  find(slab: Slab, { n, segment }: Held): number {
    const { buf, length } = slab;
    let at = this.#slab === slab && this.#first <= n ? this.#at : offsetBefore(slab, segment, n);
    while (at < length) {
      if (!isDamaged(buf, at)) {
        const first = blockFirst(buf, at);
        if (first > n) return -1;
        if (n < first + blockCount(buf, at)) {
          this.#slab = slab;
          this.#at = at;
          this.#first = first;
          return recordAt(buf, at, n - first);
        }
      }
      at += blockLength(buf, at);
    }
    return -1;
  }
}

/** Offset in a slab of a block at or before message `n`. */
function offsetBefore(slab: Slab, segment: Segment, n: number): number {
  const offset = segment.positionBefore(n) - slab.pos;
  // After a compaction, a slab from before it has other positions.
  return segment.compactions === 0 && offset > 0 && offset < slab.length ? offset : 0;
}

/** Offset of a block's record. */
function recordAt(buf: Buffer, block: number, index: number): number {
  let at = block + BLOCK_HEADER_SIZE;
  for (let left = index; left > 0; left--) at += recordLength(buf, at);
  return at;
}
