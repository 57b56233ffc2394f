import {
  BLOCK_HEADER_SIZE,
  BlockFlag,
  blockCount,
  blockFirst,
  blockFlags,
  blockLength,
  isDamaged,
} from '../log/block.js';
import { recordLength } from '../log/record.js';
import type { Segment } from '../log/segment.js';
import type { Slab } from '../log/slab.js';
import type { TopicLog } from '../log/topic-log.js';

/** Hears of what a cursor passes without handing it out. */
export interface CursorOwner {
  /** A deferred message: it was taken when it was published. */
  passedDeferred(n: number): void;
  /** Messages that are not in the log any more. */
  passedLost(from: number, to: number): void;
  /** Nothing more is read from this slab. */
  leftSlab(slab: Slab): void;
  /** What `open` missed is in memory, or will not be. */
  loaded(found: boolean): void;
}

/**
 * A channel's place in its topic's log: the next message, the slab it is in and the block.
 *
 *     slab [ block | block | hdr rec rec rec rec | block ... ]
 *                                ▲ at, n         ▲ blockEnd, blockEndN
 */
export class Cursor {
  /** Number of the next message. */
  n: number;
  readonly #log: TopicLog;
  readonly #owner: CursorOwner;
  #slab: Slab | undefined;
  #segment: Segment | undefined;
  #at = 0;
  #blockEnd = 0;
  #blockEndN: number;
  /** Position of the next block, -1 if only the number is known. */
  #nextPos = -1;
  #loading = false;
  /** The slab after this one, read ahead from disk. */
  #ahead: Slab | undefined;
  /** How often segments had been compacted when these positions were found: each compaction moves blocks. */
  #layout: number;

  constructor(log: TopicLog, owner: CursorOwner, n: number) {
    this.#log = log;
    this.#owner = owner;
    this.n = n;
    this.#blockEndN = n;
    this.#layout = log.compactions;
  }

  /** The slab that the open block is in. */
  get slab(): Slab {
    return this.#slab!;
  }

  get buf(): Buffer {
    return this.#slab!.buf;
  }

  get at(): number {
    return this.#at;
  }

  get segment(): Segment {
    return this.#segment!;
  }

  /** Messages left in the open block. */
  get left(): number {
    return this.#blockEndN - this.n;
  }

  /** Goes to message `n` from wherever it is. */
  seek(n: number): void {
    if (n < this.#blockEndN && n >= this.n) {
      this.advance(n - this.n, this.endOf(n - this.n));
      return;
    }
    this.n = n;
    this.#blockEndN = n;
    this.#leave();
    this.#nextPos = -1;
  }

