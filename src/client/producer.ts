import { EventEmitter } from 'node:events';
import { type Body, encodeDpub, encodeMpub, encodePub } from '../protocol/commands.js';
import { ProtocolError } from '../protocol/errors.js';
import { type Address, parseAddresses } from './address.js';
import { Connection, type ConnectionOwner } from './connection.js';
import { type BrokerError, ConnectionError, PublishError } from './errors.js';
import type { LinkEvents } from './events.js';
import { Fifo } from './fifo.js';
import { Link } from './link.js';
import {
  type CloseOptions,
  type ConnectionSettings,
  closeTimeout,
  connectionSettings,
  type ProducerOptions,
  type ProducerSettings,
  producerSettings,
} from './options.js';
import { Outstanding } from './outstanding.js';
import { Pending, type PendingOwner } from './pending.js';

export interface PublishOptions {
  /** Gives the call up when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for the outcome, ms. Default: the producer's `publishTimeout`; 0 = without limit. */
  readonly timeout?: number | undefined;
}

const STALE_LIMIT = 1000;
const NOTHING = Buffer.alloc(0);

/**
 * Publishes to one nsqd, or to several in turn. Connects with the first call and again when a connection is lost;
 * calls are pipelined and wait while no connection is there. Every call settles: with nothing once the broker said OK,
 * or with a {@link PublishError} that says whether the message may have arrived.
 *
 * An open producer keeps the process alive; `close()` waits for what is under way.
 */
export class Producer extends EventEmitter<LinkEvents> implements AsyncDisposable {
  readonly #settings: ProducerSettings;
  readonly #nodes: readonly ProducerNode[];
  /** Not handed to a connection yet, in order. */
  readonly #queue = new Fifo<Pending>();
  /** Of the queue, at most so many that have their outcome already. */
  #stale = 0;
  readonly #outstanding: Outstanding;
  readonly #owner: PendingOwner;
  /** The node whose turn it is. */
  #turn = 0;
  #lastError: BrokerError | ConnectionError | undefined;
  #started = false;
  #closed: Promise<void> | undefined;
  /** Called when the producer has room again. */
  #roomWaiters: (() => void)[] = [];
  #idleWaiter: (() => void) | undefined;

