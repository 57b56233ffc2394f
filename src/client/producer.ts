import { type Body, encodeDpub, encodeMpub, encodePub } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { parseAddresses } from './address.js';
import { isPublishObserved, tracedPublish } from './diagnostics.js';
import { distinctUrls, nodesUrl } from './discovery/lookup-url.js';
import { type BrokerError, type ConnectionError, LookupError, OptionError, PublishError } from './errors.js';
import type { LinkEvents } from './events.js';
import { ObservedEmitter } from './observed-emitter.js';
import {
  type CloseOptions,
  checkNumber,
  closeTimeout,
  connectionSettings,
  type ProducerOptions,
  type ProducerSettings,
  producerSettings,
} from './options.js';
import { Dispatcher } from './publish/dispatcher.js';
import { Outstanding } from './publish/outstanding.js';
import { Pending, type PublishKind } from './publish/pending.js';
import { Pool } from './publish/pool.js';

const TIMEOUT_RANGE = { min: 0, max: 0x7fffffff };

export interface PublishOptions {
  /** Gives the call up when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for the outcome, ms. Default: the producer's `publishTimeout`; 0 = without limit. */
  readonly timeout?: number | undefined;
}

export interface ProducerEvents extends LinkEvents {
  /** A lookupd has answered; `nsqds` are all that it lists. */
  lookup: [lookupd: string, nsqds: readonly string[]];
  /** A lookupd gave no answer, or none that makes sense; it is asked again after `delay` ms. */
  lookupFailed: [lookupd: string, error: LookupError, delay: number];
}

/**
 * Publishes to one nsqd, or to several in turn: named, or found by lookupds. Connects with the first call and again
 * when a connection is lost; calls are pipelined, joined to MPUBs, and wait while no connection is there. Every call
 * settles: with nothing once the broker said OK, or with a {@link PublishError} that says whether the message may have
 * arrived.
 *
 * An open producer keeps the process alive; `close()` waits for what is under way.
 */
export class Producer extends ObservedEmitter<ProducerEvents> implements AsyncDisposable {
  readonly #settings: ProducerSettings;
  readonly #pool: Pool;
  readonly #dispatcher: Dispatcher;
  readonly #outstanding: Outstanding;
  /** Why there is nothing to publish to. */
  #lastError: BrokerError | ConnectionError | LookupError | undefined;
  /** So many were made. */
  #calls = 0;
  #closed: Promise<void> | undefined;
  /** Called when the producer has room again. */
  #roomWaiters: (() => void)[] = [];
  #idleWaiter: (() => void) | undefined;

  /** @throws OptionError */
  constructor(options: ProducerOptions = {}) {
    super('producer');
    this.#settings = producerSettings(options);
    const lookupds = distinctUrls(options.lookupdHttpAddresses ?? [], nodesUrl);
    const named = options.nsqdTcpAddress ?? (lookupds.length > 0 ? [] : '127.0.0.1:4150');
    const isFoundOnly = lookupds.length > 0 && named.length === 0;
    const settings = { ...connectionSettings(options), ...this.#settings };
    this.#pool = new Pool(isFoundOnly ? [] : parseAddresses(named), lookupds, settings, {
      connected: (address) => {
        this.#lastError = undefined;
        this.report('connect', address);
      },
      disconnected: (address, error) => this.report('disconnect', address, error),
      retrying: (address, error, delay) => {
        this.#lastError = error;
        this.report('retry', address, error, delay);
      },
      available: () => this.#dispatcher.schedule(),
      lookupAnswered: (lookupd, nsqds) => {
        if (this.#lastError instanceof LookupError) this.#lastError = undefined;
        this.report('lookup', lookupd, nsqds);
      },
      lookupFailed: (lookupd, error, delay) => {
        this.#lastError = error;
        this.report('lookupFailed', lookupd, error, delay);
      },
    });
    this.#dispatcher = new Dispatcher(this.#settings, this.#pool);
    this.#outstanding = new Outstanding((pending) => this.#timeOut(pending, this.#settings.publishTimeout));
  }

  /** Calls without an outcome. */
  get pending(): number {
    return this.#outstanding.count;
  }

  /** Bytes of these, as they are sent. */
  get pendingBytes(): number {
    return this.#outstanding.bytes;
  }

  /**
   * Connects ahead of the first call: resolves when at least one nsqd is connected.
   * @throws ConnectionError or BrokerError when none can be reached, LookupError when no lookupd answers; attempts go on
   *   until `close()`
   */
  connect(): Promise<void> {
    return this.#pool.connect();
  }

