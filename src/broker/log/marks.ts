const FIRST_SIZE = 16;

/** A message that was published deferred. */
export interface DeferredMark {
  readonly n: number;
  /** ms since 1970 */
  readonly due: number;
}

/** The deferred messages of a segment, in order: 16 bytes each. */
export class Marks {
  #n = new Float64Array(FIRST_SIZE);
  #due = new Float64Array(FIRST_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `n` must be larger than all that are there. */
  push(n: number, due: number): void {
    if (this.#length === this.#n.length) this.#grow();
    this.#n[this.#length] = n;
    this.#due[this.#length++] = due;
  }

  /** Forgets all but the first `length`. */
  cut(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Index of the first one whose number is `n` or larger. */
  indexFrom(n: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#n[middle]! < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(index: number): DeferredMark {
    return { n: this.#n[index]!, due: this.#due[index]! };
  }

  /** When message `n` is due; undefined if it was not deferred. */
  dueOf(n: number): number | undefined {
    const at = this.indexFrom(n);
    return at < this.#length && this.#n[at] === n ? this.#due[at] : undefined;
  }

  #grow(): void {
    const n = new Float64Array(this.#length * 2);
    const due = new Float64Array(this.#length * 2);
    n.set(this.#n);
    due.set(this.#due);
    this.#n = n;
    this.#due = due;
  }
}
