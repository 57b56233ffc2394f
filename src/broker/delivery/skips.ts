/** Messages `from` up to before `to`. */
export interface Skip {
  from: number;
  to: number;
  /** It is so for good, and the journal says so; else they cannot be read at the moment. */
  isLasting: boolean;
}

interface CountedSkip extends Skip {
  /** Messages of all stretches that were ever added before this one. */
  readonly before: number;
}

/** The stretches ahead of a channel's cursor that it does not deliver, in order. There may be a hundred thousand. */
export class Skips {
  #list: CountedSkip[] = [];
  /** Where in the list the next one is: each is taken out in turn. */
  #head = 0;
  /** Messages of all that were ever added. */
  #count = 0;

  /** The next one. */
  get first(): Skip | undefined {
    return this.#list[this.#head];
  }

  /** Adds one behind all that there are. */
  add(from: number, to: number, isLasting = true): void {
    const last = this.#head < this.#list.length ? this.#list.at(-1) : undefined;
    if (last && last.to === from && last.isLasting === isLasting) last.to = to;
    else this.#list.push({ from, to, isLasting, before: this.#count });
    this.#count += to - from;
  }

  shift(): void {
    if (!this.first) return;
    this.#head++;
    if (this.#head * 2 < this.#list.length) return;
    this.#list = this.#list.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#list = [];
    this.#head = 0;
  }

  has(n: number): boolean {
    const skip = this.#list[this.#endingAfter(n)];
    return skip !== undefined && skip.from <= n;
  }

  /** How many messages from number `n` on are skipped. */
  countFrom(n: number): number {
    const skip = this.#list[this.#endingAfter(n)];
    return skip ? this.#count - skip.before - Math.max(0, n - skip.from) : 0;
  }

  /** How many messages of `[from, to)` are skipped. */
  countBetween(from: number, to: number): number {
    return from < to ? this.countFrom(from) - this.countFrom(to) : 0;
  }

  *[Symbol.iterator](): IterableIterator<Skip> {
    for (let at = this.#head; at < this.#list.length; at++) {
      const { from, to, isLasting } = this.#list[at]!;
      yield { from, to, isLasting };
    }
  }

  /** Index of the first one that ends after message `n`. */
  #endingAfter(n: number): number {
    const { first } = this;
    if (!first || first.to > n) return this.#head;
    let low = this.#head + 1;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle]!.to <= n) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
