import { Fifo } from './fifo.js';
import type { Message } from './message.js';
import type { Runner } from './runner.js';

type Reader = (result: IteratorResult<Message, undefined>) => void;

/**
 * Messages received and not handed out, and those who take them: readers of the iterator, each for one message, and
 * runners. Messages that the broker has taken back meanwhile are dropped, for another consumer has them.
 */
export class Inbox {
  readonly #messages = new Fifo<Message>();
  readonly #readers = new Fifo<Reader>();
  readonly #runners: Runner[] = [];
  #runnerEnds: (() => void)[] = [];
  #dispatching = false;
  #closed = false;
  #idleWaiter: (() => void) | undefined;

  put(message: Message): void {
    if (this.#closed) {
      message.requeue({ delay: 0 });
      return;
    }
    this.#messages.push(message);
    this.dispatch();
  }

  /** The next message, when there is one; done once closed. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.#take();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Lets a runner take messages; resolves at the {@link end}. */
  serve(runner: Runner): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#runners.push(runner);
      this.#runnerEnds.push(resolve);
      this.dispatch();
    });
  }

  /** Hands out what can be. A handler may come back here: the outer call goes on with the work. */
  dispatch(): void {
    if (this.#closed) {
      this.#checkIdle();
      return;
    }
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      while (this.#messages.size > 0 && this.#handOut());
    } finally {
      this.#dispatching = false;
    }
  }

  /** Gives back what was not handed out, and ends the readers. */
  close(): void {
    this.#closed = true;
    for (const message of this.#messages.drain()) message.requeue({ delay: 0 });
    for (const reader of this.#readers.drain()) reader({ done: true, value: undefined });
  }

  /** Resolves when no handler is at work; to be called once closed. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiter = resolve;
      this.#checkIdle();
    });
  }

  /** Ends the runners. */
  end(): void {
    for (const end of this.#runnerEnds) end();
    this.#runnerEnds = [];
  }

  /** Gives one message to someone who waits; false when nobody does, or no message is left. */
  #handOut(): boolean {
    const runner = this.#readers.size > 0 ? undefined : this.#runners.find((one) => one.isFree);
    if (runner === undefined && this.#readers.size === 0) return false;
    const message = this.#take();
    if (message === undefined) return false;
    if (runner !== undefined) runner.handle(message);
    else this.#readers.shift()?.({ done: false, value: message });
    return true;
  }

  #take(): Message | undefined {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined || message.isLive) return message;
      message.drop();
    }
  }

  #checkIdle(): void {
    if (this.#runners.every((runner) => runner.isIdle)) this.#idleWaiter?.();
  }
}