  /**
   * Publishes also to the nsqds that one more lookupd lists: resolves when it has answered.
   * @throws OptionError; LookupError when it does not answer, attempts go on until `close()`
   */
  async connectToLookupd(address: string): Promise<void> {
    if (this.#closed) throw new LookupError('E_CLOSED', address, 'the producer is closed');
    await this.#pool.addLookupd(nodesUrl(address));
  }

  /**
   * Asks a lookupd no more. The nsqds that it alone has listed are published to only while there is no other, and left
   * when their connection ends.
   * @throws OptionError; LookupError `E_NOT_CONNECTED` when it was not asked
   */
  disconnectFromLookupd(address: string): void {
    this.#pool.removeLookupd(nodesUrl(address));
  }

  /**
   * Publishes one message. Calls of one turn of the event loop for one topic go out as one MPUB (`autoBatch`); one that
   * follows the outcome of the only call under way does not wait for the turn's end.
   * @throws PublishError
   */
  publish(topic: string, body: Body, options?: PublishOptions): Promise<void> {
    if (!isPublishObserved()) return this.#publish('PUB', topic, body, 0, options);
    const context = { topic, bodies: [body] };
    return tracedPublish(() => this.#publish('PUB', topic, body, 0, options), context);
  }

  /**
   * Publishes messages as one command: the broker keeps all or none. It refuses a batch beyond its `--max-body-size`:
   * split it.
   * @throws PublishError
   */
  publishBatch(topic: string, bodies: readonly Body[], options?: PublishOptions): Promise<void> {
    if (!isPublishObserved()) return this.#publish('MPUB', topic, bodies, 0, options);
    return tracedPublish(() => this.#publish('MPUB', topic, bodies, 0, options), { topic, bodies });
  }

  /**
   * Publishes one message that the broker holds back for `delayMs` milliseconds, at most its `--max-req-timeout`.
   * @throws PublishError
   */
  publishDeferred(topic: string, body: Body, delayMs: number, options?: PublishOptions): Promise<void> {
    if (!isPublishObserved()) return this.#publish('DPUB', topic, body, delayMs, options);
    const context = { topic, bodies: [body], delay: delayMs };
    return tracedPublish(() => this.#publish('DPUB', topic, body, delayMs, options), context);
  }

  /**
   * Waits until there is room for more calls: at once while the bounds (`maxPending`, `maxPendingBytes`) are not
   * reached, and then until half is free. For senders that do not wait for each call.
   */
  ready(): Promise<void> {
    if (this.#hasRoom(1) || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /**
   * Takes no more calls, waits for the outcome of those under way, and disconnects. What has no outcome after `timeout`
   * ms fails with E_CLOSED.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const timeout = closeTimeout(options);
    this.#closed ??= this.#close(timeout);
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publish(
    kind: PublishKind,
    topic: string,
    content: Body | readonly Body[],
    delayMs: number,
    options: PublishOptions | undefined,
  ): Promise<void> {
    let command: Buffer;
    try {
      command = encode(kind, topic, content, delayMs);
      if (options?.timeout !== undefined) checkNumber('timeout', options.timeout, TIMEOUT_RANGE);
      checkSignal(options?.signal);
      this.#check(command.length, options?.signal);
    } catch (error) {
      return Promise.reject(refusal(error));
    }
    return new Promise((resolve, reject) => {
      const timeout = options?.timeout;
      const inOrder = timeout === undefined && options?.signal === undefined;
      const limit = timeout ?? this.#settings.publishTimeout;
      const now = performance.now();
      const deadline = limit === 0 ? Number.POSITIVE_INFINITY : now + limit;
      const number = this.#calls++;
      const pending = new Pending(number, topic, kind, command, deadline, this.#onSettled, resolve, reject);
      if (inOrder) this.#outstanding.add(pending);
      else this.#addOwn(pending, limit, options?.signal);
      this.#pool.start();
      this.#dispatcher.add(pending, now);
    });
  }

  #check(size: number, signal: AbortSignal | undefined): void {
    if (this.#closed) throw new PublishError('E_CLOSED', 'the producer is closed', false);
    if (signal?.aborted) {
      throw new PublishError('E_ABORTED', 'the call was aborted', false, { cause: signal.reason });
    }
    if (this.#settings.whenFull === 'reject' && !this.#hasRoom(size)) {
      const { count, bytes } = this.#outstanding;
      throw new PublishError('E_QUEUE_FULL', `${count} calls (${bytes} bytes) have no outcome yet`, false);
    }
  }

  #hasRoom(size: number): boolean {
    const { count, bytes } = this.#outstanding;
    if (count === 0) return true;
    return count < this.#settings.maxPending && bytes + size <= this.#settings.maxPendingBytes;
  }

  #addOwn(pending: Pending, timeout: number, signal: AbortSignal | undefined): void {
    this.#outstanding.addOwn(pending);
    const onAbort = (): void => pending.reject('E_ABORTED', 'the call was aborted', signal?.reason);
    const timer = timeout === 0 ? undefined : setTimeout(() => this.#timeOut(pending, timeout), timeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    pending.release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  #timeOut(pending: Pending, timeout: number): void {
    const why = pending.isSent ? undefined : (this.#lastError ?? this.#pool.absence);
    if (pending.isSent && pending.parcel?.node) pending.parcel.node.isSuspect = true;
    pending.reject('E_TIMEOUT', `no outcome within ${timeout} ms${why ? ` (${why.message})` : ''}`, why);
  }

  readonly #onSettled = (pending: Pending): void => {
    const outstanding = this.#outstanding;
    outstanding.remove(pending);
    this.#dispatcher.settled(pending);
    if (outstanding.count === 0) this.#idleWaiter?.();
    if (this.#roomWaiters.length === 0) return;
    const { maxPending, maxPendingBytes } = this.#settings;
    if (outstanding.count <= maxPending / 2 && outstanding.bytes <= maxPendingBytes / 2) this.#wakeWaiters();
  };

  #wakeWaiters(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const wake of waiters) wake();
  }

  async #close(timeout: number): Promise<void> {
    this.#wakeWaiters();
    if (this.#outstanding.count > 0) await this.#idle(timeout);
    for (const pending of this.#outstanding.all()) {
      pending.reject('E_CLOSED', `the producer was closed and had no outcome within ${timeout} ms`);
    }
    this.#outstanding.close();
    await this.#pool.close();
  }

  #idle(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout);
      this.#idleWaiter = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function encode(kind: PublishKind, topic: string, content: Body | readonly Body[], delayMs: number): Buffer {
  if (kind === 'MPUB') return encodeMpub(topic, content as readonly Body[]);
  return kind === 'PUB' ? encodePub(topic, content as Body) : encodeDpub(topic, delayMs, content as Body);
}

/** @throws OptionError when it is none */
function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')
    throw new OptionError('signal must be an AbortSignal');
}

function refusal(error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error;
  return new PublishError(error.code, error.message, false, { cause: error });
}
