const FIRST_CAPACITY = 1024;
const GROWTH = 1.5;
const FULLEST = 0.75;
const NOBODY = 0xffff;
const NO_NUMBER = 0xffffffff;

/**
 * The ids of the messages of several queues: how many queues have each, and the number it got in the topic's log.
 * 18 bytes an entry in flat arrays, so 24 to 36 bytes a message: an object for each would take four times as much.
 */
export class IdIndex {
  #capacity = FIRST_CAPACITY;
  #size = 0;
  #hi = new Uint32Array(FIRST_CAPACITY);
  #lo = new Uint32Array(FIRST_CAPACITY);
  #number = new Uint32Array(FIRST_CAPACITY);
  /** Queues that have it; 0 for an entry that is free. */
  #queues = new Uint16Array(FIRST_CAPACITY);
  /** The queue that had it last: while they are read one after the other, a second time is not counted. */
  #last = new Uint16Array(FIRST_CAPACITY);
  /** Queues of which it is the next message. */
  #arrived = new Uint16Array(FIRST_CAPACITY);

  /** Distinct ids. */
  get size(): number {
    return this.#size;
  }

  /** Notes that a queue has the id. */
  add(hi: number, lo: number, queue: number): void {
    if (this.#size >= this.#capacity * FULLEST) this.#grow();
    const slot = this.#slotOf(hi, lo);
    if (this.#queues[slot] === 0) {
      this.#hi[slot] = hi;
      this.#lo[slot] = lo;
      this.#number[slot] = NO_NUMBER;
      this.#last[slot] = NOBODY;
      this.#size++;
    } else if (this.#last[slot] === queue) return;
    this.#last[slot] = queue;
    this.#queues[slot]!++;
  }

  /** The entry of an id, -1 if there is none. Entries move when ids are added. */
  find(hi: number, lo: number): number {
    const slot = this.#slotOf(hi, lo);
    return this.#queues[slot] === 0 ? -1 : slot;
  }

  queuesOf(slot: number): number {
    return this.#queues[slot]!;
  }

  /** The id is the next of one queue more; true if it is the next of all that have it. */
  arrive(slot: number): boolean {
    this.#arrived[slot]!++;
    return this.isReady(slot);
  }

  isReady(slot: number): boolean {
    return this.#arrived[slot] === this.#queues[slot];
  }

  /** The message's number in the log, -1 if it has none yet. */
  numberOf(slot: number): number {
    const number = this.#number[slot]!;
    return number === NO_NUMBER ? -1 : number;
  }

  setNumber(slot: number, n: number): void {
    this.#number[slot] = n;
  }

  #slotOf(hi: number, lo: number): number {
    // Ids count up in their lower half: mixed, they spread.
    let hash = Math.imul(lo ^ Math.imul(hi, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    let slot = ((hash ^ (hash >>> 13)) >>> 0) % this.#capacity;
    while (this.#queues[slot] !== 0 && (this.#lo[slot] !== lo || this.#hi[slot] !== hi)) {
      slot = slot + 1 === this.#capacity ? 0 : slot + 1;
    }
    return slot;
  }

  #grow(): void {
    const old = { hi: this.#hi, lo: this.#lo, queues: this.#queues, last: this.#last };
    this.#capacity = Math.ceil(this.#capacity * GROWTH);
    this.#hi = new Uint32Array(this.#capacity);
    this.#lo = new Uint32Array(this.#capacity);
    this.#number = new Uint32Array(this.#capacity);
    this.#queues = new Uint16Array(this.#capacity);
    this.#last = new Uint16Array(this.#capacity);
    this.#arrived = new Uint16Array(this.#capacity);
    for (let from = 0; from < old.queues.length; from++) {
      if (old.queues[from] === 0) continue;
      const slot = this.#slotOf(old.hi[from]!, old.lo[from]!);
      this.#hi[slot] = old.hi[from]!;
      this.#lo[slot] = old.lo[from]!;
      this.#number[slot] = NO_NUMBER;
      this.#queues[slot] = old.queues[from]!;
      this.#last[slot] = old.last[from]!;
    }
  }
}
