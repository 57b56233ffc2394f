/** Of the event loop: in the first a broker in this very process reads, in the second what it has written is read. */
const TURNS = 3;

/**
 * Until when all that came has been read. It falls behind while this process is busy: its timers then ring before it reads
 * what has come meanwhile.
 */
export class ReadClock {
  #time = 0;
  #isAdvancing = false;

  /** `performance.now()`, ms. */
  get time(): number {
    return this.#time;
  }

  /** Calls `advanced` when all that came until now has been read; not again when that is under way already. */
  advance(advanced: () => void): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    const now = performance.now();
    afterTurns(TURNS, () => {
      this.#isAdvancing = false;
      this.#time = now;
      advanced();
    });
  }
}

function afterTurns(turns: number, done: () => void): void {
  setImmediate(() => (turns > 1 ? afterTurns(turns - 1, done) : done()));
}
