/** Messages `from` up to before `to`. */
export interface Skip {
  from: number;
  to: number;
}

/** The stretches ahead of a channel's cursor that it does not deliver, in order. */
export class Skips {
  readonly #list: Skip[] = [];

  /** The next one. */
  get first(): Skip | undefined {
    return this.#list[0];
  }

  add(from: number, to: number): void {
    const last = this.#list.at(-1);
    if (last && last.to === from) last.to = to;
    else this.#list.push({ from, to });
  }

  shift(): void {
    this.#list.shift();
  }

  clear(): void {
    this.#list.length = 0;
  }

  /** How many messages from number `n` on are skipped. */
  countFrom(n: number): number {
    let count = 0;
    for (const { from, to } of this.#list) count += Math.max(0, to - Math.max(from, n));
    return count;
  }

  [Symbol.iterator](): IterableIterator<Skip> {
    return this.#list[Symbol.iterator]();
  }
}
