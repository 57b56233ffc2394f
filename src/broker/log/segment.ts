import { crc32 } from 'node:zlib';
import type { Files } from './files.js';
import { Marks } from './marks.js';
import { holdsNumber, type NumberRange } from './number-range.js';

/**
 * A segment file: this header, twice so that no damaged place costs it; then blocks; a finished one ends with a footer
 * (see footer.ts).
 *
 *      0  8 bytes  magic and version "NSQSEG01"
 *      8  u64      number of the first message
 *     16  u64      position of the first block in the topic's log
 *     24  u64      id of the first message; the others' follow by adding to it
 *     32  f64      when it was begun, ms since 1970
 *     40  u32      seed of its blocks' CRCs, at random
 *     44  u32      1 if it was begun in a file that held another segment before
 *     48  u32      1 if the topic had a journal by then: each has since its beginning, but for those of versions before
 *     60  u32      CRC-32 of the bytes before
 */
const HEADER_COPY = 64;
export const SEGMENT_HEADER_SIZE = 2 * HEADER_COPY;
const MAGIC = 'NSQSEG01';
const MAGIC_STEM = 'NSQSEG';
const CRC_AT = 60;
const SUFFIX = '.log';
const NAME_DIGITS = 20;
const NAME = /^\d{20}-[\da-f]{8}\.log$/;
const TWO_32 = 2 ** 32;

/** A stretch of the topic's log: in one file, or in memory only. Positions and numbers are the topic's. */
export class Segment {
  /** The file's path; empty for a segment that is in memory only. */
  readonly path: string;
  readonly firstN: number;
  readonly basePos: number;
  /** The first message's id, as two 32-bit halves. */
  readonly idHi: number;
  readonly idLo: number;
  readonly created: number;
  /** What its blocks' CRCs begin with. */
  readonly seed: number;
  /** Number after the last committed message. */
  endN: number;
  /** Committed bytes of blocks. */
  size = 0;
  /** Its blocks up to there are on stable storage. */
  syncedPos: number;
  /** Its file held another segment before: what follows its end is nothing. */
  inUsedFile = false;
  /** The topic had a journal when it was begun. */
  hasJournal = true;
  /** Nothing more is added to it. */
  sealed = false;
  /** When that came, on the monotonic clock in ms; 0 if that was before the start. */
  sealedAt = 0;
  /** Its file is gone. */
  removed = false;
  /** Somebody else removed its file, and what is before this position was reported as lost; -1 if it is there. */
  #lostTo = -1;
  /** How many of its messages are in the file, after a compaction. */
  #kept = -1;
  /** Open for writing while it is the last one; -1 otherwise. */
  writeFd = -1;
  /** Open for reading once it was read from; -1 otherwise. */
  readFd = -1;
  /** How often what was finished was left out of it: its blocks have other positions since. */
  compactions = 0;
  /** Messages in it that channels took and have not finished, over all channels. */
  outstanding = 0;
  /** Numbers and positions of some of its blocks, in order: where to begin looking for a message. */
  indexN: number[] = [];
  indexPos: number[] = [];
  deferred = new Marks();
  /** What the start found missing in it, in order: damaged, or left out by a compaction. Not known of a finished file. */
  readonly missing: NumberRange[] = [];
  /** Offsets of damaged stretches that the log was told of. */
  readonly #reported = new Set<number>();
  #reads = 0;
  /** Its file is closed once nothing is being read from it. */
  #resting = false;
  #writes = 0;
  #closed = false;

  constructor(
    path: string,
    firstN: number,
    basePos: number,
    idHi: number,
    idLo: number,
    created: number,
    seed: number,
  ) {
    this.path = path;
    this.firstN = firstN;
    this.endN = firstN;
    this.basePos = basePos;
    this.syncedPos = basePos;
    this.idHi = idHi;
    this.idLo = idLo;
    this.created = created;
    this.seed = seed;
  }

  /** Messages in it; those that were left out are not counted. */
  get messages(): number {
    return this.#kept === -1 ? this.endN - this.firstN : this.#kept;
  }

  set messages(count: number) {
    this.#kept = count;
  }

  /** Messages were left out of its file: numbers in it do not follow each other. False, too, if a process before did that. */
  get isCompacted(): boolean {
    return this.#kept !== -1;
  }

  /** Whether the start found out that a message of it cannot be read. */
  lacks(n: number): boolean {
    return holdsNumber(this.missing, n);
  }

