import { CLS, encodeRdy, encodeReq, encodeSub, encodeTouch } from '../protocol/commands.js';
import type { Address } from './address.js';
import { Connection, type ConnectionOwner } from './connection.js';
import { type BrokerError, ConnectionError } from './errors.js';
import { Message, type MessageSource } from './message.js';
import type { ConnectionSettings } from './options.js';
import type { RdyPeer } from './rdy.js';

/** What a {@link Subscription} needs from its consumer. */
export interface SubscriptionHost {
  readonly topic: string;
  readonly channel: string;
  received(message: Message): void;
  /** A message of this subscription has been answered. */
  answered(): void;
  refused(error: BrokerError): void;
  ended(subscription: Subscription, error: BrokerError | ConnectionError): void;
  /** The delay of a requeue that names none, ms. */
  requeueDelay(attempts: number): number;
}

/** One connection subscribed to the consumer's channel, from SUB to its end. */
export class Subscription implements ConnectionOwner, MessageSource, RdyPeer {
  readonly address: string;
  readonly topic: string;
  readonly channel: string;
  inFlight = 0;
  rdy = 0;
  rdySince = 0;
  settlingRdy = 0;
  settlesAt = 0;
  lastMessageAt = 0;
  readonly #host: SubscriptionHost;
  #connection: Connection | undefined;
  /** Called when nothing is in flight, or the connection is over. */
  #idleWaiter: (() => void) | undefined;

  private constructor(address: string, host: SubscriptionHost) {
    this.address = address;
    this.#host = host;
    this.topic = host.topic;
    this.channel = host.channel;
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
      const answer = await opened.call(encodeSub(host.topic, host.channel));
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

  get maxRdy(): number {
    return this.#connection?.negotiated.maxRdyCount ?? 0;
  }

  get msgTimeout(): number {
    return this.#connection?.negotiated.msgTimeout ?? 0;
  }

  sendRdy(count: number): void {
    this.#connection?.send(encodeRdy(count));
  }

  /** Asks for no more messages; resolves when the broker agrees and all are answered, or the connection is over. */
  async drain(): Promise<void> {
    if (!this.isOpen) return;
    if (this.rdy > 0) this.sendRdy(0);
    this.rdy = 0;
    await new Promise<void>((resolve) => {
      this.#connection?.request(CLS, { answered: () => resolve(), failed: () => resolve() });
    });
    if (this.inFlight === 0 || !this.isOpen) return;
    await new Promise<void>((resolve) => {
      this.#idleWaiter = resolve;
    });
  }

  /** Sends what is gathered and disconnects. */
  async close(): Promise<void> {
    await this.#connection?.close();
  }

  finish(bytes: Buffer, idStart: number): void {
    if (!this.isOpen) return;
    this.#connection?.sendFin(bytes, idStart);
    this.#answered();
  }

  requeue(id: string, attempts: number, delay: number | undefined): void {
    const command = encodeReq(id, delay ?? this.#host.requeueDelay(attempts));
    if (!this.isOpen) return;
    this.#connection?.send(command);
    this.#answered();
  }

  touch(id: string): void {
    this.#connection?.send(encodeTouch(id));
  }

  /** Takes a message out of the count that the broker has taken back already. */
  expired(): void {
    this.#answered();
  }

  message(bytes: Buffer, start: number, end: number): void {
    this.inFlight++;
    this.lastMessageAt = this.receivedAt;
    this.#host.received(new Message(bytes, start, end, this));
  }

  refused(error: BrokerError): void {
    this.#host.refused(error);
  }

  drained(): void {
    // Answers are few bytes each and bounded by what is in flight: they are never held back.
  }

  closed(error: BrokerError | ConnectionError): void {
    this.#idleWaiter?.();
    this.#host.ended(this, error);
  }

  #answered(): void {
    this.inFlight--;
    if (this.inFlight === 0) this.#idleWaiter?.();
    this.#host.answered();
  }
}
