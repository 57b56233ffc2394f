import { Fifo } from './fifo.js';
import type { Message, MessageSource } from './message.js';
import type { Runner } from './runner.js';

/** Someone who waits for one message. */
interface Reader {
  readonly owner: object;
  readonly resolve: (result: IteratorResult<Message, undefined>) => void;
}

/** What an {@link Inbox} needs from its consumer. */
export interface InboxHost {
  isGivenUp(message: Message): boolean;
  /** A reader gets the message now. */
  read(message: Message): void;
}

const GIVE_BACK = { delay: 0, backoff: false };

/**
 * Messages received and not handed out, and those who take them: readers of the iterator, each for one message, and
 * runners. Messages that the broker has taken back meanwhile are dropped, for another consumer has them; a reader gets
 * none that is to be given up.
 */
export class Inbox {
  readonly #messages = new Fifo<Message>();
  readonly #readers = new Fifo<Reader>();
  readonly #runners: Runner[] = [];
  #runnerEnds: (() => void)[] = [];
  #dispatching = false;
  #closed = false;
  #idleWaiter: (() => void) | undefined;
  readonly #host: InboxHost;
  readonly #giveUpRunner: Runner;

  /** @param giveUpRunner works on what a reader would get and is given up */
  constructor(host: InboxHost, giveUpRunner: Runner) {
    this.#host = host;
    this.#giveUpRunner = giveUpRunner;
  }

  put(message: Message): void {
    if (this.#closed) {
      message.requeue(GIVE_BACK);
      return;
    }
    this.#messages.push(message);
    this.dispatch();
  }

  /** The next message, when there is one; done once closed, or when `owner` leaves. */
  next(owner: object): Promise<IteratorResult<Message, undefined>> {
    const message = this.#takeForReader();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push({ owner, resolve }));
  }

  /** `owner` waits for no message any more. */
  leave(owner: object): void {
    this.#readers.filter((reader) => {
      if (reader.owner !== owner) return true;
      reader.resolve({ done: true, value: undefined });
      return false;
    });
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
    for (const message of this.#messages.drain()) message.requeue(GIVE_BACK);
    for (const reader of this.#readers.drain()) reader.resolve({ done: true, value: undefined });
  }

  /** Gives back what came from `source` and was not handed out. */
  release(source: MessageSource): void {
    this.#messages.filter((message) => {
      if (!message.isFrom(source)) return true;
      message.requeue(GIVE_BACK);
      return false;
    });
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
    const message = runner === undefined ? this.#takeForReader() : this.#take();
    if (message === undefined) return false;
    if (runner !== undefined) runner.handle(message);
    else this.#readers.shift()?.resolve({ done: false, value: message });
    return true;
  }

  #take(): Message | undefined {
    for (;;) {
      const message = this.#messages.shift();
      if (message === undefined || message.isLive) return message;
      message.drop();
    }
  }

  #takeForReader(): Message | undefined {
    for (;;) {
      const message = this.#take();
      if (message === undefined) return undefined;
      if (!this.#host.isGivenUp(message)) {
        this.#host.read(message);
        return message;
      }
      this.#giveUpRunner.handle(message);
    }
  }

  #checkIdle(): void {
    if (this.#giveUpRunner.isIdle && this.#runners.every((runner) => runner.isIdle)) this.#idleWaiter?.();
  }
}
