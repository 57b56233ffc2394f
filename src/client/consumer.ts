import { ProtocolError } from '../protocol/errors.js';
import { isValidName } from '../protocol/names.js';
import { BrokerSet, type BrokerSetHost } from './broker-set.js';
import { DeadLetters } from './dead-letters.js';
import { isConsumeObserved, tracedHandler } from './diagnostics.js';
import { ConnectionError, LookupError, OptionError } from './errors.js';
import type { ConsumerEvents } from './events.js';
import { Flow } from './flow.js';
import { GiveUp } from './give-up.js';
import { Inbox } from './inbox.js';
import { LoopSpans } from './loop-spans.js';
import type { Message } from './message.js';
import { MessageIterator } from './message-iterator.js';
import { ObservedEmitter } from './observed-emitter.js';
import { CONSUMER_OPTIONS } from './option-table/consumer-options.js';
import {
  type CloseOptions,
  type ConsumerCloseOptions,
  type ConsumerOptions,
  type ConsumerSettings,
  checkNumber,
  closeHandlesRest,
  closeTimeout,
  connectionSettings,
  consumerSettings,
} from './options.js';
import { type MessageHandler, Runner, type RunnerHost, type RunOptions } from './runner.js';
import type { MessageCounts, MessageWatchers, Subscription } from './subscription.js';
import { within } from './within.js';

const CONCURRENCY = { min: 1, max: Number.MAX_SAFE_INTEGER };
/** How near its RDY a connection with messages in flight is starved of new ones. */
const STARVED = 0.85;

/** A consumer at one moment; the counts are those since it was made. */
export interface ConsumerStats {
  /** Messages that came, each time that they came. */
  readonly messagesReceived: number;
  /** Messages that were answered with FIN. */
  readonly messagesFinished: number;
  /** Messages that were given back with REQ. */
  readonly messagesRequeued: number;
  /** Received and not answered. */
  readonly messagesInFlight: number;
  /** Brokers that it is subscribed to now. */
  readonly connections: number;
  /** 0 = no backoff. */
  readonly backoffLevel: number;
}

/**
 * Receives a channel's messages from one or several nsqd, named or found by lookupds: `for await (const message of consumer)`, or
 * `consumer.run(handler)`, also several of them, each message going to one. Connects with the first of them (or
 * `connect()`), and again when a connection is lost, until `close()`.
 */
