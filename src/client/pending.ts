import type { Request } from './connection.js';
import { BrokerError, type ConnectionError, PublishError } from './errors.js';

/** What a {@link Pending} tells its producer. */
export interface PendingOwner {
  /** It has its outcome. */
  settled(pending: Pending): void;
  /** Its connection ended before the broker had it. */
  returned(pending: Pending): void;
}

/** A publish without an outcome yet. */
export class Pending implements Request {
  /** The command's bytes; none any more when it was given up before it was sent. */
  command: Buffer;
  /** When it fails for lack of time: `performance.now()`, ms. */
  readonly deadline: number;
  /** Neighbours in the list of those that share the default time-out. */
  previous: Pending | undefined = undefined;
  next: Pending | undefined = undefined;
  /** Handed to a connection. */
  isSent = false;
  isSettled = false;
  /** Undoes timers and listeners of its own. */
  release: (() => void) | undefined = undefined;
  readonly #owner: PendingOwner;
  readonly #resolve: () => void;
  readonly #reject: (error: PublishError) => void;

  constructor(
    command: Buffer,
    deadline: number,
    owner: PendingOwner,
    resolve: () => void,
    reject: (error: PublishError) => void,
  ) {
    this.command = command;
    this.deadline = deadline;
    this.#owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  answered(bytes: Buffer, start: number, end: number): void {
    if (this.isSettled) return;
    if (end - start === 2 && bytes[start] === 0x4f && bytes[start + 1] === 0x4b) {
      this.#settle();
      this.#resolve();
    } else {
      const words = bytes.toString('latin1', start, Math.min(end, start + 80));
      this.reject('E_PROTOCOL', `the broker answered ${JSON.stringify(words)} instead of OK`);
    }
  }

  failed(error: BrokerError | ConnectionError, mayHaveArrived: boolean): void {
    this.isSent = mayHaveArrived;
    if (this.isSettled) return;
    if (error instanceof BrokerError) this.reject(error.code, error.message, error);
    else if (mayHaveArrived) this.reject('E_CONNECTION_LOST', error.message, error);
    else this.#owner.returned(this);
  }

  /** Ends it with an error, unless it has its outcome. */
  reject(code: PublishError['code'], message: string, cause?: unknown): void {
    if (this.isSettled) return;
    this.#settle();
    this.#reject(new PublishError(code, message, this.isSent, cause === undefined ? undefined : { cause }));
  }

  #settle(): void {
    this.isSettled = true;
    this.release?.();
    this.#owner.settled(this);
  }
}
