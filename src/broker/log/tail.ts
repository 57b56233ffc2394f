import { Batch } from './batch.js';
import { BLOCK_HEADER_SIZE, BLOCK_TARGET, BlockFlag, sealBlock } from './block.js';
import { RECORD_OVERHEAD, type Stamp, writeRecordHeader } from './record.js';
import { INDEX_STEP } from './scan.js';
import type { Segment } from './segment.js';
import { Slab } from './slab.js';

const FIRST_SLAB = 16 * 1024;
const LARGEST_SLAB = 1024 * 1024;
const MPUB_COUNT_SIZE = 4;
const MPUB_LENGTH_SIZE = 4;
const TWO_32 = 2 ** 32;

/**
 * The end of a topic's log: messages are encoded into slabs, block by block, and gather in a batch until it is taken to
 * be written.
 *
 *     slab  [ block | block | block ...   ]  [ block | bl          ]
 *             written ──┘ └── being written    └ open batch ▲ next record
 */
export class Tail {
  /** Number of the next message. */
  nextN: number;
  #segment: Segment;
  #slab: Slab | undefined;
  /** Where the next byte goes in the slab. */
  #at = 0;
  #blockAt = -1;
  #blockFirst = 0;
  /** Number after the last message of the MPUB that is being appended in several blocks; 0 if none is. */
  #batchEnd = 0;
  #batch: Batch | undefined;
  /** Position of the next slab's first byte. */
  #nextPos: number;
  readonly #limit: number;
  readonly #nextSegment: (firstN: number, basePos: number) => Segment;

  /**
   * @param limit bytes of a segment from which on the next batch goes into a new one
   * @param nextSegment begins that
   */
  constructor(segment: Segment, limit: number, nextSegment: (firstN: number, basePos: number) => Segment) {
    this.#segment = segment;
    this.nextN = segment.firstN;
    this.#nextPos = segment.basePos;
    this.#limit = limit;
    this.#nextSegment = nextSegment;
  }

  get segment(): Segment {
    return this.#segment;
  }

  /** Something was appended that is not taken yet. */
  get dirty(): boolean {
    return this.#batch !== undefined;
  }

  /** Position of the next byte. */
  get pos(): number {
    return this.#slab ? this.#slab.pos + this.#at : this.#nextPos;
  }

  isWriting(slab: Slab): boolean {
    return slab === this.#slab;
  }

  /** Goes on in another segment. The batch must have been taken. */
  moveTo(segment: Segment): void {
    this.#segment = segment;
    this.#nextPos = segment.basePos;
    this.#slab?.letGo();
    this.#slab = undefined;
  }

