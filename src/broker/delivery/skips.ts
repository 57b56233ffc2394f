/** Messages `from` up to before `to`. */
export interface Skip {
  from: number;
  to: number;
}

/** The stretches ahead of a channel's cursor that it does not deliver, in order. */
export class Skips {
  #list: Skip[] = [];
  /** Where in the list the next one is: there may be a hundred thousand, and each is taken out in turn. */
  #head = 0;
  #count = 0;

  /** The next one. */
  get first(): Skip | undefined {
    return this.#list[this.#head];
  }

  add(from: number, to: number): void {
    const last = this.#head < this.#list.length ? this.#list.at(-1) : undefined;
    if (last && last.to === from) last.to = to;
    else this.#list.push({ from, to });
    this.#count += to - from;
  }

  shift(): void {
    const { first } = this;
    if (!first) return;
    this.#count -= first.to - first.from;
    this.#head++;
    if (this.#head * 2 < this.#list.length) return;
    this.#list = this.#list.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#list = [];
    this.#head = 0;
    this.#count = 0;
  }

  /** How many messages from number `n` on are skipped. */
  countFrom(n: number): number {
    let count = this.#count;
    for (let at = this.#head; at < this.#list.length && this.#list[at]!.from < n; at++) {
      const { from, to } = this.#list[at]!;
      count -= Math.min(n, to) - from;
    }
    return count;
  }

  *[Symbol.iterator](): IterableIterator<Skip> {
    for (let at = this.#head; at < this.#list.length; at++) yield this.#list[at]!;
  }
}
