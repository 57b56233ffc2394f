import type { Slab } from './slab.js';

/** Where a slab is kept, and taken from when memory is short. */
export interface SlabOwner {
  dropSlab(slab: Slab): void;
}

/**
 * Bounds the memory of all topics' slabs together. They are on disk already, so the oldest are simply let go; what
 * still needs them reads them back.
 */
export class SlabCache {
  readonly #budget: number;
  readonly #slabs = new Map<Slab, SlabOwner>();
  #bytes = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(slab: Slab, owner: SlabOwner): void {
    this.#slabs.set(slab, owner);
    this.#bytes += slab.buf.length;
    if (this.#bytes <= this.#budget) return;
    for (const [oldest, itsOwner] of this.#slabs) {
      if (this.#bytes <= this.#budget) break;
      if (oldest === slab) continue;
      this.remove(oldest);
      itsOwner.dropSlab(oldest);
    }
  }

  remove(slab: Slab): void {
    if (this.#slabs.delete(slab)) this.#bytes -= slab.buf.length;
  }
}
