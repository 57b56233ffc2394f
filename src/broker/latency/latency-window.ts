import { Histogram } from './histogram.js';

/**
 * The latencies of the last while: between half a window's time and all of it, as nsqd keeps them. There are two halves,
 * counted from the window's beginning; when one is over, the older one is forgotten and filled anew.
 */
export class LatencyWindow {
  readonly #half: number;
  /** When the current half began, in ms. */
  #began: number;
  #current = new Histogram();
  #last = new Histogram();

  /**
   * @param length ms
   * @param now ms, on the clock that the other calls' times are of
   */
  constructor(length: number, now: number) {
    this.#half = length / 2;
    this.#began = now;
  }

  add(latency: number, times: number, now: number): void {
    if (now > this.#began + this.#half) this.#move(now);
    this.#current.add(latency, times);
  }

  addTo(sum: Histogram, now: number): void {
    if (now > this.#began + this.#half) this.#move(now);
    sum.addAll(this.#last);
    sum.addAll(this.#current);
  }

  #move(now: number): void {
    const halves = Math.ceil((now - this.#began) / this.#half) - 1;
    this.#began += halves * this.#half;
    const oldest = this.#last;
    this.#last = this.#current;
    this.#current = oldest;
    oldest.clear();
    if (halves > 1) this.#last.clear();
  }
}
