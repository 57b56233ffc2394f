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
  finish(message: Message, bytes: Buffer, idStart: number): void;
  requeue(message: Message, options: RequeueOptions): void;
  touch(message: Message): void;
  /** Takes a message out of the count that was never handed out and that the broker has taken back. */
  expired(message: Message): void;
}

/** How a message is given back. */
export interface RequeueOptions {
  /** How long the broker holds the message back, ms. Default: the consumer's `requeueDelay` times the attempts. */
  readonly delay?: number | undefined;
  /** Whether it counts as a failure that slows the consumer down. Default true. */
  readonly backoff?: boolean | undefined;
}

/**
 * A message to work on. It is answered once, by `finish()` or `requeue()`; what comes after that, or after its
 * connection has ended (the broker then gives the message to the next consumer), does nothing.
 */
export class Message extends MessageData {
  readonly #source: MessageSource;
  #heldSince: number;
  #isAnswered = false;

  /** @internal */
  constructor(bytes: Buffer, start: number, end: number, source: MessageSource) {
    super(bytes, start, end);
    this.#source = source;
    this.#heldSince = source.receivedAt;
  }

  /** The topic it was published to. */
  get topic(): string {
    return this.#source.topic;
  }

  /** The channel it came through. */
  get channel(): string {
    return this.#source.channel;
  }

  /** The nsqd it came from, in normal form. */
  get nsqdAddress(): string {
    return this.#source.address;
  }

  /** Finished or requeued. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /**
   * The broker has taken it back, since it was neither answered nor touched in time, and hands it out again. Never true
   * with brokers that do not say how long they wait.
   */
  get isTimedOut(): boolean {
    const { msgTimeout } = this.#source;
    return msgTimeout > 0 && performance.now() - this.#heldSince >= msgTimeout;
  }

  /** When it was received or last touched: `performance.now()`, ms. @internal */
  get heldSince(): number {
    return this.#heldSince;
  }

  /** Time until its broker takes it back, ms; 0 when unknown. @internal */
  get timeLimit(): number {
    return this.#source.msgTimeout;
  }

  /** Whether an answer can still reach the broker in time. @internal */
  get isLive(): boolean {
    const { isOpen, msgTimeout } = this.#source;
    return isOpen && (msgTimeout === 0 || performance.now() - this.#heldSince < msgTimeout);
  }

  /** @internal */
  isFrom(source: MessageSource): boolean {
    return this.#source === source;
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
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#source.finish(this, this.bytes, this.idStart);
  }

  /** Not done: the broker hands it out again, after a delay. @throws ProtocolError when the delay is not one */
  requeue(options: RequeueOptions = {}): void {
    if (this.#isAnswered) return;
    this.#source.requeue(this, options);
    this.#isAnswered = true;
  }

  /** Still at it: the message's time-out starts anew. Without effect once it is answered or timed out. */
  touch(): void {
    if (this.#isAnswered || !this.isLive) return;
    this.#heldSince = performance.now();
    this.#source.touch(this);
  }

  /** Never handed out: the broker has taken it back. @internal */
  drop(): void {
    this.#isAnswered = true;
    this.#source.expired(this);
  }
}
