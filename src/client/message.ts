import { MessageData } from '../protocol/message-decoder.js';

/** Where a message came from, and where its answers go. */
export interface MessageSource {
  readonly address: string;
  readonly topic: string;
  readonly channel: string;
  /** The connection lives, so that answers reach the broker. */
  readonly isOpen: boolean;
  /** When bytes last came from it: `performance.now()`, whole ms. */
  readonly receivedAt: number;
  /** Time until the broker takes an unanswered message back, ms; 0 when unknown. */
  readonly msgTimeout: number;
  finish(bytes: Buffer, idStart: number): void;
  requeue(id: string, attempts: number, delay: number | undefined): void;
  touch(id: string): void;
  /** Takes a message out of the count that the broker has taken back. */
  expired(): void;
}

export interface RequeueOptions {
  /** How long the broker holds the message back, ms. Default: the consumer's `requeueDelay` times the attempts. */
  readonly delay?: number | undefined;
}

/**
 * A message to work on. It is answered once, by `finish()` or `requeue()`; what comes after that, or after its
 * connection has ended (the broker then gives the message to the next consumer), does nothing.
 */
export class Message extends MessageData {
  readonly #source: MessageSource;
  readonly #receivedAt: number;
  #answered = false;

  /** @internal */
  constructor(bytes: Buffer, start: number, end: number, source: MessageSource) {
    super(bytes, start, end);
    this.#source = source;
    this.#receivedAt = source.receivedAt;
  }

  get topic(): string {
    return this.#source.topic;
  }

  get channel(): string {
    return this.#source.channel;
  }

  /** The nsqd it came from, in normal form. */
  get nsqdAddress(): string {
    return this.#source.address;
  }

  /** Finished or requeued. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /** Whether an answer can still reach the broker in time. @internal */
  get isLive(): boolean {
    const { isOpen, msgTimeout } = this.#source;
    return isOpen && (msgTimeout === 0 || performance.now() - this.#receivedAt < msgTimeout);
  }

  /** The body as UTF-8 text. */
  text(): string {
    return this.body.toString();
  }

  /** The body parsed as JSON. @throws SyntaxError */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /** Done: the channel forgets the message. */
  finish(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#source.finish(this.bytes, this.idStart);
  }

  /** Not done: the broker hands it out again, after a delay. @throws ProtocolError when the delay is not one */
  requeue(options?: RequeueOptions): void {
    if (this.#answered) return;
    this.#source.requeue(this.id, this.attempts, options?.delay);
    this.#answered = true;
  }

  /** Never handed out: the broker has taken it back. @internal */
  drop(): void {
    this.#answered = true;
    this.#source.expired();
  }

  /** Still at it: the message's time-out starts anew. */
  touch(): void {
    if (!this.#answered) this.#source.touch(this.id);
  }
}
