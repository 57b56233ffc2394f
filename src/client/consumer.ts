import { EventEmitter } from 'node:events';
import { ProtocolError } from '../protocol/errors.js';
import { isValidName } from '../protocol/names.js';
import { type Address, parseAddresses } from './address.js';
import { ConsumerNode, type ConsumerNodeHost } from './consumer-node.js';
import { Discovery } from './discovery/discovery.js';
import { type LookupUrl, parseLookupUrls } from './discovery/lookup-url.js';
import { type BrokerError, type LookupError, OptionError } from './errors.js';
import type { LinkEvents } from './events.js';
import { Inbox } from './inbox.js';
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
import type { Subscription } from './subscription.js';

export interface ConsumerEvents extends LinkEvents {
  /** The broker refused an answer to a message (E_FIN_FAILED, E_REQ_FAILED, E_TOUCH_FAILED); all goes on. */
  refused: [error: BrokerError];
  /** A handler of `run()` threw; the message was requeued. */
  handlerError: [error: unknown, message: Message];
  /** A lookupd has answered; `nsqds` are all that it lists. */
  lookup: [lookupd: string, nsqds: readonly string[]];
  /** A lookupd gave no answer, or none that makes sense; it is asked again after `delay` ms. */
  lookupFailed: [lookupd: string, error: LookupError, delay: number];
  /** `close()` is through. */
  close: [];
}

/** Allowance over the broker's output buffer for messages still under way after RDY was lowered, ms. */
const SETTLE_ALLOWANCE = 50;
const CONCURRENCY = { min: 1, max: Number.MAX_SAFE_INTEGER };

/**
 * Receives a channel's messages from one or several nsqd, named or found by lookupds: `for await (const message of consumer)`, or
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
  readonly #connection: ConnectionSettings;
  /** Those that were named by the caller, and those that were found. */
  readonly #nodes = new Map<string, ConsumerNode>();
  readonly #named: ReadonlySet<string>;
  readonly #discovery: Discovery | undefined;
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
    this.#connection = settings;
    const urls = parseLookupUrls(options.lookupdHttpAddresses ?? [], this.topic);
    const named = options.nsqdTcpAddresses ?? (urls.length === 0 ? '127.0.0.1:4150' : []);
    const addresses = urls.length > 0 && named.length === 0 ? [] : parseAddresses(named);
    for (const address of addresses) this.#addNode(address);
    this.#named = new Set(this.#nodes.keys());
    if (urls.length > 0) this.#discovery = this.#discover(urls);
  }

  /**
   * Connects: resolves when every nsqd answered OK to SUB and was sent its RDY, so that what is published from now on
   * is received. With lookupds: when each was asked, and each nsqd that they list was tried, for some of these may be gone.
   * @throws ConnectionError or BrokerError when a named nsqd cannot be reached or refuses, LookupError when no lookupd
   * answers; attempts go on until `close()`
   */
  async connect(): Promise<void> {
    const named = [...this.#nodes.values()].filter(({ address }) => this.#named.has(address));
    await Promise.all([...named.map((node) => node.link.connected()), this.#discovery?.ready()]);
    await Promise.allSettled([...this.#nodes.values()].map((node) => node.link.connected()));
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
    if (this.#closed) return;
    this.#discovery?.start();
    for (const node of this.#nodes.values()) node.link.start();
  }

  #discover(urls: readonly LookupUrl[]): Discovery {
    return new Discovery(
      urls,
      { ...this.#connection, ...this.#settings },
      {
        answered: (lookupd, nsqds) => {
          this.#followDiscovery();
          this.emit('lookup', lookupd, nsqds);
        },
        failed: (lookupd, error, delay) => this.emit('lookupFailed', lookupd, error, delay),
      },
    );
  }

  /** Connects to what is listed newly; gives up what is listed no more and not connected either. */
  #followDiscovery(): void {
    for (const address of this.#discovery?.addresses() ?? []) {
      if (!this.#nodes.has(address.text)) this.#addNode(address).link.start();
    }
    for (const node of this.#nodes.values()) this.#dropIfGone(node);
    this.#replan();
  }

  #addNode(address: Address): ConsumerNode {
    const node = new ConsumerNode(address, this.#connection, this.#nodeHost());
    this.#nodes.set(address.text, node);
    return node;
  }

  /** True if it was given up: a topic that was deleted there must not be made anew by coming back. */
  #dropIfGone(node: ConsumerNode): boolean {
    const { address, subscription } = node;
    if (subscription || this.#named.has(address) || this.#discovery?.lists(address)) return false;
    node.link.stop();
    this.#nodes.delete(address);
    return true;
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
        this.#discovery?.recheck();
        this.emit('disconnect', subscription.address, error);
      },
      retrying: (address, error, delay) => {
        const node = this.#nodes.get(address);
        const isGone = node !== undefined && this.#dropIfGone(node);
        this.#replan();
        if (!isGone) this.emit('retry', address, error, delay);
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
    const coming = [...this.#nodes.values()].filter((node) => node.isComing).length;
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
    this.#discovery?.stop();
    const nodes = [...this.#nodes.values()];
    for (const node of nodes) node.link.stop();
    // Before the messages go back, so that they do not come again.
    const drained = nodes.map((node) => node.subscription?.drain());
    this.#inbox.close();
    await within(timeout, [this.#inbox.idle(), ...drained]);
    await Promise.all(nodes.map((node) => node.subscription?.close()));
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
