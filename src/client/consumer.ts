import { EventEmitter } from 'node:events';
import { ProtocolError } from '../protocol/errors.js';
import { isValidName } from '../protocol/names.js';
import { type Address, parseAddresses } from './address.js';
import type { BrokerError, ConnectionError } from './errors.js';
import { OptionError } from './errors.js';
import type { LinkEvents } from './events.js';
import { Inbox } from './inbox.js';
import { Link } from './link.js';
import type { Message } from './message.js';
import {
  type CloseOptions,
  type ConnectionSettings,
  type ConsumerOptions,
  type ConsumerSettings,
  checkNumber,
  closeTimeout,
  connectionSettings,
  consumerSettings,
} from './options.js';
import { RdyBudget } from './rdy.js';
import { type MessageHandler, Runner, type RunOptions } from './runner.js';
import { Subscription, type SubscriptionHost } from './subscription.js';

export interface ConsumerEvents extends LinkEvents {
  /** The broker refused an answer to a message (E_FIN_FAILED, E_REQ_FAILED, E_TOUCH_FAILED); all goes on. */
  refused: [error: BrokerError];
  /** A handler of `run()` threw; the message was requeued. */
  handlerError: [error: unknown, message: Message];
  /** `close()` is through. */
  close: [];
}

/** Allowance over the broker's output buffer for messages still under way after RDY was lowered, ms. */
const SETTLE_ALLOWANCE = 50;
const CONCURRENCY = { min: 1, max: Number.MAX_SAFE_INTEGER };

/**
 * Receives a channel's messages from one or several nsqd: `for await (const message of consumer)`, or
 * `consumer.run(handler)`, also several of them, each message going to one. Connects with the first of them (or
 * `connect()`), and again when a connection is lost, until `close()`.
 */
