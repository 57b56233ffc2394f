import { monotonic } from './clock.js';
import type { Segment } from './log/segment.js';
import type { Logger } from './logger.js';
import { Deadline, type Scheduler } from './scheduler.js';
import type { BrokerSettings } from './settings.js';
import type { Topic } from './topic.js';

/** A segment is written anew if it then has so many bytes less, and half of what it had at the most. */
const LEAST_GAIN = 256 * 1024;
/** With small files, this part of one will do. */
const LEAST_PART = 1 / 4;

/** What the compactor needs of the broker. */
interface CompactorHost {
  readonly settings: Readonly<Pick<BrokerSettings, 'compactionInterval' | 'maxBytesPerFile'>>;
  readonly topics: ReadonlyMap<string, Topic>;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/**
 * Keeps a few messages that are deferred, or in flight for long, from holding the files they are in: what is finished is
 * left out of them.
 */
export class Compactor {
  readonly #host: CompactorHost;
  readonly #deadline = new Deadline(() => this.#look());
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(host: CompactorHost) {
    this.#host = host;
  }

  start(): void {
    this.#arm();
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#host.scheduler.disarm(this.#deadline);
    await this.#working;
  }

  #arm(): void {
    const { compactionInterval: interval } = this.#host.settings;
    if (!this.#closed && interval > 0) this.#host.scheduler.arm(this.#deadline, monotonic() + interval);
  }

  #look(): void {
    // A segment that was finished just now is about to go by itself.
    this.#working = this.run(monotonic() - 2 * this.#host.settings.compactionInterval).then(() => {
      this.#working = undefined;
      this.#arm();
    });
  }

  /** Compacts every segment for which it is worth it, of those that were finished by `settled` (monotonic, ms). */
  async run(settled = Number.POSITIVE_INFINITY): Promise<void> {
    for (const topic of [...this.#host.topics.values()]) {
      for (const segment of [...topic.log.segments]) {
        if (this.#closed || topic.closed) break;
        if (segment.sealedAt <= settled && this.#isWorthIt(topic, segment))
          await this.#compact(topic, segment);
      }
    }
  }

  async #compact(topic: Topic, segment: Segment): Promise<void> {
    const numbers = new Set<number>();
    for (const channel of topic.channels.values()) for (const n of channel.takenIn(segment)) numbers.add(n);
    const sorted = [...numbers].sort((a, b) => a - b);
    if (!this.#shrinks(segment, sorted.length)) return;
    const before = segment.size;
    try {
      await topic.log.compact(segment, sorted);
      this.#host.logger.debug(`compacted ${segment.path}: ${before} to ${segment.size} bytes`);
    } catch (error) {
      // All that was left in it was finished meanwhile, or it was deleted: its file is gone.
      if (segment.removed || topic.closed) return;
      this.#host.logger.warn(`cannot compact ${segment.path}`, { error });
    }
  }

  #isWorthIt(topic: Topic, segment: Segment): boolean {
    const { log, channels, pumped } = topic;
    if (!segment.sealed || segment.path === '' || segment.removed || segment.outstanding === 0) return false;
    // The end of the log shows in its last file.
    if (segment.endN > pumped || segment.endN === log.endN) return false;
    if (!this.#shrinks(segment, segment.outstanding / channels.size)) return false;
    for (const channel of channels.values()) if (channel.needs(segment.firstN, segment.endN)) return false;
    return true;
  }

  /** Whether the segment gets small enough if `count` messages are left in it. */
  #shrinks(segment: Segment, count: number): boolean {
    const rest = (segment.size * count) / segment.messages;
    const gain = Math.min(LEAST_GAIN, this.#host.settings.maxBytesPerFile * LEAST_PART);
    return rest <= segment.size / 2 && segment.size - rest >= gain;
  }
}
