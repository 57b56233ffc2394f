import type { Message } from './message.js';

/** What an {@link InFlightWatch} needs from its connection. */
export interface InFlightWatchHost {
  /** Time until the broker takes an unanswered message back, ms. */
  readonly msgTimeout: number;
  /** The broker has taken it back. */
  timedOut(message: Message): void;
}

/**
 * The messages in flight on one connection, the one that was heard of longest ago first: touches them at half their
 * time, or says that their time is over. There is one only where somebody wants to know, for it costs a little for
 * each message.
 */
export class InFlightWatch {
  readonly #host: InFlightWatchHost;
  readonly #isTouching: boolean;
  readonly #messages = new Set<Message>();
  #timer: NodeJS.Timeout | undefined;

  constructor(isTouching: boolean, host: InFlightWatchHost) {
    this.#isTouching = isTouching;
    this.#host = host;
  }

  /** Received, or touched. */
  add(message: Message): void {
    this.#messages.delete(message);
    this.#messages.add(message);
    if (this.#timer === undefined) this.#arm(message.heldSince);
  }

  /** Answered. */
  delete(message: Message): void {
    this.#messages.delete(message);
  }

  /** The broker does not know the message any more. */
  lost(id: string): void {
    for (const message of this.#messages) if (message.id === id) this.#expire(message);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#messages.clear();
  }

  #arm(heldSince: number): void {
    const due = heldSince + this.#host.msgTimeout / (this.#isTouching ? 2 : 1);
    this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.ceil(due - performance.now()))).unref();
  }

  #look(): void {
    const { msgTimeout } = this.#host;
    const now = performance.now();
    let next: Message | undefined;
    for (const message of this.#messages) {
      const age = now - message.heldSince;
      if (age >= msgTimeout) {
        this.#expire(message);
      } else if (this.#isTouching && age >= msgTimeout / 2) {
        message.touch();
      } else {
        next = message;
        break;
      }
    }
    this.#timer = undefined;
    if (next) this.#arm(next.heldSince);
  }

  #expire(message: Message): void {
    this.#messages.delete(message);
    this.#host.timedOut(message);
  }
}
