import type { Consumer } from './consumer.js';

/** The consumers of a channel, and how messages are shared out among them. */
export class Consumers {
  readonly #list: Consumer[] = [];
  /** Counts the rounds, so that each begins with another consumer. */
  #round = 0;

  get size(): number {
    return this.#list.length;
  }

  /** How many messages they take at the moment, all together. */
  get capacity(): number {
    let capacity = 0;
    for (const consumer of this.#list) capacity += Math.max(0, consumer.capacity());
    return capacity;
  }

  [Symbol.iterator](): IterableIterator<Consumer> {
    return this.#list[Symbol.iterator]();
  }

  add(consumer: Consumer): void {
    this.#list.push(consumer);
  }

  /** False if it is not among them. */
  remove(consumer: Consumer): boolean {
    const at = this.#list.indexOf(consumer);
    if (at !== -1) this.#list.splice(at, 1);
    return at !== -1;
  }

  clear(): Consumer[] {
    return this.#list.splice(0);
  }

  /**
   * Serves all that are ready, round by round, until none is or nothing is left. Each gets the same share of what there
   * is, as far as it takes so much.
   *
   * @param available how many messages there are
   * @param serve gives a consumer up to `share` messages, and says how many it got
   */
  share(available: () => number, serve: (consumer: Consumer, share: number) => number): void {
    let ready = this.#list.filter((consumer) => consumer.capacity() > 0);
    this.#round++;
    while (ready.length > 0) {
      const share = Math.max(1, Math.ceil(available() / ready.length));
      let given = 0;
      for (let i = 0; i < ready.length; i++) given += serve(ready[(i + this.#round) % ready.length]!, share);
      if (given === 0) return;
      ready = ready.filter((consumer) => consumer.capacity() > 0);
    }
  }
}