  /** What was appended since the last time, as whole blocks. */
  take(): Batch | undefined {
    const batch = this.#batch;
    if (!batch) return undefined;
    if (this.#blockAt !== -1) this.#closeBlock(BlockFlag.BatchEnd, 0);
    batch.pieces.at(-1)!.to = this.#at;
    batch.endN = this.nextN;
    this.#batch = undefined;
    return batch;
  }

  /** Goes back to before a batch that could not be written; all that came after it is dropped too. */
  revert(batch: Batch): void {
    const { slab, from } = batch.pieces[0]!;
    this.#batch?.discard();
    this.#batch = undefined;
    this.#blockAt = -1;
    this.nextN = batch.firstN;
    this.#segment = batch.segment;
    this.#at = from;
    this.#nextPos = slab.pos + from;
    if (from > 0) slab.hold();
    this.#slab?.letGo();
    this.#slab = from > 0 ? slab : undefined;
    batch.discard();
  }

  append(stamp: Stamp, body: Buffer, start: number, end: number): void {
    if (!this.#batch) this.#begin();
    this.#room(RECORD_OVERHEAD + end - start);
    this.#write(stamp, body, start, end);
  }

  /** The messages of an MPUB body that was checked: kept all together or not at all. */
  appendBatch(stamp: Stamp, body: Buffer, start: number, end: number, count: number): void {
    if (!this.#batch) this.#begin();
    const total = end - start - MPUB_COUNT_SIZE + count * (RECORD_OVERHEAD - MPUB_LENGTH_SIZE);
    if (this.#blockAt !== -1 && this.#at - this.#blockAt + total > BLOCK_TARGET)
      this.#closeBlock(BlockFlag.BatchEnd, 0);
    if (total <= BLOCK_TARGET) {
      this.#room(total);
      this.#writeAll(stamp, body, start + MPUB_COUNT_SIZE, end, count, total);
      return;
    }
    this.#batchEnd = this.nextN + count;
    let at = start + MPUB_COUNT_SIZE;
    for (let left = count; left > 0; left--) {
      const from = at + MPUB_LENGTH_SIZE;
      const to = from + body.readUInt32BE(at);
      this.#room(RECORD_OVERHEAD + to - from);
      this.#write(stamp, body, from, to);
      at = to;
    }
    this.#batchEnd = 0;
  }

  /** A message that is due later has a block of its own. */
  appendDeferred(stamp: Stamp, body: Buffer, start: number, end: number, due: number): void {
    if (!this.#batch) this.#begin();
    if (this.#blockAt !== -1) this.#closeBlock(BlockFlag.BatchEnd, 0);
    this.#room(RECORD_OVERHEAD + end - start);
    const n = this.nextN;
    this.#write(stamp, body, start, end);
    this.#closeBlock(BlockFlag.BatchEnd | BlockFlag.Deferred, due);
    this.#segment.deferred.push(n, due);
  }

  #begin(): void {
    const { pos } = this;
    const { basePos, isLost } = this.#segment;
    if (isLost || pos - basePos >= this.#limit) this.moveTo(this.#nextSegment(this.nextN, pos));
    this.#batch = new Batch(this.#segment, this.nextN);
  }

  #write(stamp: Stamp, body: Buffer, start: number, end: number): void {
    const segment = this.#segment;
    const { buf, view } = this.#slab!;
    const id = segment.idLo + (this.nextN - segment.firstN);
    writeRecordHeader(
      view,
      this.#at,
      end - start,
      stamp,
      segment.idHi + Math.floor(id / TWO_32),
      id % TWO_32,
    );
    buf.set(new Uint8Array(body.buffer, body.byteOffset + start, end - start), this.#at + RECORD_OVERHEAD);
    this.#at += RECORD_OVERHEAD + end - start;
    this.nextN++;
  }

  /**
   * Writes the messages of an MPUB body, for which there is room: all its bytes go to the end of that room, and each
   * body moves down to its place in turn, behind the header that is written for it. That is a third faster than a copy
   * from the body for each.
   */
  #writeAll(stamp: Stamp, body: Buffer, start: number, end: number, count: number, total: number): void {
    const segment = this.#segment;
    const { buf, view } = this.#slab!;
    let from = this.#at + total - (end - start);
    buf.set(new Uint8Array(body.buffer, body.byteOffset + start, end - start), from);
    let id = segment.idLo + (this.nextN - segment.firstN);
    let at = this.#at;
    for (let left = count; left > 0; left--, id++) {
      const length = view.getUint32(from);
      from += MPUB_LENGTH_SIZE;
      writeRecordHeader(view, at, length, stamp, segment.idHi + Math.floor(id / TWO_32), id % TWO_32);
      at += RECORD_OVERHEAD;
      if (at < from) buf.copyWithin(at, from, from + length);
      at += length;
      from += length;
    }
    this.#at = at;
    this.nextN += count;
  }

  /** Sees to it that a block is open and that `need` more bytes fit behind it. */
  #room(need: number): void {
    if (this.#blockAt !== -1) {
      const fits = this.#at + need <= this.#slab!.buf.length;
      if (fits && this.#at - this.#blockAt + need <= BLOCK_TARGET) return;
      this.#closeBlock(this.#batchEnd === 0 ? BlockFlag.BatchEnd : 0, this.#batchEnd);
    }
    const slab = this.#slab;
    if (!slab || this.#at + BLOCK_HEADER_SIZE + need > slab.buf.length)
      this.#nextSlab(BLOCK_HEADER_SIZE + need);
    else if (this.#batch!.pieces.length === 0) this.#batch!.add(slab, this.#at);
    this.#blockAt = this.#at;
    this.#blockFirst = this.nextN;
    this.#at += BLOCK_HEADER_SIZE;
  }

  #nextSlab(need: number): void {
    const last = this.#slab;
    if (last) {
      const piece = this.#batch!.pieces.at(-1);
      if (piece) piece.to = this.#at;
      this.#nextPos = last.pos + this.#at;
      last.letGo();
    }
    const size = last ? Math.min(last.buf.length * 2, LARGEST_SLAB) : FIRST_SLAB;
    this.#slab = Slab.allocate(Math.max(size, need), this.#nextPos, this.nextN);
    this.#at = 0;
    this.#batch!.add(this.#slab, 0);
  }

  #closeBlock(flags: number, due: number): void {
    const slab = this.#slab!;
    const at = this.#blockAt;
    const { indexN, indexPos, seed } = this.#segment;
    sealBlock(slab.buf, at, this.#at, this.nextN - this.#blockFirst, flags, this.#blockFirst, due, seed);
    const pos = slab.pos + at;
    if (indexPos.length === 0 || pos - indexPos.at(-1)! >= INDEX_STEP) {
      indexN.push(this.#blockFirst);
      indexPos.push(pos);
    }
    this.#blockAt = -1;
  }
}