  /** Whether the log has yet to be told that something at this offset of the file is damaged; from now on it has not. */
  reports(offset: number): boolean {
    if (this.#reported.has(offset)) return false;
    this.#reported.add(offset);
    return true;
  }

  /** Somebody else removed its file: what is written to it counts for nothing. */
  get isLost(): boolean {
    return this.#lostTo !== -1;
  }

  /** All that it holds was reported as lost. */
  get isLossKnown(): boolean {
    return this.#lostTo === this.endPos;
  }

  /** Its file turns out to be lost; what is before `endPos` is being reported. */
  lose(endPos: number): void {
    this.#lostTo = endPos;
  }

  get endPos(): number {
    return this.basePos + this.size;
  }

  /** Where in the file a position is. */
  fileOffset(pos: number): number {
    return SEGMENT_HEADER_SIZE + pos - this.basePos;
  }

  header(): Buffer {
    const head = Buffer.alloc(SEGMENT_HEADER_SIZE);
    head.write(MAGIC, 0, 'latin1');
    writeU64(head, 8, this.firstN);
    writeU64(head, 16, this.basePos);
    head.writeUInt32BE(this.idHi, 24);
    head.writeUInt32BE(this.idLo, 28);
    head.writeDoubleBE(this.created, 32);
    head.writeUInt32BE(this.seed, 40);
    head.writeUInt32BE(this.inUsedFile ? 1 : 0, 44);
    head.writeUInt32BE(this.hasJournal ? 1 : 0, 48);
    head.writeUInt32BE(crc32(head.subarray(0, CRC_AT)), CRC_AT);
    head.copy(head, HEADER_COPY, 0, HEADER_COPY);
    return head;
  }

  /** Position of a block at or before message `n`, to look for it from. */
  positionBefore(n: number): number {
    let low = 0;
    let high = this.indexN.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.indexN[middle]! <= n) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? this.basePos : this.indexPos[low - 1]!;
  }

  /** Opens the file for reading; it stays open for the next read, until `rest` or `close`. */
  beginRead(files: Files): void {
    if (this.readFd === -1) this.readFd = files.openSync(this.path, 'r');
    this.#reads++;
    this.#resting = false;
  }

  endRead(files: Files): void {
    this.#reads--;
    if (this.#closed || this.#resting) this.#closeReader(files);
  }

  /** Another segment is being read now: descriptors are few. */
  rest(files: Files): void {
    this.#resting = true;
    this.#closeReader(files);
  }

  /** Closes the files, the one being read from once the reads under way are done. */
  close(files: Files): void {
    this.#closed = true;
    this.#closeWriter(files);
    this.#closeReader(files);
  }

  get isBeingRead(): boolean {
    return this.#reads > 0;
  }

  /** Something is being read from its file or written to it. */
  get isBusy(): boolean {
    return this.#reads > 0 || this.#writes > 0;
  }

  /** Its file is another's now, of which it takes what is to be known. Not while it is being read. */
  takeOver(compacted: Segment, files: Files): void {
    this.#closeReader(files);
    this.size = compacted.size;
    this.syncedPos = this.endPos;
    this.indexN = compacted.indexN;
    this.indexPos = compacted.indexPos;
    this.deferred = compacted.deferred;
    this.messages = compacted.messages;
    this.#reported.clear();
    this.compactions++;
  }

  /** A write off the event loop begins: until it ends, the file stays open. */
  beginWrite(): void {
    this.#writes++;
  }

  endWrite(files: Files): void {
    this.#writes--;
    if (this.#closed) this.#closeWriter(files);
  }

  #closeWriter(files: Files): void {
    if (this.#writes > 0 || this.writeFd === -1) return;
    files.closeSync(this.writeFd);
    this.writeFd = -1;
  }

  #closeReader(files: Files): void {
    if (this.#reads > 0 || this.readFd === -1) return;
    files.closeSync(this.readFd);
    this.readFd = -1;
  }
}

/** The number is for the order; the seed, in hex, says which segment the file must hold. */
export function segmentFileName(firstN: number, seed: number): string {
  return `${String(firstN).padStart(NAME_DIGITS, '0')}-${seed.toString(16).padStart(8, '0')}${SUFFIX}`;
}

export function isSegmentFileName(name: string): boolean {
  return NAME.test(name);
}

/** The segment a header describes; `newer` if a later version wrote it, undefined if it is no header at all. */
export function parseSegmentHeader(path: string, head: Buffer): Segment | 'newer' | undefined {
  if (head.length < SEGMENT_HEADER_SIZE) return undefined;
  return parseCopy(path, head.subarray(0, HEADER_COPY)) ?? parseCopy(path, head.subarray(HEADER_COPY));
}

function parseCopy(path: string, head: Buffer): Segment | 'newer' | undefined {
  if (crc32(head.subarray(0, CRC_AT)) !== head.readUInt32BE(CRC_AT)) return undefined;
  const magic = head.toString('latin1', 0, MAGIC.length);
  if (magic !== MAGIC) return magic.startsWith(MAGIC_STEM) ? 'newer' : undefined;
  const segment = new Segment(
    path,
    readU64(head, 8),
    readU64(head, 16),
    head.readUInt32BE(24),
    head.readUInt32BE(28),
    head.readDoubleBE(32),
    head.readUInt32BE(40),
  );
  segment.inUsedFile = head.readUInt32BE(44) === 1;
  segment.hasJournal = head.readUInt32BE(48) === 1;
  return segment;
}

function writeU64(buf: Buffer, at: number, value: number): void {
  buf.writeUInt32BE(Math.floor(value / TWO_32), at);
  buf.writeUInt32BE(value % TWO_32, at + 4);
}

function readU64(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at) * TWO_32 + buf.readUInt32BE(at + 4);
}