export class Consumer
  extends EventEmitter<ConsumerEvents>
  implements AsyncIterable<Message>, AsyncDisposable
{
  readonly topic: string;
  readonly channel: string;
  readonly #settings: ConsumerSettings;
  readonly #nodes: readonly ConsumerNode[];
  readonly #inbox = new Inbox();
  readonly #budget: RdyBudget<Subscription>;
  #paused = false;
  #closed: Promise<void> | undefined;
  /** Waits for a connection to settle, or for the next look at who holds RDY. */
  #replanTimer: NodeJS.Timeout | undefined;
  #replanScheduled = false;

  /** @throws OptionError */
  constructor(options: ConsumerOptions) {
    super();
    this.topic = checkName('topic', options.topic);
    this.channel = checkName('channel', options.channel);
    this.#settings = consumerSettings(options);
    const settings = connectionSettings(options);
    if (settings.heartbeatInterval < 0)
      throw new OptionError('heartbeatInterval cannot be -1 for a consumer');
    this.#budget = new RdyBudget({
      idle: this.#settings.lowRdyIdleTimeout,
      hold: this.#settings.lowRdyTimeout,
      settle: Math.max(0, settings.outputBufferTimeout) + SETTLE_ALLOWANCE,
    });
    this.#nodes = parseAddresses(options.nsqdTcpAddresses ?? '127.0.0.1:4150').map(
      (address) => new ConsumerNode(address, settings, this.#nodeHost()),
    );
  }

  /**
   * Connects: resolves when every nsqd answered OK to SUB and was sent its RDY, so that what is published from now on
   * is received.
   * @throws ConnectionError or BrokerError when one cannot be reached or refuses; attempts go on until `close()`
   */
  async connect(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.link.connected()));
  }

  /** Messages as they come; ends when the consumer is closed. Leaving the loop does not close the consumer. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    this.#start();
    const iterator: AsyncIterableIterator<Message> = {
      next: () => this.#inbox.next(),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * Hands messages to `handler` and answers them by its outcome: finished when it returns (or its promise resolves),
   * requeued when it throws, left alone when the handler has answered. Resolves when the consumer is closed.
   */
  async run(handler: MessageHandler, options: RunOptions = {}): Promise<void> {
    const concurrency = checkNumber('concurrency', options.concurrency ?? 1, CONCURRENCY);
    const runner = new Runner(handler, concurrency, {
      freed: () => this.#inbox.dispatch(),
      failed: (error, message) => this.emit('handlerError', error, message),
    });
    const ended = this.#inbox.serve(runner);
    this.#start();
    await ended;
  }

  /** Asks for no more messages; those received already are still handed out. */
  pause(): void {
    this.#paused = true;
    this.#replan();
  }

  resume(): void {
    this.#paused = false;
    this.#replan();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /**
   * Takes no more messages, gives back those not handed out, waits (at most `timeout` ms) until those handed out are
   * answered, and disconnects when the last answer is on its way. Do not await it inside a handler.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(closeTimeout(options));
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(): void {
    if (!this.#closed) for (const node of this.#nodes) node.link.start();
  }

  #nodeHost(): ConsumerNodeHost {
    return {
      topic: this.topic,
      channel: this.channel,
      received: (message) => this.#inbox.put(message),
      answered: () => {
        if (this.#budget.isShort) this.#scheduleReplan();
      },
      refused: (error) => this.emit('refused', error),
      requeueDelay: (attempts) =>
        Math.min(this.#settings.maxRequeueDelay, this.#settings.requeueDelay * attempts),
      up: (subscription) => {
        this.#budget.add(subscription);
        this.#replan();
        this.emit('connect', subscription.address);
      },
      ended: (subscription, error) => {
        this.#budget.delete(subscription);
        this.#replan();
        this.emit('disconnect', subscription.address, error);
      },
      retrying: (address, error, delay) => {
        this.#replan();
        this.emit('retry', address, error, delay);
      },
    };
  }

  /** One look at who gets which RDY per turn, however many messages are answered in it. */
  #scheduleReplan(): void {
    if (this.#replanScheduled) return;
    this.#replanScheduled = true;
    setImmediate(() => {
      this.#replanScheduled = false;
      this.#replan();
    });
  }

  #replan(): void {
    clearTimeout(this.#replanTimer);
    if (this.#closed) return;
    const now = performance.now();
    const coming = this.#nodes.filter((node) => node.isComing).length;
    const maxInFlight = this.#paused ? 0 : this.#settings.maxInFlight;
    const expected = this.#budget.size + coming;
    for (const { peer, rdy } of this.#budget.plan(maxInFlight, expected, now)) peer.sendRdy(rdy);

    const settling = this.#budget.isShort ? this.#budget.nextSettling(now) : undefined;
    if (settling !== undefined) {
      this.#replanAfter(settling - now);
    } else if (maxInFlight > 0 && this.#budget.size > maxInFlight) {
      this.#replanAfter(this.#settings.rdyRedistributeInterval);
    }
  }

  #replanAfter(ms: number): void {
    this.#replanTimer = setTimeout(() => this.#replan(), Math.ceil(ms)).unref();
  }

  async #close(timeout: number): Promise<void> {
    clearTimeout(this.#replanTimer);
    for (const node of this.#nodes) node.link.stop();
    // Before the messages go back, so that they do not come again.
    const drained = this.#nodes.map((node) => node.subscription?.drain());
    this.#inbox.close();
    await within(timeout, [this.#inbox.idle(), ...drained]);
    await Promise.all(this.#nodes.map((node) => node.subscription?.close()));
    this.#inbox.end();
    this.emit('close');
  }
}

/** Resolves when all of `work` has, or after `timeout` ms. */
async function within(timeout: number, work: readonly (Promise<void> | undefined)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeout);
  });
  await Promise.race([expired, Promise.all(work)]);
  clearTimeout(timer);
}

function checkName(what: 'topic' | 'channel', name: string): string {
  if (isValidName(name)) return name;
  const code = what === 'topic' ? 'E_BAD_TOPIC' : 'E_BAD_CHANNEL';
  throw new ProtocolError(code, `${what} name ${JSON.stringify(name)} is not valid`);
}

/** What a {@link ConsumerNode} needs from its consumer. */
interface ConsumerNodeHost extends SubscriptionHost {
  up(subscription: Subscription): void;
  retrying(address: string, error: BrokerError | ConnectionError, delay: number): void;
}

/** One nsqd that is consumed from, over one subscription after another. */
class ConsumerNode {
  readonly link: Link;
  /** Present while it is up. */
  subscription: Subscription | undefined;
  /** Its first attempt is under way: a share is kept for it. */
  isComing = true;

  constructor(address: Address, settings: ConnectionSettings, host: ConsumerNodeHost) {
    let opened: Subscription | undefined;
    const subscriptionHost: SubscriptionHost = {
      ...host,
      ended: (subscription, error) => {
        if (this.subscription !== subscription) return;
        this.subscription = undefined;
        host.ended(subscription, error);
        this.link.lost(error);
      },
    };
    this.link = new Link(address, settings, {
      open: async (signal) => {
        const { connection, subscription } = await Subscription.open(
          address,
          settings,
          subscriptionHost,
          signal,
        );
        opened = subscription;
        return connection;
      },
      up: () => {
        this.isComing = false;
        this.subscription = opened;
        if (opened) host.up(opened);
      },
      retrying: (error, delay) => {
        this.isComing = false;
        host.retrying(address.text, error, delay);
      },
    });
  }
}
