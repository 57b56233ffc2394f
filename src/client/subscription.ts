import { CLS, encodeRdy, encodeReq, encodeSub, encodeTouch } from '../protocol/commands.js';
import type { Address } from './address.js';
import type { Outcome } from './backoff.js';
import { Connection, type ConnectionOwner } from './connection.js';
import { type BrokerError, ConnectionError } from './errors.js';
import { InFlightWatch, type InFlightWatchHost } from './in-flight-watch.js';
import { Message, type MessageSource, type RequeueOptions } from './message.js';
import type { ConnectionSettings } from './options.js';
import type { RdyPeer } from './rdy.js';
import { within } from './within.js';

/** What a {@link Subscription} needs from its consumer. */
export interface SubscriptionHost {
  readonly topic: string;
  readonly channel: string;
  /** Messages are touched before their time is over. */
  readonly autoTouch: boolean;
  readonly counts: MessageCounts;
  readonly watchers: MessageWatchers;
  received(message: Message): void;
  /** A message of this subscription is answered now; without an outcome, the broker took it back. */
  answered(message: Message, outcome?: Outcome): void;
  requeued(message: Message, delay: number): void;
  timedOut(message: Message): void;
  rdySent(address: string, count: number): void;
  /** A subscription is to have no more messages. */
  leaving(): void;
  refused(error: BrokerError): void;
  ended(subscription: Subscription, error: BrokerError | ConnectionError): void;
  /** The delay of a requeue that names none, ms. */
  requeueDelay(attempts: number): number;
}

/** Who wants to know what costs something for every message. */
export interface MessageWatchers {
  /** Told of each message that is finished. */
  readonly finished: ((message: Message) => void) | undefined;
  /** Somebody is told of messages that time out. */
  readonly isWatchingTime: boolean;
}

/** Messages since the consumer was made. */
export interface MessageCounts {
  received: number;
  finished: number;
  requeued: number;
}

/** In the line with which the broker refuses to touch a message that is not in flight any more. */
const TOUCHED_ID = / TOUCH ([\da-f]{16}) /;

/** Longest wait for the answer to CLS once nothing is in flight, ms: a broker that is well gives it at once. */
const AGREEMENT_WAIT = 1000;

/** One connection subscribed to the consumer's channel, from SUB to its end. */
export class Subscription implements ConnectionOwner, MessageSource, RdyPeer, InFlightWatchHost {
  readonly address: string;
  readonly topic: string;
  readonly channel: string;
  inFlight = 0;
  rdy = 0;
  rdySince = 0;
  settlingRdy = 0;
  settlesAt = 0;
  lastMessageAt = 0;
  roundTrip = 0;
  readonly #host: SubscriptionHost;
  #connection: Connection | undefined;
  #watch: InFlightWatch | undefined;
  #isLeaving = false;
  /** Present once it is being left. */
  #drained: Promise<void> | undefined;
  /** Called when nothing is in flight, or the connection is over. */
  #idleWaiter: (() => void) | undefined;

  private constructor(address: string, host: SubscriptionHost) {
    this.address = address;
    this.#host = host;
    this.topic = host.topic;
    this.channel = host.channel;
    if (host.autoTouch || host.watchers.isWatchingTime) this.watchTime();
  }

  /** Connects and subscribes. @throws ConnectionError, BrokerError */
  static async open(
    address: Address,
    settings: ConnectionSettings,
    host: SubscriptionHost,
    signal: AbortSignal,
  ): Promise<{ connection: Connection; subscription: Subscription }> {
    const subscription = new Subscription(address.text, host);
    const connection = await Connection.open(address, settings, subscription, signal, async (opened) => {
      subscription.#connection = opened;
      const askedAt = performance.now();
      const answer = await opened.call(encodeSub(host.topic, host.channel));
      // TLS may have had to be agreed on, or the topic to be made: the shorter one is nearer.
      subscription.roundTrip = Math.min(opened.roundTrip, performance.now() - askedAt);
      if (answer !== 'OK')
        throw new ConnectionError('E_HANDSHAKE', address.text, `SUB was answered with ${answer}`);
    });
    return { connection, subscription };
  }

