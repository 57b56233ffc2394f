/** 64 bits of an id as two 32-bit halves. */
export interface IdHalves {
  hi: number;
  lo: number;
}

const TWO_32 = 2 ** 32;
/** The lower 54 bits count; the node id stands in the upper 10. */
const NODE_SHIFT = 22;
const COUNT_HI_MASK = 0x3fffff;
/** 2024-01-01; counts begin at the time's distance from it. */
const EPOCH = Date.UTC(2024, 0, 1);
/** Ids per millisecond since the epoch: more than a topic can be given, and enough room for 69 years. */
const PER_MILLISECOND = 4096;

/**
 * Where a run of ids begins. Ids follow the time, so that a topic that is made anew, or that has lost its end with the
 * machine's power, never gives an id twice; within a run they just count up.
 */
export class IdSource {
  readonly #nodeId: number;
  readonly #now: () => number;
  #last = 0;

  /** @param nodeId 0 to 1023 */
  constructor(nodeId: number, now: () => number = Date.now) {
    this.#nodeId = nodeId;
    this.#now = now;
  }

  /** The first id of a new run. It lies after `after`, and after every run begun before. */
  next(after?: IdHalves): IdHalves {
    const byTime = Math.max(0, this.#now() - EPOCH) * PER_MILLISECOND;
    const byOrder = after ? (after.hi & COUNT_HI_MASK) * TWO_32 + after.lo : 0;
    const count = Math.max(byTime, byOrder, this.#last + 1);
    this.#last = count;
    return { hi: ((this.#nodeId << NODE_SHIFT) | Math.floor(count / TWO_32)) >>> 0, lo: count % TWO_32 };
  }
}
