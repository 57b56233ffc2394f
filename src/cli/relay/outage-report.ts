import type { Now } from './selection.js';

/** While a target fails for the same reason, a line this often; and from any line to that of a failure, ms. */
const REPEAT_MS = 10_000;
const GAP_MS = 1000;

/** Says that a target fails and that it is back, in few lines however many messages there are. */
export class OutageReport {
  readonly #name: string;
  readonly #say: (line: string) => void;
  readonly #now: Now;
  /** Why it fails, as it was said last; '' if it was not said, undefined while it does not. */
  #reason: string | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  /** Failures since the last line. */
  #unsaid = 0;

  constructor(name: string, say: (line: string) => void, now: Now = () => performance.now()) {
    this.#name = name;
    this.#say = say;
    this.#now = now;
  }

  failed(error: Error): void {
    const isKnown = this.#reason === error.message;
    this.#reason ??= '';
    if (!this.#mayBeSaid(isKnown ? REPEAT_MS : GAP_MS)) {
      this.#unsaid++;
      return;
    }
    this.#reason = error.message;
    const more = this.#unsaid === 0 ? '' : ` (and ${this.#unsaid} more)`;
    this.#unsaid = 0;
    this.#say(`not delivered to ${this.#name}: ${error.message}${more}`);
  }

  succeeded(): void {
    if (this.#reason === undefined) return;
    const wasSaid = this.#reason !== '';
    this.#reason = undefined;
    this.#unsaid = 0;
    if (!wasSaid) return;
    this.#saidAt = this.#now();
    this.#say(`${this.#name} takes messages again`);
  }

  #mayBeSaid(gap: number): boolean {
    const now = this.#now();
    if (now - this.#saidAt < gap) return false;
    this.#saidAt = now;
    return true;
  }
}
