import { monotonic } from '../clock.js';

const INTERVAL = 10_000;

/** Says something that happens often once in a while, with how often it happened in between. */
export class OccasionalLog {
  readonly #say: (count: number) => void;
  readonly #now: () => number;
  #count = 0;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param now ms on a clock that only goes forward */
  constructor(say: (count: number) => void, now: () => number = monotonic) {
    this.#say = say;
    this.#now = now;
  }

  /** It happened so many times more: said at once if nothing was said for a while, else with the next. */
  add(count: number): void {
    this.#count += count;
    const now = this.#now();
    if (this.#count === 0 || now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL;
    this.#say(this.#count);
    this.#count = 0;
  }
}
