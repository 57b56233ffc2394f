/** A binary heap of items that carry their own key: the least key first, items of one key in no order. */
export class Heap<T> {
  #items: T[] = [];
  readonly #key: (item: T) => number;

  constructor(key: (item: T) => number) {
    this.#key = key;
  }

  get length(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    const key = this.#key(item);
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#key(items[parent]!) <= key) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  shift(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) this.#sink(0, last);
    return first;
  }

  /** Keeps the items for which `keep` holds. */
  retain(keep: (item: T) => boolean): void {
    this.#items = this.#items.filter(keep);
    for (let at = (this.#items.length >> 1) - 1; at >= 0; at--) this.#sink(at, this.#items[at]!);
  }

  clear(): void {
    this.#items = [];
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items[Symbol.iterator]();
  }

  #sink(at: number, item: T): void {
    const items = this.#items;
    const key = this.#key(item);
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#key(items[child + 1]!) < this.#key(items[child]!)) child++;
      if (this.#key(items[child]!) >= key) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
