import type { Address } from '../address.js';
import type { LookupError } from '../errors.js';
import type { Lookup } from './lookup-answer.js';
import type { LookupUrl } from './lookup-url.js';
import { Lookupd, type LookupdOwner, type LookupdSettings } from './lookupd.js';

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
  readonly #lookupds: readonly Lookupd[];
  readonly #host: DiscoveryHost;
  readonly #last = new Map<Lookupd, ReadonlyMap<string, Address>>();

  constructor(urls: readonly LookupUrl[], settings: LookupdSettings, host: DiscoveryHost) {
    this.#host = host;
    this.#lookupds = urls.map((url) => new Lookupd(url, settings, this));
  }

  start(): void {
    for (const lookupd of this.#lookupds) lookupd.start();
  }

  /** Resolves when every lookupd was asked. @throws LookupError when none has answered */
  async ready(): Promise<void> {
    this.start();
    const outcomes = await Promise.all(this.#lookupds.map((lookupd) => lookupd.outcome()));
    if (!outcomes.includes(undefined)) throw outcomes[0];
  }

  recheck(): void {
    for (const lookupd of this.#lookupds) lookupd.recheck();
  }

  stop(): void {
    for (const lookupd of this.#lookupds) lookupd.stop();
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
