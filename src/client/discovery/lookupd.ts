import { Backoff } from '../../net/backoff.js';
import { type JsonRequestTls, requestJson } from '../../net/json-request.js';
import { LookupError } from '../errors.js';
import type { Pem, TlsOptions } from '../tls-options.js';
import { type Lookup, readLookup } from './lookup-answer.js';
import type { LookupUrl } from './lookup-url.js';

/** How long a lookupd that can be watched is asked to wait for a change. */
const WAIT_MS = 15_000;
/** Time over that after which its silence is none of its waiting: the connection has died without a word. */
const LATE_MS = 5000;
/** Time from one of its answers to the next question: what changes meanwhile comes with one answer. */
const GAP_MS = 20;
/** From a lost connection to the question: the lookupd is about to know of it too. */
const RECHECK_MS = 20;
/** After that, a lookupd that cannot be watched is asked again soon, then less and less often. */
const FIRST_PACE_MS = 500;
/** How soon a lookupd is noticed that is back. */
const LONGEST_RETRY_MS = 5000;
const MAX_BYTES = 16 * 1024 * 1024;

export interface LookupdSettings {
  readonly connectTimeout: number;
  readonly reconnectDelay: number;
  readonly maxReconnectDelay: number;
  readonly lookupdPollInterval: number;
  readonly lookupdPollJitter: number;
  readonly lookupdPollTimeout: number;
  readonly lookupdAuthorization: boolean;
  readonly authSecret: string;
  /** For those that are asked over HTTPS. */
  readonly tls: TlsOptions | undefined;
}

/** What a {@link Lookupd} tells its owner. */
export interface LookupdOwner {
  answered(lookupd: Lookupd, lookup: Lookup): void;
  /** It did not answer as it should; it is asked again after `delay` ms. */
  failed(lookupd: Lookupd, error: LookupError, delay: number): void;
}

/**
 * Asks one lookupd for a topic, again and again: one that can be watched says itself when something has changed, the
 * others are polled.
 */
export class Lookupd {
  /** Its `host:port`. */
  readonly address: string;
  readonly #url: URL;
  readonly #settings: LookupdSettings;
  readonly #owner: LookupdOwner;
  readonly #retries: Backoff;
  readonly #abort = new AbortController();
  #started = false;
  #hasAnswered = false;
  #index: number | undefined;
  #pace = Number.POSITIVE_INFINITY;
  #waiters: ((error: LookupError | undefined) => void)[] = [];
  /** Ends the pause; present while there is one. */
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The pause was cut short already. */
  #isHurried = false;

  constructor({ text, url }: LookupUrl, settings: LookupdSettings, owner: LookupdOwner) {
    this.address = text;
    this.#url = url;
    this.#settings = settings;
    this.#owner = owner;
    const { reconnectDelay, maxReconnectDelay, lookupdPollInterval } = settings;
    const longest = Math.min(maxReconnectDelay, lookupdPollInterval, LONGEST_RETRY_MS);
    this.#retries = new Backoff(Math.min(reconnectDelay, longest), longest);
  }

  start(): void {
    if (this.#started || this.#isStopped) return;
    this.#started = true;
    void this.#run();
  }

  /** Resolves when it has answered, or else with the error of the question under way. */
  outcome(): Promise<LookupError | undefined> {
    if (this.#isStopped) return Promise.resolve(this.#stoppedError());
    if (this.#hasAnswered) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Something has changed most likely: it is asked now, unless it would say so itself. */
  recheck(): void {
    this.#pace = FIRST_PACE_MS;
    if (!this.#wake || this.#isHurried) return;
    this.#isHurried = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#wake, RECHECK_MS);
  }

  /** For good. */
  stop(): void {
    if (this.#isStopped) return;
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#wake?.();
    this.#settle(this.#stoppedError());
  }

  get #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const delay = await this.#ask();
      if (!this.#isStopped) await this.#pause(delay);
    }
  }

  /** Asks once; gives the time until it is to be asked again. */
  async #ask(): Promise<number> {
    let lookup: Lookup;
    try {
      lookup = await this.#request();
    } catch (cause) {
      return this.#isStopped ? 0 : this.#failed(cause);
    }
    if (this.#isStopped) return 0;
    this.#index = lookup.index;
    this.#retries.reset();
    this.#hasAnswered = true;
    this.#owner.answered(this, lookup);
    this.#settle(undefined);
    return this.#index === undefined ? this.#untilPoll() : GAP_MS;
  }

  #failed(cause: unknown): number {
    this.#index = undefined;
    const words = cause instanceof Error ? cause.message : String(cause);
    const error = new LookupError('E_LOOKUP', this.address, words, { cause });
    const delay = this.#retries.next();
    this.#owner.failed(this, error, delay);
    this.#settle(error);
    return delay;
  }

  async #request(): Promise<Lookup> {
    const { connectTimeout, lookupdPollTimeout, lookupdAuthorization, authSecret, tls } = this.#settings;
    const url = new URL(this.#url);
    url.searchParams.set('wait', `${WAIT_MS}ms`);
    if (this.#index !== undefined) url.searchParams.set('index', String(this.#index));
    const answer = await requestJson({
      url: url.href,
      connectTimeout: connectTimeout || lookupdPollTimeout,
      timeout:
        this.#index === undefined ? lookupdPollTimeout : WAIT_MS + Math.min(lookupdPollTimeout, LATE_MS),
      maxBytes: MAX_BYTES,
      signal: this.#abort.signal,
      ...(tls && { tls: trustOf(tls) }),
      ...(lookupdAuthorization && authSecret !== '' && { authorization: `Bearer ${authSecret}` }),
    });
    return readLookup(answer);
  }

  #untilPoll(): number {
    const { lookupdPollInterval, lookupdPollJitter } = this.#settings;
    const pace = this.#pace;
    this.#pace *= 2;
    return Math.min(pace, lookupdPollInterval * (1 - lookupdPollJitter * Math.random()));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        this.#isHurried = false;
        resolve();
      };
      this.#timer = setTimeout(this.#wake, ms);
    });
  }

  #settle(error: LookupError | undefined): void {
    for (const waiter of this.#waiters.splice(0)) waiter(error);
  }

  #stoppedError(): LookupError {
    return new LookupError('E_CLOSED', this.address, 'is asked no more');
  }
}

/** The options are about nsqds, whose name `servername` is and whose versions of TLS may be older. */
function trustOf({ ca, cert, key, rejectUnauthorized }: TlsOptions): JsonRequestTls {
  return {
    ...(ca !== undefined && { ca: Array.isArray(ca) ? [...ca] : (ca as Pem) }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
}
