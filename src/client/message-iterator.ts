import type { Inbox } from './inbox.js';
import type { Message } from './message.js';

/** One loop over a consumer's messages. */
export class MessageIterator implements AsyncIterableIterator<Message, undefined> {
  readonly #inbox: Inbox;
  #isOver = false;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    return this.#isOver ? this.return() : this.#inbox.next(this);
  }

  /** Ends what still waits for a message, so that the next loop gets it. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#isOver = true;
    this.#inbox.leave(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
