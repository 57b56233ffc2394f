import type { Consumer } from './consumer.js';
import { type Place, type Proximity, proximityOf } from './proximity.js';
import { type Available, type Serve, Tier } from './tier.js';

/** The consumers of a channel, in one tier or in one for each {@link Proximity}. */
export class Consumers {
  readonly #broker: Place | undefined;
  readonly #tiers: { readonly global: Tier } & Readonly<Partial<Record<Proximity, Tier>>>;
  readonly #nearestFirst: readonly Tier[];
  #size = 0;

  /** @param broker where it is, if the nearest consumers are to be preferred */
  constructor(broker?: Place) {
    const global = new Tier();
    this.#broker = broker;
    this.#tiers = broker ? { zone: new Tier(), region: new Tier(), global } : { global };
    this.#nearestFirst = Object.values(this.#tiers);
  }

  get size(): number {
    return this.#size;
  }

  /** How many messages they take at the moment, all together. */
  get capacity(): number {
    let capacity = 0;
    for (const consumer of this) capacity += Math.max(0, consumer.capacity());
    return capacity;
  }

  *[Symbol.iterator](): IterableIterator<Consumer> {
    for (const { consumers } of this.#nearestFirst) yield* consumers;
  }

  add(consumer: Consumer): void {
    this.#tierOf(consumer).add(consumer);
    this.#size++;
  }

  /** False if it is not among them. */
  remove(consumer: Consumer): boolean {
    const removed = this.#nearestFirst.some((tier) => tier.remove(consumer));
    if (removed) this.#size--;
    return removed;
  }

  clear(): Consumer[] {
    this.#size = 0;
    return this.#nearestFirst.flatMap((tier) => tier.clear());
  }

  /** Messages that were given to consumers this near, each time anew; where there is one tier, all are global. */
  deliveryCount(proximity: Proximity): number {
    return this.#tiers[proximity]?.deliveryCount ?? 0;
  }

  /** Serves the nearest that are ready until none of them is, then those of the next tier, as long as something is left. */
  share(available: Available, serve: Serve): void {
    for (const tier of this.#nearestFirst) if (!tier.share(available, serve)) return;
  }

  #tierOf(consumer: Consumer): Tier {
    const { global } = this.#tiers;
    return this.#broker ? (this.#tiers[proximityOf(consumer.place, this.#broker)] ?? global) : global;
  }
}
