import type { Segment } from './segment.js';
import type { Slab } from './slab.js';

/** Bytes of a slab that are to be written: `[from, to)`. */
export interface Piece {
  readonly slab: Slab;
  readonly from: number;
  to: number;
}

/** What goes to a segment file together: appended, but not to be read before it is written. */
export class Batch {
  readonly segment: Segment;
  /** Number of the first message in it. */
  readonly firstN: number;
  /** Number after the last one. */
  endN: number;
  readonly pieces: Piece[] = [];

  constructor(segment: Segment, firstN: number) {
    this.segment = segment;
    this.firstN = firstN;
    this.endN = firstN;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { from, to } of this.pieces) bytes += to - from;
    return bytes;
  }

  add(slab: Slab, from: number): void {
    slab.hold();
    this.pieces.push({ slab, from, to: from });
  }

  /** It is written: what is in it may be read. */
  accept(): void {
    const { segment, pieces } = this;
    for (let i = 0; i < pieces.length; i++) {
      const { slab, from, to } = pieces[i]!;
      segment.size += to - from;
      slab.length = to;
      slab.endN = pieces[i + 1]?.slab.first ?? this.endN;
      slab.letGo();
    }
    segment.endN = this.endN;
  }

  /** It is not written: nothing of it is kept. */
  discard(): void {
    for (const { slab } of this.pieces) slab.letGo();
    const { indexN, indexPos, deferred } = this.segment;
    while (indexN.length > 0 && indexN.at(-1)! >= this.firstN) {
      indexN.pop();
      indexPos.pop();
    }
    deferred.cut(deferred.indexFrom(this.firstN));
  }
}