  /** @throws OptionError */
  constructor(options: ProducerOptions = {}) {
    super();
    this.#settings = producerSettings(options);
    const settings = connectionSettings(options);
    const host: NodeHost = {
      connected: (address) => {
        this.emit('connect', address);
        this.#pump();
      },
      disconnected: (address, error) => {
        this.emit('disconnect', address, error);
        this.#pump();
      },
      retrying: (address, error, delay) => {
        this.#lastError = error;
        this.emit('retry', address, error, delay);
      },
      drained: () => this.#pump(),
    };
    this.#nodes = parseAddresses(options.nsqdTcpAddress ?? '127.0.0.1:4150').map(
      (address) => new ProducerNode(address, settings, host),
    );
    this.#outstanding = new Outstanding((pending) => this.#timeOut(pending, this.#settings.publishTimeout));
    this.#owner = {
      settled: (pending) => this.#onSettled(pending),
      returned: (pending) => this.#queue.unshift(pending),
    };
  }

  /** Calls without an outcome. */
  get pending(): number {
    return this.#outstanding.count;
  }

  /**
   * Connects ahead of the first call: resolves when at least one nsqd is connected.
   * @throws ConnectionError or BrokerError when none can be reached; attempts go on until `close()`
   */
  async connect(): Promise<void> {
    this.#started = true;
    try {
      await Promise.any(this.#nodes.map((node) => node.link.connected()));
    } catch (cause) {
      const errors: readonly Error[] = cause instanceof AggregateError ? cause.errors : [];
      if (errors.length === 1) throw errors[0];
      const addresses = this.#nodes.map((node) => node.address.text).join(', ');
      throw new ConnectionError('E_CONNECT', addresses, 'no nsqd can be reached', { cause });
    }
  }

  /** Publishes one message. @throws PublishError */
  publish(topic: string, body: Body, options?: PublishOptions): Promise<void> {
    return this.#submit(() => encodePub(topic, body), options);
  }

  /** Publishes messages as one command: the broker keeps all or none. @throws PublishError */
  publishBatch(topic: string, bodies: readonly Body[], options?: PublishOptions): Promise<void> {
    return this.#submit(() => encodeMpub(topic, bodies), options);
  }

  /**
   * Publishes one message that the broker holds back for `delayMs` milliseconds, at most its `--max-req-timeout`.
   * @throws PublishError
   */
  publishDeferred(topic: string, body: Body, delayMs: number, options?: PublishOptions): Promise<void> {
    return this.#submit(() => encodeDpub(topic, delayMs, body), options);
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
    this.#closed ??= this.#close(closeTimeout(options));
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #submit(encode: () => Buffer, options: PublishOptions | undefined): Promise<void> {
    let command: Buffer;
    try {
      command = encode();
      this.#check(command.length, options?.signal);
    } catch (error) {
      return Promise.reject(refusal(error));
    }
    return new Promise((resolve, reject) => {
      const timeout = options?.timeout;
      const inOrder = timeout === undefined && options?.signal === undefined;
      const limit = timeout ?? this.#settings.publishTimeout;
      const deadline = limit === 0 ? Number.POSITIVE_INFINITY : performance.now() + limit;
      const pending = new Pending(command, deadline, this.#owner, resolve, reject);
      if (inOrder) this.#outstanding.add(pending);
      else this.#addOwn(pending, limit, options?.signal);
      this.#dispatch(pending);
    });
  }

  #check(size: number, signal: AbortSignal | undefined): void {
    if (this.#closed) throw new PublishError('E_CLOSED', 'the producer is closed', false);
    if (signal?.aborted) {
      throw new PublishError('E_ABORTED', 'the call was aborted', false, { cause: signal.reason });
    }
    if (!this.#hasRoom(size)) {
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
    const why = pending.isSent || this.#lastError === undefined ? undefined : this.#lastError;
    pending.reject('E_TIMEOUT', `no outcome within ${timeout} ms${why ? ` (${why.message})` : ''}`, why);
  }

  #dispatch(pending: Pending): void {
    if (!this.#started) this.#start();
    const connection = this.#queue.size === 0 ? this.#pick() : undefined;
    if (connection === undefined) this.#queue.push(pending);
    else this.#send(connection, pending);
  }

  #start(): void {
    this.#started = true;
    for (const node of this.#nodes) node.link.start();
  }

  #send(connection: Connection, pending: Pending): void {
    pending.isSent = true;
    connection.request(pending.command, pending);
  }

  #pump(): void {
    while (this.#queue.size > 0) {
      const connection = this.#pick();
      if (connection === undefined) return;
      const pending = this.#queue.shift();
      if (pending && !pending.isSettled) this.#send(connection, pending);
    }
  }

  /** The connection whose turn it is, of those that can take more. */
  #pick(): Connection | undefined {
    const nodes = this.#nodes;
    for (let tried = 0; tried < nodes.length; tried++) {
      const connection = nodes[this.#turn]?.connection;
      this.#turn = (this.#turn + 1) % nodes.length;
      if (connection?.isWritable) return connection;
    }
    return undefined;
  }

  #onSettled(pending: Pending): void {
    const outstanding = this.#outstanding;
    outstanding.remove(pending);
    if (!pending.isSent) this.#forget(pending);
    if (outstanding.count === 0) this.#idleWaiter?.();
    if (this.#roomWaiters.length === 0) return;
    const { maxPending, maxPendingBytes } = this.#settings;
    if (outstanding.count <= maxPending / 2 && outstanding.bytes <= maxPendingBytes / 2) this.#wakeWaiters();
  }

  /** Settled in the queue: it must not pile up there while no connection is found. */
  #forget(pending: Pending): void {
    pending.command = NOTHING;
    this.#stale++;
    if (this.#stale > STALE_LIMIT && this.#stale > this.#queue.size / 2) {
      this.#stale = 0;
      this.#queue.filter((queued) => !queued.isSettled);
    }
  }

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
    await Promise.all(this.#nodes.map((node) => node.close()));
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

function refusal(error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error;
  return new PublishError(error.code, error.message, false, { cause: error });
}

/** What a {@link ProducerNode} tells its producer. */
interface NodeHost {
  connected(address: string): void;
  disconnected(address: string, error: BrokerError | ConnectionError): void;
  retrying(address: string, error: BrokerError | ConnectionError, delay: number): void;
  drained(): void;
}

/** One nsqd that is published to. */
class ProducerNode implements ConnectionOwner {
  readonly address: Address;
  readonly link: Link;
  /** Present while it is up. */
  connection: Connection | undefined;
  readonly #host: NodeHost;

  constructor(address: Address, settings: ConnectionSettings, host: NodeHost) {
    this.address = address;
    this.#host = host;
    this.link = new Link(address, settings, {
      open: (signal) => Connection.open(address, settings, this, signal, async () => undefined),
      up: (connection) => {
        this.connection = connection;
        host.connected(address.text);
      },
      retrying: (error, delay) => host.retrying(address.text, error, delay),
    });
  }

  async close(): Promise<void> {
    this.link.stop();
    await this.connection?.close();
  }

  message(): void {
    // Nothing is subscribed to: a broker that sends messages all the same gets no answer.
  }

  refused(): void {
    // Answers to FIN, REQ and TOUCH, which are never sent here.
  }

  drained(): void {
    this.#host.drained();
  }

  closed(error: BrokerError | ConnectionError): void {
    const wasUp = this.connection !== undefined;
    this.connection = undefined;
    if (wasUp) this.#host.disconnected(this.address.text, error);
    this.link.lost(error);
  }
}
