import { ProtocolError } from './errors.js';

/** `u32 count`, then `u32 size | body` for each message (TCP protocol specification, "MPUB"). */
const COUNT_SIZE = 4;
const LENGTH_SIZE = 4;

/**
 * Checks an MPUB body as it arrives, so that a bad one is refused at its first bad byte. Its messages say where it ends:
 * nsqd does not hold them against the size that the command announced, and clients count on that (nsq.js 1.1.0 announces
 * four bytes too few, nsqueue 0.6.0 four too many).
 */
export class MpubBody {
  /** Messages that the body announces; 0 until its first four bytes are there. */
  count = 0;
  #left = 0;
  #next = 0;

  /** Bytes up to the end of the last message that was looked at. */
  get length(): number {
    return this.#next;
  }

  /** How many bytes it has at least, by what was looked at. */
  get least(): number {
    if (this.#next === 0) return COUNT_SIZE;
    return this.#left > 0 ? this.#next + LENGTH_SIZE : this.#next;
  }

  /** Whether all of it is within the `have` bytes that were looked at. */
  isWhole(have: number): boolean {
    return this.least <= have;
  }

  /** Begins another body. */
  begin(): void {
    this.count = 0;
    this.#left = 0;
    this.#next = 0;
  }

  /**
   * Goes over what has come of the body, and perhaps of what follows it: `buf[start, start + have)`.
   * @throws ProtocolError E_BAD_BODY for a bad count or a body too big, E_BAD_MESSAGE for a bad message size.
   */
  advance(buf: Buffer, start: number, have: number, maxMsgSize: number, maxBodySize: number): void {
    if (this.#next === 0) {
      if (have < COUNT_SIZE) return;
      const count = buf.readInt32BE(start);
      if (count <= 0 || count > (maxBodySize - COUNT_SIZE) / (LENGTH_SIZE + 1)) {
        throw new ProtocolError('E_BAD_BODY', `MPUB invalid message count ${count}`);
      }
      this.count = count;
      this.#left = count;
      this.#next = COUNT_SIZE;
    }
    while (this.#left > 0 && this.#next + LENGTH_SIZE <= have) {
      const o = start + this.#next;
      const length = (buf[o]! << 24) | (buf[o + 1]! << 16) | (buf[o + 2]! << 8) | buf[o + 3]!;
      if (length <= 0 || length > maxMsgSize) this.#refuse(length, maxMsgSize);
      this.#next += LENGTH_SIZE + length;
      this.#left--;
    }
    if (this.#next > maxBodySize) {
      throw new ProtocolError('E_BAD_BODY', `MPUB body too big ${this.#next} > ${maxBodySize}`);
    }
  }

  #refuse(length: number, maxMsgSize: number): never {
    if (length <= 0) {
      const index = this.count - this.#left;
      throw new ProtocolError('E_BAD_MESSAGE', `MPUB invalid message(${index}) body size ${length}`);
    }
    throw new ProtocolError('E_BAD_MESSAGE', `MPUB message too big ${length} > ${maxMsgSize}`);
  }
}
