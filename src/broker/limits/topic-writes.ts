import { monotonic } from '../clock.js';
import type { Journal } from '../state/journal.js';
import type { Topic } from '../topic.js';
import type { TopicHost } from '../topic-host.js';
import type { StoragePart } from './storage-health.js';

/** Milliseconds from a write of the journal that failed to the next one. */
const PAUSE = 250;
const FAILURES: Readonly<Record<StoragePart, string>> = {
  messages: 'messages not written',
  journal: 'journal not written',
  sync: 'not synced',
};

/** Tells the broker, and the log, what a topic's writes to storage come to. */
export class TopicWrites {
  readonly #topic: Topic;
  readonly #host: TopicHost;
  /** After a write of the journal that failed, the next one waits until then (monotonic, ms). */
  #pauseUntil = 0;
  /** The last write of messages failed. */
  #isFailing = false;
  /** Why the journal does not say what it should; undefined if it does. */
  #journalError: Error | undefined;

  constructor(topic: Topic, host: TopicHost) {
    this.#topic = topic;
    this.#host = host;
  }

  /** The last write of messages failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Why the journal's last write failed; undefined if it did not. */
  get journalError(): Error | undefined {
    return this.#journalError;
  }

  /** What comes of a topic that is closed is of no interest: its files may be gone. */
  worked(part: StoragePart): void {
    if (this.#topic.closed) return;
    this.#host.storageResult(this.#topic, part, undefined);
    if (part !== 'messages' || !this.#isFailing) return;
    // There is room again, for the journal too.
    this.#isFailing = false;
    this.#pauseUntil = 0;
  }

  failed(part: StoragePart, cause: unknown): void {
    if (this.#topic.closed) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (part === 'messages') this.#isFailing = true;
    this.#host.logger.error(`TOPIC(${this.#topic.name}): ${FAILURES[part]}`, { error });
    this.#host.storageResult(this.#topic, part, error);
  }

  /**
   * Writes the journal's entries, unless that failed a moment ago: then the next snapshot will say what they say.
   *
   * Until it does, messages go by what an earlier journal says after a crash: where that is wrong about the channels
   * themselves, no more messages are taken.
   */
  journal(journal: Journal): void {
    const { isVital } = journal.entries;
    try {
      if (monotonic() < this.#pauseUntil) journal.entries.clear();
      else this.#write(journal);
    } catch (error) {
      this.#pauseUntil = monotonic() + PAUSE;
      this.#journalError = error as Error;
      this.failed('journal', error);
    }
    if (isVital && this.#journalError) this.#topic.limits.journalBehind = this.#journalError;
  }

  #write(journal: Journal): void {
    journal.write();
    this.#journalError = undefined;
    this.#topic.limits.journalBehind = undefined;
    this.#host.storageResult(this.#topic, 'journal', undefined);
  }
}