  /**
   * Sees to it that message `n` is at hand, passing what is not handed out in order. False if there is none below
   * `limit`, or if it must be read first: then `loaded` is called when it is worth trying again.
   */
  open(limit: number): boolean {
    while (this.n < limit) {
      if (this.n < this.#blockEndN) return true;
      if (!this.#enterSlab()) return false;
      this.#nextBlock();
    }
    return false;
  }

  /** Offset in the slab after the next `count` messages of the open block. */
  endOf(count: number): number {
    if (count === this.left) return this.#blockEnd;
    let at = this.#at;
    const { buf } = this;
    for (let left = count; left > 0; left--) at += recordLength(buf, at);
    return at;
  }

  /** Passes `count` messages of the open block, which end at offset `end`. */
  advance(count: number, end: number): void {
    this.n += count;
    this.#at = end;
  }

  /** Gives up what is held in memory. */
  release(): void {
    this.#leave();
    this.#keepAhead(undefined);
  }

  /** The slab with the next block's header at `#at`; asks for it if it is not in memory. */
  #enterSlab(): boolean {
    const slab = this.#slab;
    if (slab && this.#at < slab.length) return true;
    if (slab) {
      this.#nextPos = slab.pos + this.#at;
      if (this.#layout === this.#log.compactions) this.#passEnd();
      this.#leave();
    }
    if (this.#layout !== this.#log.compactions) {
      this.#layout = this.#log.compactions;
      this.#nextPos = -1;
      this.#keepAhead(undefined);
    }
    // Where a file is missing, the next one goes on from another position.
    if (!this.#log.segments.at(this.#nextPos) && !this.#locate()) return false;
    const next = this.#ahead?.holds(this.#nextPos) ? this.#ahead : this.#log.slabAt(this.#nextPos);
    if (!next) {
      this.#load(this.#nextPos);
      return false;
    }
    next.hold();
    this.#keepAhead(undefined);
    this.#slab = next;
    this.#segment = this.#log.segments.at(next.pos);
    this.#at = this.#nextPos - next.pos;
    if (next.end < this.#log.endPos && !this.#log.slabAt(next.end)) this.#readAhead(next.end);
    return true;
  }

  /** At its segment's end, what is left of it is not there: its blocks are damaged. */
  #passEnd(): void {
    const segment = this.#segment;
    if (!segment || this.#nextPos < segment.endPos || this.n >= segment.endN) return;
    this.#passLost(segment.endN);
  }

  /** Finds a position from the number, after a start or a jump. False if no such message is left. */
  #locate(): boolean {
    const slab = this.#log.slabOf(this.n);
    if (slab) {
      this.#nextPos = slab.pos;
      return true;
    }
    const { segments } = this.#log;
    for (let segment = segments.from(this.n); segment; segment = segments.from(this.n)) {
      if (segment.firstN > this.n) this.#passLost(segment.firstN);
      this.#nextPos = segment.positionBefore(this.n);
      if (segment.size > 0) return true;
      // A compaction found all of it damaged.
      this.#passLost(segment.endN);
    }
    return false;
  }

  /** Passes what is not there, up to number `to`. */
  #passLost(to: number): void {
    this.#owner.passedLost(this.n, to);
    this.n = to;
    this.#blockEndN = to;
  }

  /** Looks at the block (or the damaged stretch) at `#at`, and stands before its first record that is wanted. */
  #nextBlock(): void {
    const { buf } = this;
    const blockAt = this.#at;
    const end = blockAt + blockLength(buf, blockAt);
    if (isDamaged(buf, blockAt)) {
      this.#at = end;
      return;
    }
    const first = blockFirst(buf, blockAt);
    const endN = first + blockCount(buf, blockAt);
    if (endN <= this.n) {
      this.#at = end;
      return;
    }
    if (first > this.n) {
      this.#owner.passedLost(this.n, first);
      this.n = first;
    }
    if (blockFlags(buf, blockAt) & BlockFlag.Deferred) {
      this.n = endN;
      this.#blockEndN = endN;
      this.#at = end;
      this.#owner.passedDeferred(first);
      return;
    }
    this.#blockEnd = end;
    this.#blockEndN = endN;
    this.#at = blockAt + BLOCK_HEADER_SIZE;
    for (let n = first; n < this.n; n++) this.#at += recordLength(buf, this.#at);
  }

  #load(pos: number): void {
    if (this.#loading) return;
    this.#loading = true;
    this.#log.load(pos, (slab) => {
      this.#loading = false;
      if (slab && this.#nextPos === pos && !this.#slab) this.#keepAhead(slab);
      this.#owner.loaded(slab !== undefined);
    });
  }

  #readAhead(pos: number): void {
    this.#log.load(pos, (slab) => {
      if (slab && this.#slab?.end === pos) this.#keepAhead(slab);
    });
  }

  #leave(): void {
    const slab = this.#slab;
    this.#slab = undefined;
    this.#segment = undefined;
    if (!slab) return;
    this.#owner.leftSlab(slab);
    slab.letGo();
  }

  #keepAhead(slab: Slab | undefined): void {
    slab?.hold();
    this.#ahead?.letGo();
    this.#ahead = slab;
  }
}
