import { MESSAGE_ID_LENGTH } from '../../protocol/message.js';
import { readHex32 } from '../../protocol/message-id.js';
import { type Files, readFully } from '../log/files.js';
import type { Stamp } from '../log/record.js';
import type { QueuePart } from './queue-position.js';

/**
 * A record of nsqd's queue files:
 *
 *     u32 size | i64 timestamp ns | u16 attempts | 16 bytes id | body
 */
const SIZE_FIELD = 4;
const STAMP_AT = SIZE_FIELD;
const ATTEMPTS_AT = STAMP_AT + 8;
const ID_AT = ATTEMPTS_AT + 2;
const BODY_AT = ID_AT + MESSAGE_ID_LENGTH;
const SMALLEST_SIZE = BODY_AT - SIZE_FIELD;
/** The upper halves of 2010-01-01 and 2100-01-01 in nanoseconds; where a record is looked for, others are none. */
const EARLIEST_HI = Math.floor(Date.UTC(2010, 0) / 4294.967296);
const LATEST_HI = Math.floor(Date.UTC(2100, 0) / 4294.967296);

/** A stretch of a file in which no records could be read. */
export interface Unreadable {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface ReaderOptions {
  /** Of a body. A longer one is taken only if the record after it is in its place. */
  readonly maxMsgSize: number;
  /** Bytes that are read at once. */
  readonly window: number;
  readonly unreadable: (stretch: Unreadable) => void;
}

/**
 * Reads the messages of one queue in order. nsqd has no checksums: what is no record shows by its size or its id, and
 * reading goes on at the next place that two records in a row, or one and the file's end, make sure of.
 */
export class QueueReader {
  readonly #files: Files;
  readonly #parts: readonly QueuePart[];
  readonly #options: ReaderOptions;
  #part = -1;
  #path = '';
  /** Offset in the file of the next record, and the file's size. */
  #next = 0;
  #size = 0;
  #window: Buffer = Buffer.alloc(0);
  /** Offset in the file of the window's first byte, and bytes in it. */
  #from = 0;
  #have = 0;
  /** Messages read so far. */
  count = 0;
  readonly stamp: Stamp = { hi: 0, lo: 0 };
  idHi = 0;
  idLo = 0;
  attempts = 0;
  /** The current message's body is `buf[start, end)`, until the next call of `next`. */
  start = 0;
  end = 0;

  constructor(files: Files, parts: readonly QueuePart[], options: ReaderOptions) {
    this.#files = files;
    this.#parts = parts;
    this.#options = options;
  }

  get buf(): Buffer {
    return this.#window;
  }

  /** Goes to the next message; false at the end. */
  next(): boolean {
    for (;;) {
      while (this.#next < this.#size) {
        if (this.#isRecord(this.#next)) {
          this.#take();
          return true;
        }
        const at = this.#next;
        this.#next = this.#findRecord(at + 1, this.#size);
        this.#options.unreadable({ path: this.#path, offset: at, bytes: this.#next - at });
      }
      const part = this.#parts[++this.#part];
      if (!part) return false;
      this.#path = part.path;
      this.#next = part.from;
      this.#have = 0;
      this.#size = Number.POSITIVE_INFINITY;
      this.#fill(part.from, 0);
    }
  }

  #take(): void {
    const at = this.#next;
    const size = this.#u32(at);
    this.#fill(at, SIZE_FIELD + size);
    const buf = this.#window;
    const local = at - this.#from;
    this.stamp.hi = buf.readUInt32BE(local + STAMP_AT);
    this.stamp.lo = buf.readUInt32BE(local + STAMP_AT + 4);
    this.attempts = buf.readUInt16BE(local + ATTEMPTS_AT);
    this.idHi = readHex32(buf, local + ID_AT);
    this.idLo = readHex32(buf, local + ID_AT + 8);
    this.start = local + BODY_AT;
    this.end = local + SIZE_FIELD + size;
    this.#next = at + SIZE_FIELD + size;
    this.count++;
  }

  #isRecord(at: number): boolean {
    if (!this.#hasHeader(at)) return false;
    const size = this.#u32(at);
    const end = at + SIZE_FIELD + size;
    if (end > this.#size) return false;
    const usual = size - SMALLEST_SIZE <= this.#options.maxMsgSize;
    if (usual) this.#fill(at, Math.min(end + BODY_AT, this.#size) - at);
    if (this.#endsWell(end)) return true;
    // Either what follows is damaged, or this size: then the next record begins before.
    return usual && this.#findRecord(at + 1, end) === end;
  }

  /** A size that may be one, and an id of hex digits. */
  #hasHeader(at: number): boolean {
    if (at + BODY_AT > this.#size) return false;
    this.#fill(at, BODY_AT);
    const local = at - this.#from;
    if (this.#u32(at) < SMALLEST_SIZE) return false;
    return readHex32(this.#window, local + ID_AT) !== -1 && readHex32(this.#window, local + ID_AT + 8) !== -1;
  }

  /** The file ends here, or another record begins. */
  #endsWell(end: number): boolean {
    return end === this.#size || this.#hasHeader(end);
  }

  /** Where the next record begins at or after `at`; `limit` if there is none before. */
  #findRecord(at: number, limit: number): number {
    for (; at < limit && at + BODY_AT <= this.#size; at++) {
      if (!this.#hasHeader(at)) continue;
      const hi = this.#u32(at + STAMP_AT);
      if (hi < EARLIEST_HI || hi > LATEST_HI) continue;
      const end = at + SIZE_FIELD + this.#u32(at);
      if (end <= this.#size && this.#endsWell(end)) return at;
    }
    return limit;
  }

  #u32(at: number): number {
    return this.#window.readUInt32BE(this.#local(at));
  }

  #local(at: number): number {
    this.#fill(at, SIZE_FIELD);
    return at - this.#from;
  }

  /** Sees to it that `need` bytes from `at` on are in the window. The file is open only meanwhile: queues are many. */
  #fill(at: number, need: number): void {
    if (at >= this.#from && at + need <= this.#from + this.#have && this.#have > 0) return;
    const files = this.#files;
    const fd = files.openSync(this.#path, 'r');
    try {
      if (this.#size === Number.POSITIVE_INFINITY) this.#size = files.fstatSync(fd).size;
      const want = Math.min(Math.max(need, this.#options.window), this.#size - at);
      if (want > this.#window.length) this.#window = Buffer.allocUnsafeSlow(want);
      this.#have = readFully(files, fd, this.#window, 0, want, at);
      if (this.#have < want)
        throw new Error(`${this.#path} ends at ${at + this.#have}, not at ${this.#size}`);
      this.#from = at;
    } finally {
      files.closeSync(fd);
    }
  }
}
