import type { Message } from './message.js';

/** Works on one message; what it returns is awaited. */
export type MessageHandler = (message: Message) => unknown;

export interface RunOptions {
  /** Most messages in the handler at a time. Default 1; more than `maxInFlight` are never reached. */
  readonly concurrency?: number | undefined;
}

/** What a {@link Runner} tells its consumer. */
export interface RunnerHost {
  /** A place is free again. */
  freed(): void;
  failed(error: unknown, message: Message): void;
}

/** Hands messages to a handler and answers them by its outcome. A handler that returns no promise costs none. */
export class Runner {
  readonly #handler: MessageHandler;
  readonly #concurrency: number;
  readonly #host: RunnerHost;
  #active = 0;

  constructor(handler: MessageHandler, concurrency: number, host: RunnerHost) {
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#host = host;
  }

  get isFree(): boolean {
    return this.#active < this.#concurrency;
  }

  get isIdle(): boolean {
    return this.#active === 0;
  }

  handle(message: Message): void {
    this.#active++;
    let outcome: unknown;
    try {
      outcome = this.#handler(message);
    } catch (error) {
      this.#active--;
      this.#fail(error, message);
      return;
    }
    if (!isThenable(outcome)) {
      this.#active--;
      message.finish();
      return;
    }
    Promise.resolve(outcome).then(
      () => {
        this.#active--;
        message.finish();
        this.#host.freed();
      },
      (error: unknown) => {
        this.#active--;
        this.#fail(error, message);
        this.#host.freed();
      },
    );
  }

  #fail(error: unknown, message: Message): void {
    message.requeue();
    this.#host.failed(error, message);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
