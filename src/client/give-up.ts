import type { Message } from './message.js';
import type { MessageHandler } from './runner.js';

/** What becomes of messages that were handed out too often, in place of being handed out once more. */
export class GiveUp {
  readonly #maxAttempts: number;
  readonly #dispose: MessageHandler | undefined;
  readonly #givingUp: (message: Message) => void;

  /**
   * @param maxAttempts 0 = none is given up
   * @param dispose does something with a message before it is finished; when it fails, the message is requeued
   * @param givingUp told of each before that
   */
  constructor(
    maxAttempts: number,
    dispose: MessageHandler | undefined,
    givingUp: (message: Message) => void,
  ) {
    this.#maxAttempts = maxAttempts;
    this.#dispose = dispose;
    this.#givingUp = givingUp;
  }

  applies(message: Message): boolean {
    return this.#maxAttempts > 0 && message.attempts > this.#maxAttempts;
  }

  handle(message: Message): unknown {
    this.#givingUp(message);
    return this.#dispose?.(message);
  }

  /** `handler`, but for the messages that are given up. */
  before(handler: MessageHandler): MessageHandler {
    return (message) => (this.applies(message) ? this.handle(message) : handler(message));
  }
}