  get isOpen(): boolean {
    return this.#connection !== undefined && !this.#connection.isClosed;
  }

  get receivedAt(): number {
    return this.#connection?.receivedAt ?? 0;
  }

  /** 0 once no more messages are to come. */
  get maxRdy(): number {
    return this.#isLeaving ? 0 : (this.#connection?.negotiated.maxRdyCount ?? 0);
  }

  get msgTimeout(): number {
    return this.#connection?.negotiated.msgTimeout ?? 0;
  }

  sendRdy(count: number): void {
    this.#connection?.send(encodeRdy(count));
    this.#host.rdySent(this.address, count);
  }

  /** Tells the host of messages that time out, of those received from now on. */
  watchTime(): void {
    this.#watch ??= new InFlightWatch(this.#host.autoTouch, this);
  }

  /**
   * Asks for no more messages; resolves when all are answered and the broker agrees (or has not for a second then), or the
   * connection is over.
   */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** Sends what is gathered and disconnects. */
  async close(): Promise<void> {
    await this.#connection?.close();
  }

  finish(message: Message, bytes: Buffer, idStart: number): void {
    if (!this.isOpen) return;
    this.#host.counts.finished++;
    this.#answered(message, 'success');
    this.#connection?.sendFin(bytes, idStart);
    this.#host.watchers.finished?.(message);
  }

  requeue(message: Message, options: RequeueOptions): void {
    const delay = options.delay ?? this.#host.requeueDelay(message.attempts);
    const command = encodeReq(message.id, delay);
    if (!this.isOpen) return;
    this.#host.counts.requeued++;
    this.#answered(message, options.backoff === false ? 'neutral' : 'failure');
    // One that timed out is in the queue already, or with another handler by now, and not to be taken from it.
    if (!message.isTimedOut) this.#connection?.send(command);
    this.#host.requeued(message, delay);
  }

  touch(message: Message): void {
    this.#connection?.send(encodeTouch(message.id));
    this.#watch?.add(message);
  }

  expired(message: Message): void {
    this.#answered(message);
    this.timedOut(message);
  }

  timedOut(message: Message): void {
    this.#host.timedOut(message);
  }

  message(bytes: Buffer, start: number, end: number): void {
    const message = new Message(bytes, start, end, this);
    this.inFlight++;
    this.#host.counts.received++;
    this.lastMessageAt = this.receivedAt;
    if (this.#watch !== undefined && this.msgTimeout > 0) this.#watch.add(message);
    this.#host.received(message);
  }

  refused(error: BrokerError): void {
    const id = TOUCHED_ID.exec(error.message)?.[1];
    if (id !== undefined) this.#watch?.lost(id);
    this.#host.refused(error);
  }

  drained(): void {
    // Answers are few bytes each and bounded by what is in flight: they are never held back.
  }

  closed(error: BrokerError | ConnectionError): void {
    this.#watch?.close();
    this.#idleWaiter?.();
    this.#host.ended(this, error);
  }

  async #drain(): Promise<void> {
    if (!this.isOpen) return;
    this.#isLeaving = true;
    this.#host.leaving();
    if (this.rdy > 0) this.sendRdy(0);
    this.rdy = 0;
    const agreed = new Promise<void>((resolve) => {
      this.#connection?.request(CLS, { answered: () => resolve(), failed: () => resolve() });
    });
    await this.#idle();
    await within(AGREEMENT_WAIT, agreed);
    // What it had sent before it agreed.
    await this.#idle();
  }

  async #idle(): Promise<void> {
    if (this.inFlight === 0 || !this.isOpen) return;
    await new Promise<void>((resolve) => {
      this.#idleWaiter = resolve;
    });
  }

  #answered(message: Message, outcome?: Outcome): void {
    this.inFlight--;
    this.#watch?.delete(message);
    if (this.inFlight === 0) this.#idleWaiter?.();
    this.#host.answered(message, outcome);
  }
}
