import type { Channel } from './channel.js';
import { monotonic } from './clock.js';
import type { Topic } from './topic.js';

/** Stands for the messages that one topic was given in one turn: they are kept together or not at all. */
export class CommitTicket {
  /** `undefined` until it is known. */
  #result: { error: Error | undefined } | undefined;
  #waiting: ((error: Error | undefined) => void)[] = [];

  get settled(): boolean {
    return this.#result !== undefined;
  }

  /** Why the messages are not kept; undefined if they are. */
  get error(): Error | undefined {
    return this.#result?.error;
  }

  settle(error: Error | undefined): void {
    if (this.#result) return;
    this.#result = { error };
    for (const done of this.#waiting.splice(0)) done(error);
  }

  whenSettled(done: (error: Error | undefined) => void): void {
    if (this.#result) done(this.#result.error);
    else this.#waiting.push(done);
  }
}

/** A connection with something to send at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** Turns that follow each other within this time (ms) are traffic, and for how long (ms) more is waited for awake. */
const BUSY = 0.2;
const AWAKE = 0.05;

/**
 * What one turn of the event loop leaves to be done, once, at its end:
 *
 *     sockets are read ─▶ commit topics ─▶ OKs ─▶ deliver channels ─▶ write sockets ─▶ write journals
 */
export class Turn {
  #topics: Topic[] = [];
  #channels: Channel[] = [];
  #sockets: Flushable[] = [];
  readonly #journals = new Set<Topic>();
  #scheduled = false;
  #running = false;
  /** When the last turn ended, on the monotonic clock in ms. */
  #endedAt = 0;
  #awakeUntil = 0;
  #polling = false;
  readonly #mayGoOn: () => boolean;

  /** @param mayGoOn is asked at the end of each turn; if not, what it left is dropped: nothing is written or confirmed */
  constructor(mayGoOn: () => boolean = () => true) {
    this.#mayGoOn = mayGoOn;
  }

  /** The topic has messages to write. */
  commit(topic: Topic): CommitTicket {
    this.#topics.push(topic);
    this.#schedule();
    return new CommitTicket();
  }

  /** The channel may have messages to hand out. */
  deliver(channel: Channel): void {
    this.#channels.push(channel);
    this.#schedule();
  }

  /** The socket has bytes to write. It enlists once, and again only after it was flushed. */
  flush(socket: Flushable): void {
    this.#sockets.push(socket);
    this.#schedule();
  }

  /** The topic has entries for its journal. */
  journal(topic: Topic): void {
    this.#journals.add(topic);
    this.#schedule();
  }

  /** Does now what is left to be done. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#scheduled = false;
    try {
      this.#runSteps();
    } finally {
      this.#running = false;
      this.#stayAwake();
      if (this.#topics.length + this.#channels.length + this.#sockets.length > 0) this.#schedule();
    }
  }

  /**
   * While one turn follows the other, the event loop polls for a moment instead of going to sleep: to wake a sleeping
   * processor costs both sides more than a short message takes.
   */
  #stayAwake(): void {
    const now = monotonic();
    const busy = now - this.#endedAt < BUSY;
    this.#endedAt = now;
    if (!busy) return;
    this.#awakeUntil = now + AWAKE;
    if (!this.#polling) this.#poll();
  }

  #poll(): void {
    this.#polling = true;
    setImmediate(() => {
      if (monotonic() < this.#awakeUntil) this.#poll();
      else this.#polling = false;
    });
  }

  #runSteps(): void {
    if (!this.#mayGoOn()) return this.#drop();
    const topics = this.#topics;
    this.#topics = [];
    for (const topic of topics) topic.commit();
    const channels = this.#channels;
    this.#channels = [];
    const now = monotonic();
    for (const channel of channels) channel.deliver(now);
    const sockets = this.#sockets;
    this.#sockets = [];
    for (const socket of sockets) socket.flush();
    for (const topic of this.#journals) topic.writeJournal();
    this.#journals.clear();
  }

  #drop(): void {
    this.#topics = [];
    this.#channels = [];
    this.#sockets = [];
    this.#journals.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#running) return;
    this.#scheduled = true;
    setImmediate(() => this.run());
  }
}
