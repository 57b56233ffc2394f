import { BLOCK_HEADER_SIZE, blockCount, blockFirst, blockLength, isDamaged } from '../log/block.js';
import { recordLength } from '../log/record.js';
import type { Segment } from '../log/segment.js';
import type { Slab } from '../log/slab.js';
import type { TopicLog } from '../log/topic-log.js';
import { Deque } from './deque.js';

/** A message that a channel took and is to deliver again, or for the first time when it is due. */
export class Held {
  readonly n: number;
  /** Deliveries so far. */
  readonly attempts: number;
  /** When it is due, ms since 1970; 0 for now. */
  readonly due: number;
  /** Position of its block, -1 if that is to be found out. */
  readonly blockPos: number;
  readonly segment: Segment;

  constructor(n: number, attempts: number, due: number, blockPos: number, segment: Segment) {
    this.n = n;
    this.attempts = attempts;
    this.due = due;
    this.blockPos = blockPos;
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
  #loading = false;
  #slab: Slab | undefined;
  /** The message that `#slab` was read for. */
  #wanted: Held | undefined;

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
    this.#wanted = undefined;
  }

  [Symbol.iterator](): IterableIterator<Held> {
    return this.#queue[Symbol.iterator]();
  }

  /** Takes the next message out; undefined if there is none, or if it must be read first. */
  take(): FoundRecord | undefined {
    for (let held = this.#queue.first; held; held = this.#queue.first) {
      const slab = this.#slabOf(held);
      const passed = this.#wanted === held && this.#isPast(held);
      if (!slab && !passed) {
        this.#load(held);
        return undefined;
      }
      this.#queue.shift();
      const start = slab ? findRecord(slab, held.n, held.blockPos) : -1;
      if (slab && start !== -1) return { held, slab, start, end: start + recordLength(slab.buf, start) };
      this.#lost(held);
    }
    this.#keep(undefined);
    return undefined;
  }

  /** What was read begins after the message, or ends with its segment: it is in a damaged block. */
  #isPast({ n, segment }: Held): boolean {
    const kept = this.#slab;
    return kept !== undefined && (kept.first > n || kept.end >= segment.endPos);
  }

  #slabOf(held: Held): Slab | undefined {
    const { n, blockPos } = held;
    const kept = this.#slab;
    if (kept && n < kept.endN && (blockPos === -1 ? n >= kept.first : kept.holds(blockPos))) return kept;
    return blockPos === -1 ? this.#log.slabOf(n) : this.#log.slabAt(blockPos);
  }

  /** Keeps the slab that was read last: what is wanted next is often in it too. */
  #keep(slab: Slab | undefined): void {
    slab?.hold();
    this.#slab?.letGo();
    this.#slab = slab;
  }

  #load(held: Held): void {
    if (this.#loading) return;
    this.#loading = true;
    const from = this.#slab && held.blockPos === -1 && this.#slab.endN <= held.n ? this.#slab.end : -1;
    const hint = held.blockPos === -1 ? held.segment.positionBefore(held.n) : held.blockPos;
    this.#log.load(Math.max(from, hint), (slab) => {
      this.#loading = false;
      if (slab) {
        this.#keep(slab);
        this.#wanted = held;
      }
      this.#loaded(slab !== undefined);
    });
  }
}

/** Offset of message `n`'s record in a slab, -1 if it is not there. `blockPos` says where to look first. */
function findRecord(slab: Slab, n: number, blockPos: number): number {
  const { buf, length } = slab;
  let at = blockPos === -1 ? 0 : blockPos - slab.pos;
  while (at < length) {
    const damaged = isDamaged(buf, at);
    if (!damaged && blockFirst(buf, at) > n) return -1;
    if (!damaged && n < blockFirst(buf, at) + blockCount(buf, at)) {
      let first = blockFirst(buf, at);
      for (at += BLOCK_HEADER_SIZE; first < n; first++) at += recordLength(buf, at);
      return at;
    }
    at += blockLength(buf, at);
  }
  return -1;
}
