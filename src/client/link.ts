import { Backoff } from '../net/backoff.js';
import type { Address } from './address.js';
import type { Connection } from './connection.js';
import { BrokerError, ConnectionError } from './errors.js';
import type { ConnectionSettings } from './options.js';

/** What a {@link Link} needs from its owner. */
export interface LinkOwner {
  /** Opens a connection, ready for use; gives up when `signal` is aborted. */
  open(signal: AbortSignal): Promise<Connection>;
  /** The connection is up. */
  up(connection: Connection): void;
  /** An attempt failed, or a connection ended; the next attempt comes after `delay` ms. */
  retrying(error: BrokerError | ConnectionError, delay: number): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps one connection to one address alive, with growing delays between attempts.
 *
 *     idle ─start→ opening ─→ up ─lost→ waiting ─→ opening …          stop: from anywhere, for good
 */
export class Link {
  readonly #address: Address;
  readonly #owner: LinkOwner;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  #state: 'idle' | 'opening' | 'up' | 'waiting' | 'stopped' = 'idle';
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #upSince = 0;
  #lastDelay = 0;

  constructor(address: Address, settings: ConnectionSettings, owner: LinkOwner) {
    this.#address = address;
    this.#owner = owner;
    this.#backoff = new Backoff(settings.reconnectDelay, settings.maxReconnectDelay);
  }

  /** Starts if need be. */
  start(): void {
    if (this.#state === 'idle') void this.#attempt();
  }

  /** Starts if need be; settles with the attempt under way (or the next): connected, or its error. */
  connected(): Promise<void> {
    if (this.#state === 'up') return Promise.resolve();
    if (this.#state === 'stopped') return Promise.reject(this.#stoppedError());
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.start();
    });
  }

  /** The owner's connection has ended. */
  lost(error: BrokerError | ConnectionError): void {
    if (this.#state !== 'up') return;
    if (performance.now() - this.#upSince >= this.#lastDelay) this.#backoff.reset();
    this.#retry(error, isOwnFault(error) ? 0 : this.#backoff.next());
  }

  /** Ends attempts for good; an open connection stays. */
  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#settle((waiter) => waiter.reject(this.#stoppedError()));
  }

  async #attempt(): Promise<void> {
    this.#state = 'opening';
    let connection: Connection;
    try {
      connection = await this.#owner.open(this.#abort.signal);
    } catch (error) {
      this.#failed(error as BrokerError | ConnectionError);
      return;
    }
    if (this.#isStopped()) connection.destroy();
    else if (connection.end) this.#failed(connection.end);
    else this.#up(connection);
  }

  #up(connection: Connection): void {
    this.#state = 'up';
    this.#upSince = performance.now();
    this.#owner.up(connection);
    this.#settle((waiter) => waiter.resolve());
  }

  #failed(error: BrokerError | ConnectionError): void {
    if (this.#isStopped()) return;
    this.#retry(error, this.#backoff.next());
    this.#settle((waiter) => waiter.reject(error));
  }

  #retry(error: BrokerError | ConnectionError, delay: number): void {
    this.#state = 'waiting';
    this.#lastDelay = delay;
    this.#timer = setTimeout(() => void this.#attempt(), delay);
    this.#owner.retrying(error, delay);
  }

  #settle(how: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) how(waiter);
  }

  /** A call, since the state may have changed while something was awaited. */
  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #stoppedError(): ConnectionError {
    return new ConnectionError('E_CLOSED', this.#address.text, 'the client is closed');
  }
}

/** The broker is well: it refused a message or a topic, and ends the connection with that. */
function isOwnFault(error: BrokerError | ConnectionError): boolean {
  return error instanceof BrokerError && OWN_FAULTS.has(error.code);
}

const OWN_FAULTS: ReadonlySet<string> = new Set(['E_BAD_MESSAGE', 'E_BAD_BODY', 'E_BAD_TOPIC']);
