import { ProtocolError } from './errors.js';

const NEWLINE = 0x0a;
const SIZE = 4;
const EMPTY = Buffer.alloc(0);

/** A line is a command and two names. The bound only keeps a peer that never ends one from filling the memory. */
export const MAX_LOOKUP_LINE = 64 * 1024;
/** Bytes of a body or an answer at most. The real ones are a few hundred. */
export const MAX_LOOKUP_BLOCK = 64 * 1024;

/**
 * Takes protocol V1 apart, in either direction and however the bytes arrive: fixed bytes (the magic), lines (commands),
 * and blocks of `u32 size | data` (bodies and answers). What is asked for next is the caller's business, since only it
 * knows which line has a body behind it.
 *
 *     push(chunk)  ->  bytes(4)? line()? block()?  ->  undefined until it is there
 */
export class LookupReader {
  #buffer: Buffer = EMPTY;
  /** Bytes before this are taken. */
  #start = 0;
  /** Bytes before this have been searched for a newline. */
  #searched = 0;

  /** The chunk is kept, not copied, until all of it is taken. */
  push(chunk: Buffer): void {
    this.#buffer = this.buffered === 0 ? chunk : Buffer.concat([this.#buffer.subarray(this.#start), chunk]);
    this.#searched = Math.max(0, this.#searched - this.#start);
    this.#start = 0;
  }

  /** Bytes that were pushed and not taken. */
  get buffered(): number {
    return this.#buffer.length - this.#start;
  }

  bytes(count: number): Buffer | undefined {
    if (this.buffered < count) return undefined;
    const bytes = this.#buffer.subarray(this.#start, this.#start + count);
    this.#take(count);
    return bytes;
  }

  /**
   * The next line without its newline and without blanks at either end.
   * @throws ProtocolError E_INVALID when it is longer than {@link MAX_LOOKUP_LINE}
   */
  line(): string | undefined {
    const newline = this.#buffer.indexOf(NEWLINE, Math.max(this.#start, this.#searched));
    const end = newline === -1 ? this.#buffer.length : newline;
    if (end - this.#start > MAX_LOOKUP_LINE)
      throw new ProtocolError('E_INVALID', `line exceeds ${MAX_LOOKUP_LINE} bytes`);
    if (newline === -1) {
      this.#searched = end;
      return undefined;
    }
    const line = this.#buffer.toString('utf8', this.#start, end).trim();
    this.#take(end + 1 - this.#start);
    return line;
  }

  /** The data of the next block. @throws ProtocolError E_BAD_BODY when its size is negative or out of bounds */
  block(): Buffer | undefined {
    if (this.buffered < SIZE) return undefined;
    const size = this.#buffer.readInt32BE(this.#start);
    if (size < 0 || size > MAX_LOOKUP_BLOCK)
      throw new ProtocolError('E_BAD_BODY', `body size ${size} is not from 0 to ${MAX_LOOKUP_BLOCK}`);
    if (this.buffered < SIZE + size) return undefined;
    this.#take(SIZE);
    return this.bytes(size);
  }

  #take(count: number): void {
    this.#start += count;
    if (this.#start < this.#buffer.length) return;
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#searched = 0;
  }
}
