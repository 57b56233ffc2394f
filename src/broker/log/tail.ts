import { BLOCK_HEADER_SIZE, BlockFlag, sealBlock } from './block.js';
import { RECORD_OVERHEAD, type Stamp, writeRecord } from './record.js';
import { INDEX_STEP } from './scan.js';
import type { Segment } from './segment.js';
import { Slab } from './slab.js';

/** A block takes no further record once it has this many bytes: what one flipped bit can cost at the most. */
const BLOCK_TARGET = 64 * 1024;
const FIRST_SLAB = 16 * 1024;
const LARGEST_SLAB = 1024 * 1024;
const MPUB_COUNT_SIZE = 4;
const MPUB_LENGTH_SIZE = 4;
const TWO_32 = 2 ** 32;

/**
 * The end of a topic's log that is being written: messages are encoded into slabs, block by block. Nothing of it may
 * be read before it is committed; `revert` takes back all that came since.
 *
 *     slab  [ block | block | block ...   ]  [ block | bl          ]
 *             committed ────┘ appended ...              ▲ next record
 */
export class Tail {
  /** Number of the next message. */
  nextN: number;
  /** Slabs with appended bytes that are not committed, oldest first. */
  readonly pending: Slab[] = [];
  #segment: Segment;
  #slab: Slab | undefined;
  /** Where the next byte goes in the slab. */
  #at = 0;
  #blockAt = -1;
  #blockFirst = 0;
  #inBatch = false;
  /** Ends of the pending slabs, parallel to `pending`. */
  readonly #ends: number[] = [];
  /** Position of the slab's first byte when the next one is begun. */
  #nextPos: number;

  constructor(segment: Segment, nextN: number, nextPos: number) {
    this.#segment = segment;
    this.nextN = nextN;
    this.#nextPos = nextPos;
  }

  get segment(): Segment {
    return this.#segment;
  }

  get dirty(): boolean {
    return this.pending.length > 0;
  }

  /** Bytes appended to a pending slab, committed ones included. */
  appended(index: number): number {
    return this.#ends[index]!;
  }

  /** Goes on in another segment. Everything must be committed. */
  moveTo(segment: Segment): void {
    this.#segment = segment;
    this.#slab?.letGo();
    this.#slab = undefined;
    this.#nextPos = segment.basePos;
  }

  append(stamp: Stamp, body: Buffer, start: number, end: number): void {
    this.#room(RECORD_OVERHEAD + end - start);
    this.#write(stamp, body, start, end);
  }