export class Consumer
  extends ObservedEmitter<ConsumerEvents>
  implements AsyncIterable<Message>, AsyncDisposable
{
  readonly topic: string;
  readonly channel: string;
  readonly #settings: ConsumerSettings;
  readonly #brokers: BrokerSet;
  readonly #flow: Flow<Subscription>;
  readonly #inbox: Inbox;
  readonly #giveUp: GiveUp;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #runnerHost: RunnerHost;
  readonly #loopSpans = new LoopSpans();
  readonly #counts: MessageCounts = { received: 0, finished: 0, requeued: 0 };
  #closed: Promise<void> | undefined;

  /** @throws OptionError, ProtocolError when a name is none */
  constructor(options: ConsumerOptions) {
    super('consumer');
    this.#settings = consumerSettings(options);
    this.topic = checkName('topic', options.topic);
    this.channel = checkName('channel', options.channel);
    const connection = connectionSettings(options);
    if (connection.heartbeatInterval < 0)
      throw new OptionError('heartbeatInterval cannot be -1 for a consumer');

    this.#deadLetters = this.#deadLettersTo(this.#settings.deadLetterTopic, options);
    const dispose = this.#deadLetters
      ? (message: Message) => this.#deadLetters?.publish(message)
      : this.#settings.onGiveUp;
    this.#giveUp = new GiveUp(this.#settings.maxAttempts, dispose, (message) =>
      this.report('giveUp', message),
    );
    this.#runnerHost = {
      freed: () => this.#inbox.dispatch(),
      failed: (error, message) => this.report('handlerError', error, message),
    };
    this.#inbox = new Inbox(
      {
        isGivenUp: (message) => this.#giveUp.applies(message),
        read: (message) => this.#loopSpans.begin(message),
      },
      new Runner((message) => this.#giveUp.handle(message), Number.POSITIVE_INFINITY, this.#runnerHost),
    );
    this.#flow = new Flow(this.#settings, connection.outputBufferTimeout, {
      coming: () => this.#brokers.coming,
      backoff: (level, delay) => this.report('backoff', level, delay),
    });
    this.#brokers = new BrokerSet(options, connection, this.#settings, this.#brokerHost());
  }

  /**
   * Connects: resolves when every nsqd answered OK to SUB and was sent its RDY, so that what is published from now on
   * is received. With lookupds: when each was asked (one that hangs is waited for a second, once another has answered), and
   * each nsqd that they list was tried, for some of these may be gone.
   * @throws ConnectionError or BrokerError when a named nsqd cannot be reached or refuses, LookupError when no lookupd
   * answers; attempts go on until `close()`
   */
  connect(): Promise<void> {
    return this.#brokers.connected();
  }

  /**
   * Messages as they come, each to be answered by who takes it; ends when the consumer is closed. Leaving the loop does not
   * close the consumer. A message that was delivered more than `maxAttempts` times is given up instead.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    this.#start();
    return new MessageIterator(this.#inbox);
  }

  /**
   * Hands messages to `handler` and answers them by its outcome: finished when it returns (or its promise resolves),
   * requeued when it throws, left alone when the handler has answered. Resolves when the consumer is closed. A message that
   * was delivered more than `maxAttempts` times is given up instead.
   * @throws OptionError
   */
  async run(handler: MessageHandler, options: RunOptions = {}): Promise<void> {
    if (typeof handler !== 'function') throw new OptionError('the handler must be a function');
    const concurrency = checkNumber('concurrency', options.concurrency ?? 1, CONCURRENCY);
    const work = this.#giveUp.before(tracedHandler(handler));
    const ended = this.#inbox.serve(new Runner(work, concurrency, this.#runnerHost));
    this.#start();
    await ended;
  }

  /** Asks for no more messages; those received already are still handed out. */
  pause(): void {
    this.#flow.isPaused = true;
  }

  /** Ends a {@link pause}. */
  resume(): void {
    this.#flow.isPaused = false;
  }

  /** Whether it asks for no messages, since {@link pause}. */
  get isPaused(): boolean {
    return this.#flow.isPaused;
  }

  /** Most messages unanswered at a time, over all connections. */
  get maxInFlight(): number {
    return this.#flow.maxInFlight;
  }

  /** Changes that, from now on. 0 takes no more messages. @throws OptionError */
  changeMaxInFlight(maxInFlight: number): void {
    this.#flow.maxInFlight = checkNumber('maxInFlight', maxInFlight, CONSUMER_OPTIONS.maxInFlight);
  }

  /**
   * Consumes from one more nsqd: resolves when it is subscribed to.
   * @throws OptionError; ConnectionError or BrokerError when it cannot be reached or refuses, attempts go on
   */
  async connectToNsqd(address: string): Promise<void> {
    if (this.#closed) throw new ConnectionError('E_CLOSED', address, 'the client is closed');
    await this.#brokers.add(address);
  }

  /**
   * Consumes from an nsqd no more, named or found, until {@link connectToNsqd}: gives back what was not handed out, waits
   * (at most `timeout` ms) until the rest is answered, and disconnects.
   * @throws OptionError; ConnectionError `E_NOT_CONNECTED` when it was not consumed from
   */
  async disconnectFromNsqd(address: string, options: CloseOptions = {}): Promise<void> {
    const timeout = closeTimeout(options);
    const { subscription } = this.#brokers.remove(address);
    this.#flow.replan();
    if (!subscription) return;
    const drained = subscription.drain();
    this.#inbox.release(subscription);
    await within(timeout, drained);
    await subscription.close();
  }

  /**
   * Consumes also from the nsqds that one more lookupd lists: resolves when it was asked, and each of these was tried.
   * @throws OptionError; LookupError when it does not answer, attempts go on until `close()`
   */
  async connectToLookupd(address: string): Promise<void> {
    if (this.#closed) throw new LookupError('E_CLOSED', address, 'the consumer is closed');
    await this.#brokers.addLookupd(address);
  }

  /**
   * Asks a lookupd no more. The nsqds that it alone has listed are consumed from as long as they are connected.
   * @throws OptionError; LookupError `E_NOT_CONNECTED` when it was not asked
   */
  disconnectFromLookupd(address: string): void {
    this.#brokers.removeLookupd(address);
  }

  /** The counts of this moment. */
  stats(): ConsumerStats {
    const connections = this.#flow.connections;
    return {
      messagesReceived: this.#counts.received,
      messagesFinished: this.#counts.finished,
      messagesRequeued: this.#counts.requeued,
      messagesInFlight: connections.reduce((sum, { inFlight }) => sum + inFlight, 0),
      connections: connections.length,
      backoffLevel: this.#flow.backoffLevel,
    };
  }

  /** Some connection gets no more messages, or hardly any, before those in flight are answered. */
  get isStarved(): boolean {
    return this.#flow.connections.some(({ inFlight, rdy }) => inFlight > 0 && inFlight >= rdy * STARVED);
  }

  /**
   * Takes no more messages, gives back those not handed out (unless they are to be handled, too), waits (at most `timeout`
   * ms) until those handed out are answered, and disconnects when the last answer is on its way. Do not await it inside a
   * handler. Later calls wait for the first, whose options count.
   * @throws OptionError
   */
  async close(options: ConsumerCloseOptions = {}): Promise<void> {
    const timeout = closeTimeout(options);
    const handlesRest = closeHandlesRest(options);
    this.#closed ??= this.#close(timeout, handlesRest);
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(): void {
    if (!this.#closed) this.#brokers.start();
  }

  #deadLettersTo(topic: string, options: ConsumerOptions): DeadLetters | undefined {
    if (topic === '') return undefined;
    checkName('topic', topic);
    if (topic === this.topic) throw new OptionError('deadLetterTopic is the topic that is consumed');
    return new DeadLetters(topic, options);
  }

  #brokerHost(): BrokerSetHost {
    return {
      topic: this.topic,
      channel: this.channel,
      autoTouch: this.#settings.autoTouch,
      counts: this.#counts,
      watchers: this.#watchers(),
      received: (message) => this.#inbox.put(message),
      answered: (message, outcome) => {
        if (outcome) this.#loopSpans.answered(message, outcome === 'success' ? 'finish' : 'requeue');
        this.#flow.answered(outcome);
      },
      requeued: (message, delay) => this.report('requeue', message, delay),
      timedOut: (message) => {
        this.#loopSpans.timedOut(message);
        this.report('timeout', message);
      },
      rdySent: (address, count) => this.report('rdy', address, count),
      refused: (error) => this.report('refused', error),
      leaving: () => this.#flow.replan(),
      requeueDelay: (attempts) =>
        Math.min(this.#settings.maxRequeueDelay, this.#settings.requeueDelay * attempts),
      up: (subscription) => {
        this.report('connect', subscription.address);
        this.#flow.add(subscription);
      },
      ended: (subscription, error) => {
        this.#flow.delete(subscription);
        this.#loopSpans.lost(subscription, error);
        this.#deadLetters?.leave(subscription.address);
        this.report('disconnect', subscription.address, error);
      },
      retrying: (address, error, delay) => this.report('retry', address, error, delay),
      changed: () => this.#flow.replan(),
      lookupAnswered: (lookupd, nsqds) => this.report('lookup', lookupd, nsqds),
      lookupFailed: (lookupd, error, delay) => this.report('lookupFailed', lookupd, error, delay),
    };
  }

  #watchers(): MessageWatchers {
    const finishes = this.channelOf('finish');
    const times = this.channelOf('timeout');
    const finished = (message: Message): void => this.report('finish', message);
    let hasFinishListener = false;
    let hasTimeoutListener = false;
    this.onNewListener((event) => {
      if (event === 'finish') hasFinishListener = true;
      if (event !== 'timeout') return;
      hasTimeoutListener = true;
      for (const subscription of this.#flow.connections) subscription.watchTime();
    });
    return {
      get finished() {
        return hasFinishListener || finishes.hasSubscribers ? finished : undefined;
      },
      get isWatchingTime() {
        return hasTimeoutListener || times.hasSubscribers || isConsumeObserved();
      },
    };
  }

  async #close(timeout: number, handlesRest: boolean): Promise<void> {
    const deadline = performance.now() + timeout;
    this.#brokers.stop();
    this.#flow.stop();
    // Those that are being left included.
    const subscriptions = this.#flow.connections;
    // Before the messages go back, so that they do not come again.
    const drained = subscriptions.map((subscription) => subscription.drain());
    if (handlesRest) await within(timeout, Promise.all(drained));
    this.#inbox.close();
    await within(deadline - performance.now(), Promise.all([this.#inbox.idle(), ...drained]));
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
    await this.#deadLetters?.close();
    this.#inbox.end();
    this.report('close');
  }
}

function checkName(what: 'topic' | 'channel', name: string): string {
  if (typeof name === 'string' && isValidName(name)) return name;
  const code = what === 'topic' ? 'E_BAD_TOPIC' : 'E_BAD_CHANNEL';
  throw new ProtocolError(code, `${what} name ${JSON.stringify(name)} is not valid`);
}
