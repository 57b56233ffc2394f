import type { Slab } from './slab.js';

/** The slabs of one topic's log that are in memory, in order of their positions (and so of their messages' numbers). */
export class SlabList {
  readonly #slabs: Slab[] = [];

  add(slab: Slab): void {
    const at = this.#after(slab.pos);
    this.#slabs.splice(at, 0, slab);
    slab.listed = true;
    slab.hold();
  }

  remove(slab: Slab): void {
    if (!slab.listed) return;
    this.#slabs.splice(this.#slabs.indexOf(slab), 1);
    slab.listed = false;
    slab.letGo();
  }

  /** The slab that holds the byte at `pos`. */
  at(pos: number): Slab | undefined {
    const slab = this.#slabs[this.#after(pos) - 1];
    return slab?.holds(pos) ? slab : undefined;
  }

  /** The slab that holds message `n`. */
  of(n: number): Slab | undefined {
    let low = 0;
    let high = this.#slabs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slabs[middle]!.first <= n) low = middle + 1;
      else high = middle;
    }
    const slab = this.#slabs[low - 1];
    return slab && n < slab.endN ? slab : undefined;
  }

  /** Number of the first message of the unbroken row of slabs that reaches `end`; undefined if none does. */
  contiguousFrom(end: number): number | undefined {
    let first: number | undefined;
    for (let i = this.#slabs.length - 1; i >= 0 && this.#slabs[i]!.end === end; i--) {
      first = this.#slabs[i]!.first;
      end = this.#slabs[i]!.pos;
    }
    return first;
  }

  /** The first slab that begins after `pos`. */
  next(pos: number): Slab | undefined {
    return this.#slabs[this.#after(pos)];
  }

  clear(): Slab[] {
    const all = this.#slabs.splice(0);
    for (const slab of all) {
      slab.listed = false;
      slab.letGo();
    }
    return all;
  }

  [Symbol.iterator](): IterableIterator<Slab> {
    return this.#slabs[Symbol.iterator]();
  }

  /** How many slabs begin at or before `pos`. */
  #after(pos: number): number {
    let low = 0;
    let high = this.#slabs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slabs[middle]!.pos <= pos) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
