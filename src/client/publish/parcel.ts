import { joinPubs } from '../../protocol/commands.js';
import type { Request } from '../connection.js';
import { BrokerError, type ConnectionError } from '../errors.js';
import type { Node } from './node.js';
import type { Pending, PublishKind } from './pending.js';

/** Most messages that are joined to one MPUB. */
const MAX_MESSAGES = 500;
/** Bytes of one: far below the least `--max-body-size` in use, so that a broker has no reason to refuse it. */
const MAX_BYTES = 64 * 1024;
/** From this size a message goes alone: joining it would save nothing. */
const LARGE = 16 * 1024;
/** Calls given up in a waiting parcel from which it is tidied. */
const STALE_LIMIT = 32;
/** With these, a broker refuses a whole MPUB for a single message, or for its size. */
const SEPARABLE: ReadonlySet<string> = new Set(['E_BAD_MESSAGE', 'E_BAD_BODY']);

/** What a {@link Parcel} needs from its owner, and tells it. */
export interface ParcelOwner {
  /** How many calls, and bytes of them, it may be at most. */
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  /** Whether what lost its connection is sent again. */
  readonly retryLost: boolean;
  /** It is in no connection's hands any more. */
  ended(parcel: Parcel): void;
  /** It, or what it was taken apart to, is to be sent again. */
  returned(parcel: Parcel): void;
}

/**
 * What goes to a broker as one command: a call of its own, or concurrent calls for one topic, joined to an MPUB. They
 * share the answer; but when the broker refuses them together, each is sent by itself, to have an outcome of its own.
 */
export class Parcel implements Request {
  readonly topic: string;
  /** Its first call's: what has a lower one goes first. */
  readonly number: number;
  /** Of its calls' commands, in bytes. */
  bytes: number;
  /** In the queue, still to be sent. */
  isWaiting = true;
  /** Where it was sent to last. */
  node: Node | undefined;
  readonly #owner: ParcelOwner;
  #calls: Pending[];
  /** Of these, while it waits, those given up. */
  #stale = 0;

  constructor(owner: ParcelOwner, call: Pending) {
    this.#owner = owner;
    this.number = call.number;
    this.topic = call.topic;
    this.#calls = [call];
    this.bytes = call.command.length;
    call.parcel = this;
  }

  /** Whether `call` may be joined with others at all. */
  static isJoinable(call: Pending): boolean {
    return call.kind === 'PUB' && call.command.length < LARGE;
  }

  /** The command that it is sent as; of joined calls, that of each. */
  get kind(): PublishKind {
    return this.#calls[0]?.kind ?? 'PUB';
  }

  get calls(): readonly Pending[] {
    return this.#calls;
  }

  /** Nobody waits for any of it any more. */
  get isStale(): boolean {
    return this.#stale === this.#calls.length;
  }

  /** Takes one more, if there is room. */
  add(call: Pending): boolean {
    const { maxPending, maxPendingBytes } = this.#owner;
    if (this.#calls.length >= Math.min(MAX_MESSAGES, maxPending)) return false;
    if (this.bytes + call.command.length > Math.min(MAX_BYTES, maxPendingBytes)) return false;
    this.#calls.push(call);
    this.bytes += call.command.length;
    call.parcel = this;
    return true;
  }

  /** One of its calls was given up while it waits. */
  dropped(): void {
    this.#stale++;
    if (this.#stale >= STALE_LIMIT && this.#stale * 2 >= this.#calls.length && !this.isStale) this.tidy();
  }

  /** Leaves out what was given up. */
  tidy(): void {
    if (!this.#calls.some((call) => call.isSettled)) return;
    this.#calls = this.#calls.filter((call) => !call.isSettled);
    this.#stale = 0;
    this.bytes = this.#calls.reduce((sum, { command }) => sum + command.length, 0);
  }

  /** The command, for the connection that is handed it. */
  pack(): Buffer {
    for (const call of this.#calls) call.isSent = true;
    const [first] = this.#calls;
    if (first !== undefined && this.#calls.length === 1) return first.command;
    return joinPubs(
      this.topic,
      this.#calls.map((call) => call.command),
    );
  }

  /** Gives its calls back, each as a parcel of its own. */
  separate(): void {
    for (const call of this.#calls) {
      if (!call.isSettled) this.#owner.returned(new Parcel(this.#owner, call));
    }
  }

  answered(bytes: Buffer, start: number, end: number): void {
    this.#owner.ended(this);
    if (end - start === 2 && bytes[start] === 0x4f && bytes[start + 1] === 0x4b) {
      this.node?.limits.took(this);
      for (const call of this.#calls) call.resolve();
    } else {
      const words = bytes.toString('latin1', start, Math.min(end, start + 80));
      this.#reject('E_PROTOCOL', `the broker answered ${JSON.stringify(words)} instead of OK`);
    }
  }

  failed(error: BrokerError | ConnectionError, mayHaveArrived: boolean): void {
    this.#owner.ended(this);
    for (const call of this.#calls) call.isSent = mayHaveArrived;
    if (error instanceof BrokerError) {
      const isSeparable = !mayHaveArrived && this.#calls.length > 1 && SEPARABLE.has(error.code);
      if (isSeparable) this.separate();
      else this.#reject(error.code, error.message, error);
    } else if (mayHaveArrived && !this.#owner.retryLost) {
      this.#reject('E_CONNECTION_LOST', error.message, error);
    } else {
      this.#again(mayHaveArrived);
    }
  }

  #again(mayHaveArrived: boolean): void {
    for (const call of this.#calls) {
      call.isSent = false;
      if (mayHaveArrived) call.isDoubtful = true;
    }
    this.tidy();
    if (!this.isStale) this.#owner.returned(this);
  }

  #reject(code: string, message: string, cause?: unknown): void {
    for (const call of this.#calls) call.reject(code, message, cause);
  }
}
