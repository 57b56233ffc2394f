import {
  BLOCK_HEADER_SIZE,
  type BlockCheck,
  BlockFlag,
  blockCount,
  blockDue,
  blockFirst,
  blockFlags,
  blockPayload,
  checkBlock,
  findBlock,
} from './block.js';
import { type Files, readFully } from './files.js';
import { SEGMENT_HEADER_SIZE, type Segment } from './segment.js';

/** Bytes of blocks between two entries of a segment's index. */
export const INDEX_STEP = 256 * 1024;
const WINDOW = 1024 * 1024;

/** A stretch of a file that could not be read as blocks. */
export interface Damage {
  /** Where in the file, in bytes. */
  offset: number;
  bytes: number;
  /** Messages that were in it. */
  messages: number;
}

/**
 * Reads a segment file's blocks from the first one on, checks them, and sets the segment's size, end and index. What
 * cannot be read in the middle is left and reported; a torn end, or a batch whose last block is missing, is not counted.
 */
export function scanSegment(files: Files, fd: number, fileSize: number, segment: Segment): Damage[] {
  return new Scan(files, fd, fileSize - SEGMENT_HEADER_SIZE, segment).run();
}

class Scan {
  readonly #files: Files;
  readonly #fd: number;
  readonly #segment: Segment;
  /** Bytes after the header. */
  readonly #size: number;
  readonly #damage: Damage[] = [];
  #window = Buffer.alloc(WINDOW);
  /** Offset of the window's first byte, and bytes in it. */
  #from = 0;
  #have = 0;
  /** Offset after the last block that counts, and the state of the lists there. */
  #good = 0;
  #goodN: number;
  #goodDeferred = 0;
  #goodDamage = 0;
  #goodIndex = 0;

  constructor(files: Files, fd: number, size: number, segment: Segment) {
    this.#files = files;
    this.#fd = fd;
    this.#size = size;
    this.#segment = segment;
    this.#goodN = segment.firstN;
  }

  run(): Damage[] {
    let at = 0;
    let n = this.#segment.firstN;
    const { seed } = this.#segment;
    while (at < this.#size) {
      this.#fill(at, BLOCK_HEADER_SIZE);
      let check = checkBlock(this.#window, at - this.#from, this.#have, seed);
      if (check === 'cut' && this.#have >= at - this.#from + BLOCK_HEADER_SIZE) {
        this.#fill(at, BLOCK_HEADER_SIZE + blockPayload(this.#window, at - this.#from));
        check = checkBlock(this.#window, at - this.#from, this.#have, seed);
      }
      if (check === 'good' && blockFirst(this.#window, at - this.#from) >= n) {
        const local = at - this.#from;
        this.#noteGap(n, blockFirst(this.#window, local));
        this.#takeBlock(at, local);
        n = blockFirst(this.#window, local) + blockCount(this.#window, local);
        at += BLOCK_HEADER_SIZE + blockPayload(this.#window, local);
        if (blockFlags(this.#window, local) & BlockFlag.BatchEnd) this.#remember(at, n);
        continue;
      }
      const next = this.#after(at, check);
      if (next === -1) break;
      this.#damage.push({ offset: SEGMENT_HEADER_SIZE + at, bytes: next - at, messages: 0 });
      at = next;
    }
    this.#forgetRest();
    return this.#damage;
  }

  /** Where the next block may be after the one at `at`, which does not count; -1 if there is none. */
  #after(at: number, check: BlockCheck): number {
    if (check === 'bad-header') return this.#nextBlock(at + 1);
    // What a good header says of its length is true: what looks like a block within was published by somebody.
    return check === 'cut' ? -1 : at + BLOCK_HEADER_SIZE + blockPayload(this.#window, at - this.#from);
  }

  /** The messages that a damaged stretch held show by the number of the block after it. */
  #noteGap(expected: number, first: number): void {
    const last = this.#damage.at(-1);
    if (last && first > expected) last.messages += first - expected;
  }

  #takeBlock(at: number, local: number): void {
    const { indexN, indexPos, deferred, basePos } = this.#segment;
    const first = blockFirst(this.#window, local);
    const pos = basePos + at;
    if (indexPos.length === 0 || pos - indexPos.at(-1)! >= INDEX_STEP) {
      indexN.push(first);
      indexPos.push(pos);
    }
    if (blockFlags(this.#window, local) & BlockFlag.Deferred) {
      deferred.push(first, blockDue(this.#window, local));
    }
  }

  #remember(at: number, n: number): void {
    this.#good = at;
    this.#goodN = n;
    this.#goodDeferred = this.#segment.deferred.length;
    this.#goodDamage = this.#damage.length;
    this.#goodIndex = this.#segment.indexN.length;
  }

  #forgetRest(): void {
    const segment = this.#segment;
    segment.size = this.#good;
    segment.endN = this.#goodN;
    segment.deferred.cut(this.#goodDeferred);
    segment.indexN.length = this.#goodIndex;
    segment.indexPos.length = this.#goodIndex;
    this.#damage.length = this.#goodDamage;
  }

  /** Offset of the next block with a good header at or after `at`; -1 if there is none. */
  #nextBlock(at: number): number {
    while (at + BLOCK_HEADER_SIZE <= this.#size) {
      this.#fill(at, BLOCK_HEADER_SIZE);
      const found = findBlock(this.#window, at - this.#from, this.#have, this.#segment.seed);
      if (found !== -1) return this.#from + found;
      // A header may lie across the window's end: the next window begins that much earlier.
      const next = this.#from + this.#have - BLOCK_HEADER_SIZE + 1;
      if (next <= at) return -1;
      at = next;
    }
    return -1;
  }

  /** Sees to it that `need` bytes from `at` on are in the window, as far as the file has them. */
  #fill(at: number, need: number): void {
    if (at >= this.#from && at + need <= this.#from + this.#have) return;
    const want = Math.min(Math.max(need, WINDOW), this.#size - at);
    if (want > this.#window.length) this.#window = Buffer.alloc(want);
    this.#have = readFully(this.#files, this.#fd, this.#window, 0, want, SEGMENT_HEADER_SIZE + at);
    this.#from = at;
  }
}
