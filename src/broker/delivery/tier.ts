import type { Consumer } from './consumer.js';

/** How many messages there are. */
export type Available = () => number;
/** Gives a consumer up to `share` messages, and says how many it got. */
export type Serve = (consumer: Consumer, share: number) => number;

/** Consumers that are equally near, and how messages are shared out among them. */
export class Tier {
  /** Messages that were given to its consumers, each time anew. */
  deliveryCount = 0;
  readonly #list: Consumer[] = [];
  /** Counts the rounds, so that each begins with another consumer. */
  #round = 0;

  get consumers(): readonly Consumer[] {
    return this.#list;
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
   * is, as far as it takes so much. False if they would take more.
   */
  share(available: Available, serve: Serve): boolean {
    if (this.#list.length === 0) return true;
    let ready = this.#list.filter((consumer) => consumer.capacity() > 0);
    this.#round++;
    while (ready.length > 0) {
      const share = Math.max(1, Math.ceil(available() / ready.length));
      let given = 0;
      for (let i = 0; i < ready.length; i++) given += serve(ready[(i + this.#round) % ready.length]!, share);
      if (given === 0) return false;
      this.deliveryCount += given;
      ready = ready.filter((consumer) => consumer.capacity() > 0);
    }
    return true;
  }
}
