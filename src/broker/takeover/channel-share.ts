import { HeldRanges } from '../state/held-ranges.js';
import type { EntrySink } from '../state/journal-entries.js';

/** Which of the imported messages are a channel's, and how often each was delivered. */
export class ChannelShare {
  readonly #ranges = new HeldRanges();

  get size(): number {
    return this.#ranges.size;
  }

  /** Of a message that comes twice, the last one counts: it was put back later. */
  add(n: number, attempts: number): void {
    this.#ranges.set(n, attempts, 0);
  }

  /** Adds a message, unless it is there. */
  addMissing(n: number): void {
    this.#ranges.add(n, n + 1);
  }

  /**
   * Tells a journal of the channel, so that it delivers its messages of those before `endN` and all after: new ones from
   * the log, past those that are not its own or were delivered before; and these as held.
   */
  describe(id: number, name: string, paused: boolean, endN: number, into: EntrySink): void {
    const fresh = [...this.#ranges].filter(({ attempts }) => attempts === 0);
    let at = fresh[0]?.from ?? endN;
    into.channel(id, at, paused, name);
    for (const { from, to, attempts } of this.#ranges) {
      if (attempts > 0) into.held(id, from, to - from, attempts);
    }
    for (const { from, to } of [...fresh, { from: endN, to: endN }]) {
      if (from > at) into.skipped(id, at, from);
      at = to;
    }
  }
}
