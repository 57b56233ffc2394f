import type { Parcel } from './parcel.js';

/**
 * Of each topic, the parcel that calls may still be added to. There is mostly just one: it is kept out of the map, whose
 * entries come and go at a price.
 */
export class OpenParcels {
  #first: Parcel | undefined;
  readonly #others = new Map<string, Parcel>();

  get(topic: string): Parcel | undefined {
    const first = this.#first;
    if (first !== undefined && first.topic === topic) return first;
    return this.#others.size === 0 ? undefined : this.#others.get(topic);
  }

  /** Adds one, in place of its topic's other one. */
  add(parcel: Parcel): void {
    const { topic } = parcel;
    if (this.#first === undefined || this.#first.topic === topic) {
      this.#first = parcel;
      if (this.#others.size > 0) this.#others.delete(topic);
    } else {
      this.#others.set(topic, parcel);
    }
  }

  /** Does nothing when it is not open. */
  delete(parcel: Parcel): void {
    if (this.#first === parcel) this.#first = undefined;
    else if (this.#others.get(parcel.topic) === parcel) this.#others.delete(parcel.topic);
  }
}
