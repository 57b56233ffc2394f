const FIRST_SIZE = 16;

export interface DeferredMessage {
  readonly n: number;
  /** Deliveries so far. */
  readonly attempts: number;
  /** ms since 1970 */
  readonly due: number;
}

/**
 * Messages that wait for their due time, as a binary heap: the one that is due first comes first, of several the one with
 * the least number. In typed arrays, because there may be millions: 18 bytes each.
 */
export class Deferred {
  #due = new Float64Array(FIRST_SIZE);
  #n = new Float64Array(FIRST_SIZE);
  #attempts = new Uint16Array(FIRST_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** When the first one is due; Infinity if there is none. */
  get firstDue(): number {
    return this.#length > 0 ? this.#due[0]! : Number.POSITIVE_INFINITY;
  }

  push(n: number, attempts: number, due: number): void {
    if (this.#length === this.#n.length) this.#resize(this.#length * 2);
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(due, n, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, n, attempts, due);
  }

  /** Takes the first one out. */
  shift(): DeferredMessage | undefined {
    if (this.#length === 0) return undefined;
    const first = this.#at(0);
    const last = this.#at(--this.#length);
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#length) break;
      const right = child + 1;
      if (right < this.#length && this.#isBefore(this.#due[right]!, this.#n[right]!, child)) child = right;
      if (this.#isBefore(last.due, last.n, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, last.n, last.attempts, last.due);
    if (this.#length * 4 < this.#n.length && this.#n.length > FIRST_SIZE) this.#resize(this.#n.length / 2);
    return first;
  }

  /** Takes out those of which `isGone` says so. */
  extract(isGone: (n: number, attempts: number, due: number) => boolean): DeferredMessage[] {
    const gone: DeferredMessage[] = [];
    const length = this.#length;
    this.#length = 0;
    for (let at = 0; at < length; at++) {
      const n = this.#n[at]!;
      const attempts = this.#attempts[at]!;
      const due = this.#due[at]!;
      if (isGone(n, attempts, due)) gone.push({ n, attempts, due });
      else if (gone.length === 0) this.#length++;
      else this.push(n, attempts, due);
    }
    if (this.#length === 0) this.clear();
    return gone;
  }

  clear(): void {
    this.#length = 0;
    this.#resize(FIRST_SIZE);
  }

  /** All of them, in no order. */
  *[Symbol.iterator](): IterableIterator<DeferredMessage> {
    for (let at = 0; at < this.#length; at++) yield this.#at(at);
  }

  #at(at: number): DeferredMessage {
    return { n: this.#n[at]!, attempts: this.#attempts[at]!, due: this.#due[at]! };
  }

  #isBefore(due: number, n: number, other: number): boolean {
    const otherDue = this.#due[other]!;
    return due < otherDue || (due === otherDue && n < this.#n[other]!);
  }

  #put(at: number, n: number, attempts: number, due: number): void {
    this.#n[at] = n;
    this.#attempts[at] = attempts;
    this.#due[at] = due;
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#n[from]!, this.#attempts[from]!, this.#due[from]!);
  }

  #resize(size: number): void {
    const n = new Float64Array(size);
    const due = new Float64Array(size);
    const attempts = new Uint16Array(size);
    n.set(this.#n.subarray(0, this.#length));
    due.set(this.#due.subarray(0, this.#length));
    attempts.set(this.#attempts.subarray(0, this.#length));
    this.#n = n;
    this.#due = due;
    this.#attempts = attempts;
  }
}
