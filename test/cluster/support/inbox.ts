import { Consumer, type ConsumerOptions } from '../../../src/client/index.js';
import { cleanup } from '../../support/temp.js';

/** A consumer that finishes what it gets and notes when it first got it. */
export class Inbox {
  readonly consumer: Consumer;
  /** When each body first came, on the clock of `performance.now()`. */
  readonly times = new Map<string, number>();
  #waiting: ((body: string) => void)[] = [];

  /** Closed with the test. */
  constructor(options: ConsumerOptions) {
    this.consumer = new Consumer({ maxInFlight: 50, maxAttempts: 0, ...options });
    cleanup(() => this.consumer.close({ timeout: 0 }));
    void this.#run();
  }

  async #run(): Promise<void> {
    for await (const message of this.consumer) {
      const body = message.text();
      if (!this.times.has(body)) this.times.set(body, performance.now());
      message.finish();
      for (const wake of this.#waiting.splice(0)) wake(body);
    }
  }

  /** The next message of this kind: its body, and when it came. */
  async next(matches: (body: string) => boolean): Promise<[body: string, at: number]> {
    for (;;) {
      const body = await this.#arrival();
      if (matches(body)) return [body, performance.now()];
    }
  }

  /** Resolves when all of these have come. */
  async has(bodies: readonly string[]): Promise<void> {
    const missing = new Set(bodies.filter((body) => !this.times.has(body)));
    while (missing.size > 0) missing.delete(await this.#arrival());
  }

  /** The time from `since` until the last of these came, ms. Resolves when it has. */
  async delay(bodies: readonly string[], since: number): Promise<number> {
    await this.has(bodies);
    return Math.max(...bodies.map((body) => (this.times.get(body) ?? 0) - since));
  }

  #arrival(): Promise<string> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