  /** The messages of an MPUB body that was checked: kept all together or not at all. */
  appendBatch(stamp: Stamp, body: Buffer, start: number, end: number, count: number): void {
    const total = end - start - MPUB_COUNT_SIZE + count * (RECORD_OVERHEAD - MPUB_LENGTH_SIZE);
    if (this.#blockAt !== -1 && this.#at - this.#blockAt + total > BLOCK_TARGET)
      this.#closeBlock(BlockFlag.BatchEnd, 0);
    const whole = total <= BLOCK_TARGET;
    if (whole) this.#room(total);
    this.#inBatch = true;
    let at = start + MPUB_COUNT_SIZE;
    for (let left = count; left > 0; left--) {
      const from = at + MPUB_LENGTH_SIZE;
      const to = from + body.readUInt32BE(at);
      if (!whole) this.#room(RECORD_OVERHEAD + to - from);
      this.#write(stamp, body, from, to);
      at = to;
    }
    this.#inBatch = false;
  }

  /** A message that is due later has a block of its own. */
  appendDeferred(stamp: Stamp, body: Buffer, start: number, end: number, due: number): void {
    if (this.#blockAt !== -1) this.#closeBlock(BlockFlag.BatchEnd, 0);
    this.#room(RECORD_OVERHEAD + end - start);
    const mark = { n: this.nextN, due, pos: this.#slab!.pos + this.#blockAt };
    this.#write(stamp, body, start, end);
    this.#closeBlock(BlockFlag.BatchEnd | BlockFlag.Deferred, due);
    this.#segment.deferred.push(mark);
  }

  /** Closes the open block, so that all appended bytes are whole blocks. */
  finishBlock(): void {
    if (this.#blockAt !== -1) this.#closeBlock(BlockFlag.BatchEnd, 0);
    if (this.pending.length > 0) this.#ends[this.#ends.length - 1] = this.#at;
  }

  /** What was appended may be read from now on. */
  accept(): void {
    for (let i = 0; i < this.pending.length; i++) {
      const slab = this.pending[i]!;
      this.#segment.size += this.#ends[i]! - slab.length;
      slab.length = this.#ends[i]!;
      slab.endN = this.pending[i + 1]?.first ?? this.nextN;
      slab.letGo();
    }
    this.#segment.endN = this.nextN;
    this.pending.length = 0;
    this.#ends.length = 0;
  }

  /** Takes back everything since the last `accept`. */
  revert(): void {
    const segment = this.#segment;
    const first = this.pending[0];
    if (!first) return;
    this.nextN = segment.endN;
    this.#blockAt = -1;
    this.#at = first.length;
    this.#nextPos = first.pos + first.length;
    if (first.length > 0) first.hold();
    this.#slab?.letGo();
    this.#slab = first.length > 0 ? first : undefined;
    for (const slab of this.pending) slab.letGo();
    this.pending.length = 0;
    this.#ends.length = 0;
    while (segment.indexN.length > 0 && segment.indexN.at(-1)! >= this.nextN) {
      segment.indexN.pop();
      segment.indexPos.pop();
    }
    while (segment.deferred.length > 0 && segment.deferred.at(-1)!.n >= this.nextN) segment.deferred.pop();
  }

  #write(stamp: Stamp, body: Buffer, start: number, end: number): void {
    const segment = this.#segment;
    const offset = segment.idLo + (this.nextN - segment.firstN);
    const idLo = offset % TWO_32;
    const idHi = offset === idLo ? segment.idHi : segment.idHi + Math.floor(offset / TWO_32);
    this.#at = writeRecord(this.#slab!.buf, this.#at, stamp, idHi, idLo, body, start, end);
    this.nextN++;
  }

  /** Sees to it that a block is open and that `need` more bytes fit behind it. */
  #room(need: number): void {
    if (this.#blockAt !== -1) {
      const fits = this.#at + need <= this.#slab!.buf.length;
      if (fits && this.#at - this.#blockAt + need <= BLOCK_TARGET) return;
      this.#closeBlock(this.#inBatch ? 0 : BlockFlag.BatchEnd, 0);
    }
    const slab = this.#slab;
    if (!slab || this.#at + BLOCK_HEADER_SIZE + need > slab.buf.length)
      this.#nextSlab(BLOCK_HEADER_SIZE + need);
    else if (this.pending.at(-1) !== slab) this.#enlist(slab);
    this.#blockAt = this.#at;
    this.#blockFirst = this.nextN;
    this.#at += BLOCK_HEADER_SIZE;
  }

  #nextSlab(need: number): void {
    const last = this.#slab;
    if (last) {
      if (this.pending.at(-1) === last) this.#ends[this.#ends.length - 1] = this.#at;
      this.#nextPos = last.pos + this.#at;
      last.letGo();
    }
    const size = last ? Math.min(last.buf.length * 2, LARGEST_SLAB) : FIRST_SLAB;
    this.#slab = Slab.allocate(Math.max(size, need), this.#nextPos, this.nextN);
    this.#at = 0;
    this.#enlist(this.#slab);
  }

  #enlist(slab: Slab): void {
    slab.hold();
    this.pending.push(slab);
    this.#ends.push(this.#at);
  }

  #closeBlock(flags: number, due: number): void {
    const slab = this.#slab!;
    const at = this.#blockAt;
    sealBlock(slab.buf, at, this.#at, this.nextN - this.#blockFirst, flags, this.#blockFirst, due);
    const { indexN, indexPos } = this.#segment;
    const pos = slab.pos + at;
    if (indexPos.length === 0 || pos - indexPos.at(-1)! >= INDEX_STEP) {
      indexN.push(this.#blockFirst);
      indexPos.push(pos);
    }
    this.#blockAt = -1;
  }
}
