import { setTimeout as delay } from 'node:timers/promises';
import type { HttpAddress } from '../cluster/http-address.js';
import { readNames } from '../cluster/lookupd-answers.js';
import { NodeClient } from '../cluster/node-client.js';
import type { Logger } from '../logger.js';

export interface TopicDiscoveryOptions {
  readonly lookupds: readonly HttpAddress[];
  /** Ms; 0 to ask only until there is an answer. */
  readonly refresh: number;
  /** Ms. */
  readonly connectTimeout: number;
  readonly requestTimeout: number;
  readonly logger: Logger;
}

/** What the lookupds that answered know together. */
export interface TopicList {
  readonly topics: ReadonlySet<string>;
  /** All of them answered. */
  readonly isComplete: boolean;
}

/** Longest time until the next question when nobody answered, ms. */
const RETRY_MS = 5000;

/** Asks lookupds for all topics, again and again. One that does not answer is left out until it does. */
export class TopicDiscovery {
  readonly #options: TopicDiscoveryOptions;
  readonly #client: NodeClient;
  readonly #silent = new Set<string>();

  constructor(options: TopicDiscoveryOptions) {
    this.#options = options;
    this.#client = new NodeClient(options);
  }

  /** Calls `found` with each list, and waits for it, until `signal` is aborted. */
  async run(found: (list: TopicList) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { refresh } = this.#options;
    while (!signal.aborted) {
      const list = await this.#ask(signal);
      if (signal.aborted) return;
      if (list) await found(list);
      if (list && refresh === 0) return;
      const pause = list ? refresh : Math.min(refresh || RETRY_MS, RETRY_MS);
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Undefined when none has answered. */
  async #ask(signal: AbortSignal): Promise<TopicList | undefined> {
    const { lookupds } = this.#options;
    const answers = await Promise.all(lookupds.map((lookupd) => this.#topicsOf(lookupd, signal)));
    const lists = answers.filter((answer) => answer !== undefined);
    if (lists.length === 0) return undefined;
    return { topics: new Set(lists.flat()), isComplete: lists.length === lookupds.length };
  }

  async #topicsOf(lookupd: HttpAddress, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const { logger } = this.#options;
    const { text } = lookupd;
    try {
      const names = readNames(text, 'topics', await this.#client.get(lookupd, '/topics', {}, signal));
      if (this.#silent.delete(text)) logger.info(`lookupd ${text} answers again`);
      return names;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (!this.#silent.has(text) && !signal.aborted)
        logger.warn(`lookupd ${text}: ${words}; asking again for its topics`);
      this.#silent.add(text);
      return undefined;
    }
  }
}
