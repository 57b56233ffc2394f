import { PublishError } from '../errors.js';
import type { Parcel } from './parcel.js';

/** A command's name: only a PUB can be joined with others. */
export type PublishKind = 'PUB' | 'MPUB' | 'DPUB';

/** One call to publish, without an outcome yet. */
export class Pending {
  /** Calls count from 0. */
  readonly number: number;
  readonly topic: string;
  readonly kind: PublishKind;
  /** The command's bytes; none any more when it was given up before it was sent. */
  command: Buffer;
  /** When it fails for lack of time: `performance.now()`, ms. */
  readonly deadline: number;
  /** Neighbours in the list of those that share the default time-out. */
  previous: Pending | undefined = undefined;
  next: Pending | undefined = undefined;
  /** What it is sent in. */
  parcel: Parcel | undefined = undefined;
  /** In the hands of a connection. */
  isSent = false;
  /** An earlier connection was lost with it: a broker may have it. */
  isDoubtful = false;
  isSettled = false;
  /** Undoes timers and listeners of its own. */
  release: (() => void) | undefined = undefined;
  readonly #settled: (pending: Pending) => void;
  readonly #resolve: () => void;
  readonly #reject: (error: PublishError) => void;

  /** @param settled called once, before the call's promise settles */
  constructor(
    number: number,
    topic: string,
    kind: PublishKind,
    command: Buffer,
    deadline: number,
    settled: (pending: Pending) => void,
    resolve: () => void,
    reject: (error: PublishError) => void,
  ) {
    this.number = number;
    this.topic = topic;
    this.kind = kind;
    this.command = command;
    this.deadline = deadline;
    this.#settled = settled;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Of the message, or of the batch as it is sent; bytes. */
  get bodySize(): number {
    const lineAndSize = this.command.indexOf('\n') + 1 + 4;
    return this.command.length - lineAndSize;
  }

  resolve(): void {
    if (this.isSettled) return;
    this.#settle();
    this.#resolve();
  }

  /** Ends it with an error, unless it has its outcome. */
  reject(code: PublishError['code'], message: string, cause?: unknown): void {
    if (this.isSettled) return;
    const mayHaveArrived = this.isSent || this.isDoubtful;
    this.#settle();
    const options = cause === undefined ? undefined : { cause };
    this.#reject(new PublishError(code, message, mayHaveArrived, options));
  }

  #settle(): void {
    this.isSettled = true;
    this.release?.();
    this.#settled(this);
  }
}
