import { UsageError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Archiver } from './archiver.js';
import type { TopicList } from './topic-discovery.js';

/** Lists in a row that a topic must be missing from: one may come from a lookupd that has just started. */
const MISSES = 2;

/** Keeps an archiver at the topics that the lookupds know. */
export class FollowedTopics {
  readonly #archiver: Pick<Archiver, 'topics' | 'add' | 'remove' | 'isConnected'>;
  readonly #pattern: RegExp | undefined;
  readonly #logger: Logger;
  readonly #skipped = new Set<string>();
  readonly #misses = new Map<string, number>();
  #isFirst = true;

  constructor(
    archiver: Pick<Archiver, 'topics' | 'add' | 'remove' | 'isConnected'>,
    pattern: RegExp | undefined,
    logger: Logger,
  ) {
    this.#archiver = archiver;
    this.#pattern = pattern;
    this.#logger = logger;
  }

  /** Adds what is new, and lets go what has been deleted. */
  async follow(list: TopicList): Promise<void> {
    const known = new Set([...this.#archiver.topics, ...this.#skipped]);
    for (const topic of list.topics) if (!known.has(topic)) await this.#add(topic);
    if (this.#isFirst && this.#archiver.topics.length === 0)
      this.#logger.info('no topic to write to files yet; asking the lookupds again');
    this.#isFirst = false;
    if (list.isComplete) await this.#letGo(list.topics);
  }

  async #add(topic: string): Promise<void> {
    if (this.#pattern && !this.#pattern.test(topic)) {
      this.#skipped.add(topic);
      this.#logger.debug(`skipping topic ${topic} (doesn't match the pattern)`);
      return;
    }
    try {
      await this.#archiver.add(topic);
      this.#logger.info(`found topic ${topic}`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#skipped.add(topic);
      this.#logger.warn(`skipping topic ${topic}: ${error.message}`);
    }
  }

  async #letGo(listed: ReadonlySet<string>): Promise<void> {
    for (const topic of this.#skipped) if (!listed.has(topic)) this.#skipped.delete(topic);
    for (const topic of this.#archiver.topics) {
      const isGone = !listed.has(topic) && !this.#archiver.isConnected(topic);
      const misses = isGone ? (this.#misses.get(topic) ?? 0) + 1 : 0;
      this.#misses.set(topic, misses);
      if (misses < MISSES) continue;
      this.#misses.delete(topic);
      this.#logger.info(`topic ${topic} is gone`);
      await this.#archiver.remove(topic);
    }
  }
}
