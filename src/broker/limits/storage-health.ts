/** What of a topic is written: its messages, or the journal of what became of them. */
export type StoragePart = 'messages' | 'journal' | 'sync';

/**
 * What is wrong with the storage, by topic and part. Writes of messages tell of the disk as a whole: one that works, of
 * whichever topic, clears what those of others came to. A journal and a sync only speak for their own topic.
 */
export class StorageHealth {
  readonly #changed: () => void;
  #messages: Error | undefined;
  readonly #others = new Map<string, Error>();
  #full: Error | undefined;

  /** @param changed is told when something goes wrong or right */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  /** Why the storage is not well; undefined if it is. */
  get error(): Error | undefined {
    return this.#messages ?? this.#full ?? this.#others.values().next().value;
  }

  /** The last write of messages failed. */
  get isWriteFailing(): boolean {
    return this.#messages !== undefined;
  }

  /** Messages can be written again. */
  wellAgain(): void {
    this.result('', 'messages', undefined);
  }

  /** What a write of this part of a topic came to. */
  result(topic: string, part: StoragePart, error: Error | undefined): void {
    if (part === 'messages') {
      if (this.#messages === error) return;
      this.#messages = error;
    } else {
      if (!error && this.#others.size === 0) return;
      const key = `${topic} ${part}`;
      if (error) this.#others.set(key, error);
      else if (!this.#others.delete(key)) return;
    }
    this.#changed();
  }

  /** The topics of which this part failed last. */
  failing(part: StoragePart): string[] {
    return [...this.#others.keys()]
      .filter((key) => key.endsWith(` ${part}`))
      .map((key) => key.split(' ')[0]!);
  }

  /** Publishes are refused because the file system is too full; undefined if they are not. */
  full(error: Error | undefined): void {
    if (this.#full === error) return;
    this.#full = error;
    this.#changed();
  }

  /** The topic is gone, and with it what was wrong. */
  forget(topic: string): void {
    for (const part of ['journal', 'sync'] as const) this.result(topic, part, undefined);
  }
}
