/** Bytes gathered before they are handed on without waiting for the turn's end. */
const SLAB_SIZE = 64 * 1024;
/** From here a command is handed on as it is: copying would cost more than another buffer in the write. */
const LARGE = 16 * 1024;

/**
 * Gathers what is sent within one turn of the event loop, so that it goes out in one write. Written parts of a slab
 * are never touched again, so the receiver may keep them.
 *
 *     slab   [ handed on | gathered | free ]
 *                        ^start     ^end
 */
export class Outbox {
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  /** Parts before the slab's, in order. */
  #parts: Buffer[] = [];
  #size = 0;
  /** The only bytes that were added so far: a command that goes out alone is not copied. */
  #lone: Buffer | undefined;

  /** Bytes gathered and not taken. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= SLAB_SIZE;
  }

  /** The slab the last {@link claim} is in. */
  get slab(): Buffer {
    return this.#slab;
  }

  /** Makes room for `size` bytes (at most a few hundred) that the caller writes to {@link slab}; gives their offset. */
  claim(size: number): number {
    if (this.#lone !== undefined) this.#gatherLone();
    if (this.#slab.length - this.#end < size) this.#renew();
    const at = this.#end;
    this.#end += size;
    this.#size += size;
    return at;
  }

  /** Adds bytes, which must stay as they are until written. */
  add(bytes: Buffer): void {
    if (this.#size === 0) {
      this.#lone = bytes;
      this.#size = bytes.length;
      return;
    }
    if (this.#lone !== undefined) this.#gatherLone();
    this.#gather(bytes);
  }

  /** Hands out all that was gathered, in order. */
  take(): Buffer[] {
    const lone = this.#lone;
    if (lone !== undefined) {
      this.#lone = undefined;
      this.#size = 0;
      return [lone];
    }
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    this.#size = 0;
    return parts;
  }

  #gatherLone(): void {
    const lone = this.#lone;
    if (lone === undefined) return;
    this.#lone = undefined;
    this.#size = 0;
    this.#gather(lone);
  }

  #gather(bytes: Buffer): void {
    if (bytes.length < LARGE) {
      const at = this.claim(bytes.length);
      this.#slab.set(bytes, at);
    } else {
      this.#cut();
      this.#parts.push(bytes);
      this.#size += bytes.length;
    }
  }

  #cut(): void {
    if (this.#end > this.#start) this.#parts.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #renew(): void {
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#start = 0;
    this.#end = 0;
  }
}
