/** Notices when nothing is received any more for `timeout` ms (0 = does not). */
export class ReadWatch {
  readonly #timer: NodeJS.Timeout | undefined;
  /** Quarters of the time-out in which nothing came. */
  #silence = 0;

  constructor(timeout: number, silent: () => void) {
    if (timeout === 0) return;
    this.#timer = setInterval(() => {
      // The first tick may come right after the last bytes: five ticks are four quarters at least.
      if (++this.#silence >= 5) silent();
    }, timeout / 4).unref();
  }

  /** Something came. */
  received(): void {
    this.#silence = 0;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
