import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../address.js';
import { LookupError } from '../errors.js';
import type { Lookup } from './lookup-answer.js';
import type { LookupUrl } from './lookup-url.js';
import { Lookupd, type LookupdOwner, type LookupdSettings } from './lookupd.js';

/** How long the other lookupds are waited for at first once one has answered. */
const OTHERS_MS = 1000;

/** What a {@link Discovery} tells its consumer. */
export interface DiscoveryHost {
  /** A lookupd has answered; `addresses()` may be others now. */
  answered(lookupd: string, nsqds: readonly string[]): void;
  failed(lookupd: string, error: LookupError, delay: number): void;
}

/**
 * Where a topic is to be had: what all lookupds together say. One that fails is taken at its last word, since its
 * brokers have not gone with it.
 */
export class Discovery implements LookupdOwner {
  readonly #settings: LookupdSettings;
  readonly #host: DiscoveryHost;
  /** By the URL that each is asked at. */
  readonly #lookupds = new Map<string, Lookupd>();
  readonly #last = new Map<Lookupd, ReadonlyMap<string, Address>>();

  constructor(urls: readonly LookupUrl[], settings: LookupdSettings, host: DiscoveryHost) {
    this.#settings = settings;
    this.#host = host;
    for (const url of urls) this.#lookupds.set(url.url.href, new Lookupd(url, settings, this));
  }

  /** `host:port` of each that is asked. */
  get lookupds(): readonly string[] {
    return [...this.#lookupds.values()].map(({ address }) => address);
  }

  start(): void {
    for (const lookupd of this.#lookupds.values()) lookupd.start();
  }

  /**
   * Resolves when every lookupd has answered or failed, or a while after the first answer: one that hangs is not waited
   * for as long as it may take. @throws LookupError when all have failed
   */
  async ready(): Promise<void> {
    this.start();
    const outcomes = [...this.#lookupds.values()].map((lookupd) => lookupd.outcome());
    if (outcomes.length === 0) return;
    const all = Promise.all(outcomes);
    const first = outcomes.map(async (outcome) => {
      if (await outcome) throw new Error('failed');
    });
    await Promise.any(first).catch(async () => {
      throw (await all)[0];
    });
    await Promise.race([all, delay(OTHERS_MS, undefined, { ref: false })]);
  }

  /** Asks one more, from now on; gives what it lists. @throws LookupError when it does not answer; it is asked again */
  async add(url: LookupUrl): Promise<readonly string[]> {
    const { href } = url.url;
    const lookupd = this.#lookupds.get(href) ?? new Lookupd(url, this.#settings, this);
    this.#lookupds.set(href, lookupd);
    lookupd.start();
    const error = await lookupd.outcome();
    if (error) throw error;
    return [...(this.#last.get(lookupd)?.keys() ?? [])];
  }

  /** Asks it no more, and forgets what it listed. @throws LookupError `E_NOT_CONNECTED` when it was not asked */
  remove({ text, url: { href } }: LookupUrl): void {
    const lookupd = this.#lookupds.get(href);
    if (!lookupd) throw new LookupError('E_NOT_CONNECTED', text, 'is not asked for nsqds');
    this.#lookupds.delete(href);
    this.#last.delete(lookupd);
    lookupd.stop();
  }

  recheck(): void {
    for (const lookupd of this.#lookupds.values()) lookupd.recheck();
  }

  stop(): void {
    for (const lookupd of this.#lookupds.values()) lookupd.stop();
  }

  lists(address: string): boolean {
    return [...this.#last.values()].some((nsqds) => nsqds.has(address));
  }

  /** Every nsqd that some lookupd lists, once. */
  addresses(): readonly Address[] {
    const all = [...this.#last.values()].flatMap((nsqds) => [...nsqds]);
    return [...new Map(all).values()];
  }

  answered(lookupd: Lookupd, { nsqds }: Lookup): void {
    this.#last.set(lookupd, nsqds);
    this.#host.answered(lookupd.address, [...nsqds.keys()]);
  }

  failed(lookupd: Lookupd, error: LookupError, delay: number): void {
    this.#host.failed(lookupd.address, error, delay);
  }
}
