/** Delays that double from `min` to `max`, each a random part between half and whole, so that clients spread out. */
export class Backoff {
  readonly #min: number;
  readonly #max: number;
  readonly #random: () => number;
  #attempts = 0;

  /** `min` and `max` in milliseconds; `random` gives numbers from 0 to below 1. */
  constructor(min: number, max: number, random: () => number = Math.random) {
    this.#min = min;
    this.#max = Math.max(min, max);
    this.#random = random;
  }

  /** Delays handed out since the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next delay, in milliseconds. */
  next(): number {
    const whole = Math.min(this.#max, this.#min * 2 ** Math.min(this.#attempts, 40));
    this.#attempts++;
    return whole * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
