import { giveBuffer, takeBuffer } from './slab-pool.js';

/**
 * A piece of a topic's log in memory: the same bytes as in the file, from position `pos` on. The slab being written
 * grows; one that was read back from a file is complete. It always holds whole blocks.
 *
 * Its buffer is used again once nobody holds it: who keeps a slab past the current call holds it, and lets go when it
 * is done. The maker holds it first.
 */
export class Slab {
  readonly buf: Buffer;
  /** The same bytes. */
  readonly view: DataView;
  /** Position of `buf[0]` in the topic's log. */
  readonly pos: number;
  /** Number of the first message in it. */
  readonly first: number;
  /** Number after the last message that may be read. */
  endN: number;
  /** Bytes that may be read: those of committed blocks. */
  length = 0;
  /** It is in its topic's list of slabs. */
  listed = false;
  #holders = 1;

  constructor(buf: Buffer, pos: number, first: number) {
    this.buf = buf;
    this.view = new DataView(buf.buffer, buf.byteOffset, buf.length);
    this.pos = pos;
    this.first = first;
    this.endN = first;
  }

  static allocate(size: number, pos: number, first: number): Slab {
    return new Slab(takeBuffer(size), pos, first);
  }

  get end(): number {
    return this.pos + this.length;
  }

  holds(pos: number): boolean {
    return pos >= this.pos && pos < this.pos + this.length;
  }

  hold(): void {
    this.#holders++;
  }

  letGo(): void {
    if (--this.#holders === 0) giveBuffer(this.buf);
  }
}
