import {
  BLOCK_HEADER_SIZE,
  type BlockCheck,
  BlockFlag,
  blockCount,
  blockDue,
  blockFirst,
  blockFlags,
  blockLength,
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
interface Damage {
  /** Where in the file, in bytes. */
  offset: number;
  bytes: number;
  /** Messages that were in it. */
  messages: number;
}

/** What a finished file's trailer says. */
export interface KnownEnd {
  /** Number after the last message in it. */
  n: number;
  /** Bytes of blocks. */
  size: number;
}

/**
 * Reads a segment file's blocks from the first one on, checks them, and sets the segment's size, end and index. What
 * cannot be read in the middle is left and reported.
 *
 * Of a file that may not have been finished, a torn end is not counted, nor is a batch of which nothing shows that it
 * was written to its end: neither its last block, nor the header of one after it.
 *
 * @param known undefined if the file may not have been finished
 */
export function scanSegment(
  files: Files,
  fd: number,
  fileSize: number,
  segment: Segment,
  known?: KnownEnd,
): Damage[] {
  const size = known?.size ?? fileSize - SEGMENT_HEADER_SIZE;
  return new Scan(files, fd, size, segment, known).run();
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
  readonly #known: KnownEnd | undefined;
  /** Number after the last message that the blocks so far say they have. */
  #n: number;
  /** Number after the last message that can be read. */
  #readableN: number;
  /** Blocks since the last one that counts belong to batches that end there at the latest; 0 if there are none. */
  #batchesEnd = 0;
  /** Offset after the last block that counts, and the state of the lists there. */
  #good = 0;
  #goodN: number;
  #goodDeferred = 0;
  #goodDamage = 0;
  #goodIndex = 0;
  #goodMissing = 0;
  #goodReadableN: number;

  constructor(files: Files, fd: number, size: number, segment: Segment, known: KnownEnd | undefined) {
    this.#files = files;
    this.#fd = fd;
    this.#size = size;
    this.#segment = segment;
    this.#known = known;
    this.#n = this.#goodN = this.#readableN = this.#goodReadableN = segment.firstN;
  }

  run(): Damage[] {
    let at = 0;
    while (at < this.#size) {
      const check = this.#check(at);
      const local = at - this.#from;
      const hasHeader = check !== 'bad-header' && this.#have - local >= BLOCK_HEADER_SIZE;
      const follows = hasHeader && blockFirst(this.#window, local) >= this.#n;
      if (follows) this.#pass(at, local);
      if (follows && check === 'good') {
        this.#takeBlock(at, local);
        at += blockLength(this.#window, local);
        this.#mayRemember(at, local);
        continue;
      }
      const next = this.#after(at, check);
      if (next === -1) break;
      const messages = follows ? blockCount(this.#window, local) : 0;
      this.#damage.push({ offset: SEGMENT_HEADER_SIZE + at, bytes: next - at, messages });
      at = next;
    }
    if (this.#known) this.#end(at, this.#known);
    else this.#forgetRest();
    return this.#damage;
  }

  /** What is at `at`; the block is in the window then, if it is whole. */
  #check(at: number): BlockCheck {
    const { seed } = this.#segment;
    this.#fill(at, BLOCK_HEADER_SIZE);
    const check = checkBlock(this.#window, at - this.#from, this.#have, seed);
    if (check !== 'cut' || this.#have < at - this.#from + BLOCK_HEADER_SIZE) return check;
    this.#fill(at, BLOCK_HEADER_SIZE + blockPayload(this.#window, at - this.#from));
    return checkBlock(this.#window, at - this.#from, this.#have, seed);
  }

  /** Where the next block may be after the one at `at`, which does not count; -1 if there is none. */
  #after(at: number, check: BlockCheck): number {
    if (check === 'bad-header') return this.#nextBlock(at + 1);
    // What a good header says of its length is true: what looks like a block within was published by somebody.
    return check === 'cut' ? -1 : at + blockLength(this.#window, at - this.#from);
  }

  /** A block's header was read: it tells how many messages a damaged stretch before it held, and what was written before. */
  #pass(at: number, local: number): void {
    const first = blockFirst(this.#window, local);
    this.#noteGap(first);
    if (this.#batchesEnd > 0 && this.#batchesEnd <= first) this.#remember(at, first);
    this.#n = first + blockCount(this.#window, local);
  }

  #noteMissing(to: number): void {
    if (to > this.#readableN) this.#segment.missing.push({ from: this.#readableN, to });
  }

  #noteGap(first: number): void {
    const last = this.#damage.at(-1);
    if (last && first > this.#n) last.messages += first - this.#n;
  }

  /** A block is whole that ends at `at`: it counts, if it ends its batch. */
  #mayRemember(at: number, local: number): void {
    if (blockFlags(this.#window, local) & BlockFlag.BatchEnd) return this.#remember(at, this.#n);
    this.#batchesEnd = Math.max(this.#batchesEnd, blockDue(this.#window, local));
  }

  #takeBlock(at: number, local: number): void {
    const { indexN, indexPos, deferred, basePos } = this.#segment;
    const first = blockFirst(this.#window, local);
    this.#noteMissing(first);
    this.#readableN = this.#n;
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
    this.#goodMissing = this.#segment.missing.length;
    this.#goodReadableN = this.#readableN;
    this.#batchesEnd = 0;
  }

  /** The file was finished, and cannot be read on from `at`. */
  #end(at: number, { n, size }: KnownEnd): void {
    if (at < size)
      this.#damage.push({ offset: SEGMENT_HEADER_SIZE + at, bytes: size - at, messages: n - this.#n });
    this.#noteMissing(n);
    this.#segment.size = size;
    this.#segment.endN = n;
  }

  #forgetRest(): void {
    const segment = this.#segment;
    segment.size = this.#good;
    segment.endN = this.#goodN;
    segment.deferred.cut(this.#goodDeferred);
    segment.indexN.length = this.#goodIndex;
    segment.indexPos.length = this.#goodIndex;
    this.#damage.length = this.#goodDamage;
    segment.missing.length = this.#goodMissing;
    this.#readableN = this.#goodReadableN;
    this.#noteMissing(this.#goodN);
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
