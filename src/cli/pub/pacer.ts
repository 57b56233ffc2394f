import { setTimeout } from 'node:timers/promises';

export interface PacerClock {
  now(): number;
  /** Resolves after `ms`, or rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
}

const SYSTEM_CLOCK: PacerClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

/** Spreads messages evenly: at most `rate` a second, without bursts after a pause. */
export class Pacer {
  readonly #msPerMessage: number;
  readonly #clock: PacerClock;
  #nextAt = 0;

  /** @param rate messages a second; 0 for no limit */
  constructor(rate: number, clock: PacerClock = SYSTEM_CLOCK) {
    this.#msPerMessage = rate > 0 ? 1000 / rate : 0;
    this.#clock = clock;
  }

  get isLimited(): boolean {
    return this.#msPerMessage > 0;
  }

  /** As many messages as may go together, so that a batch is at most a tenth of a second's share. */
  get batchLimit(): number {
    return this.isLimited ? Math.max(1, Math.floor(100 / this.#msPerMessage)) : Number.POSITIVE_INFINITY;
  }

  /** Resolves to true when `count` messages may go, and to false when the signal is aborted before. */
  async take(count: number, signal: AbortSignal): Promise<boolean> {
    if (!this.isLimited) return true;
    const wait = this.#nextAt - this.#clock.now();
    if (wait > 0) await this.#clock.sleep(wait, signal).catch(() => undefined);
    if (signal.aborted) return false;
    this.#nextAt = Math.max(this.#nextAt, this.#clock.now()) + count * this.#msPerMessage;
    return true;
  }
}
