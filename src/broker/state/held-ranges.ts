/** Messages `from` up to before `to` that a channel took and has not finished. */
export interface HeldRange {
  from: number;
  to: number;
  /** Deliveries so far; 0 where only the position says that the message was taken. */
  attempts: number;
  /** When it is due again, ms since 1970; 0 if it is not deferred. */
  due: number;
}

/** An ordered list of ranges without overlaps: what replaying a channel's journal leaves. */
export class HeldRanges {
  readonly #ranges: HeldRange[] = [];

  get size(): number {
    let size = 0;
    for (const { from, to } of this.#ranges) size += to - from;
    return size;
  }

  /** Number after the last message; 0 if there is none. */
  get end(): number {
    return this.#ranges.at(-1)?.to ?? 0;
  }

  [Symbol.iterator](): IterableIterator<HeldRange> {
    return this.#ranges[Symbol.iterator]();
  }

  /** The ranges that have a part in `[from, to)`, whole. */
  *overlapping(from: number, to: number): IterableIterator<HeldRange> {
    for (let at = this.#firstEndingAfter(from); ; at++) {
      const range = this.#ranges[at];
      if (!range || range.from >= to) return;
      yield range;
    }
  }

  has(n: number): boolean {
    const range = this.#ranges[this.#firstEndingAfter(n)];
    return range !== undefined && range.from <= n;
  }

  /** Adds what is not in the list yet of `[from, to)`; what is there stays as it is. */
  add(from: number, to: number, attempts = 0, due = 0): void {
    while (from < to) {
      const at = this.#firstEndingAfter(from);
      const next = this.#ranges[at];
      if (next && next.from <= from) {
        from = next.to;
        continue;
      }
      const end = next ? Math.min(next.from, to) : to;
      this.#insert(at, { from, to: end, attempts, due });
      from = end;
    }
  }

  /** Sets one message, whatever the list said of it. */
  set(n: number, attempts: number, due: number): void {
    this.remove(n, n + 1);
    this.#insert(this.#firstEndingAfter(n), { from: n, to: n + 1, attempts, due });
  }

  remove(from: number, to: number): void {
    const at = this.#firstEndingAfter(from);
    let end = at;
    while (end < this.#ranges.length && this.#ranges[end]!.from < to) end++;
    if (end === at) return;
    const first = this.#ranges[at]!;
    const last = this.#ranges[end - 1]!;
    const before = first.from < from ? { ...first, to: from } : undefined;
    const after = last.to > to ? { ...last, from: to } : undefined;
    // In one go: there may be a hundred thousand behind, and each splice moves them.
    this.#ranges.splice(at, end - at, ...[before, after].filter((it) => it !== undefined));
  }

  #insert(at: number, range: HeldRange): void {
    const before = this.#ranges[at - 1];
    if (
      before &&
      before.to === range.from &&
      before.attempts === range.attempts &&
      before.due === range.due
    ) {
      before.to = range.to;
    } else {
      this.#ranges.splice(at, 0, range);
    }
  }

  /** Index of the first range that ends after `n`. */
  #firstEndingAfter(n: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.to <= n) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
