import type { Now } from './selection.js';

const REPEAT_MS = 10_000;

/** Lines about messages one by one: the first is said, then one in ten seconds, with how many there were besides. */
export class Notice {
  readonly #say: (line: string) => void;
  readonly #now: Now;
  #saidAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(say: (line: string) => void, now: Now = () => performance.now()) {
    this.#say = say;
    this.#now = now;
  }

  say(line: string): void {
    const now = this.#now();
    if (now - this.#saidAt < REPEAT_MS) {
      this.#unsaid++;
      return;
    }
    this.#saidAt = now;
    this.#say(`${line}${this.#unsaid === 0 ? '' : ` (and ${this.#unsaid} more before)`}`);
    this.#unsaid = 0;
  }

  /** At the end: how many were not said. */
  flush(): void {
    if (this.#unsaid > 0) this.#say(`${this.#unsaid} more of the kind`);
    this.#unsaid = 0;
  }
}
