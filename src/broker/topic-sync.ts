import { monotonic } from './clock.js';
import type { CommitTicket } from './turn.js';

/**
 * Syncs because of `syncEvery` pause for so many times as long as the last one took. Under load one after the other would
 * write out what consumers are about to finish, and hold up the writes of the next messages.
 */
const PAUSE = 9;

/** Puts what a topic has written on stable storage, off the event loop, and settles what waits for that. */
export class TopicSync {
  readonly #start: (done: (error: Error | null) => void) => void;
  #waiting: CommitTicket[] = [];
  /** Those that the sync under way is for. */
  #syncing: CommitTicket[] = [];
  #running = false;
  #whenIdle: (() => void) | undefined;
  /** Until then (monotonic, ms) `soon` does nothing. */
  #pauseUntil = 0;
  #closed = false;

  /** @param start syncs everything that is written, and says how that went */
  constructor(start: (done: (error: Error | null) => void) => void) {
    this.#start = start;
  }

  /** Settles the ticket when what it stands for is on stable storage: one sync for all that wait. */
  settle(ticket: CommitTicket): void {
    this.#waiting.push(ticket);
    this.now();
  }

  /** Syncs, unless syncs took up their part of the time already: then the next round will. */
  soon(): void {
    if (monotonic() >= this.#pauseUntil) this.now();
  }

  now(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    this.#syncing = this.#waiting;
    this.#waiting = [];
    const started = monotonic();
    this.#start((error) => {
      this.#running = false;
      const now = monotonic();
      this.#pauseUntil = now + PAUSE * (now - started);
      for (const ticket of this.#syncing.splice(0)) ticket.settle(error ?? undefined);
      this.#whenIdle?.();
      if (this.#waiting.length > 0) this.now();
    });
  }

  /** Nothing more is synced. Resolves when nothing is being synced any more. */
  async stop(): Promise<void> {
    this.#closed = true;
    if (!this.#running) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  /** Everything is on stable storage or of no interest any more, or it is not because of an error. */
  settleAll(error?: Error): void {
    for (const ticket of [...this.#syncing.splice(0), ...this.#waiting.splice(0)]) ticket.settle(error);
  }
}
