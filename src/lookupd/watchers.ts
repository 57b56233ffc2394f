interface Watcher {
  readonly wake: () => void;
}

/**
 * Requests that wait for a topic to change. All changes of one turn of the event loop wake a waiting request once, so
 * that a broker's registrations, which come together, are seen together.
 */
export class Watchers {
  readonly #limit: number;
  readonly #byTopic = new Map<string, Set<Watcher>>();
  readonly #dirty = new Set<string>();
  #count = 0;
  #closed = false;

  /** @param limit requests that may wait at once */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many wait. */
  get size(): number {
    return this.#count;
  }

  /** Whether one more may wait. */
  get open(): boolean {
    return !this.#closed && this.#count < this.#limit;
  }

  /** Resolves when the topic has changed, after `ms`, when `onClosed` says that nobody waits any more, or by `close`. */
  wait(topic: string, ms: number, onClosed: (listener: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const watcher: Watcher = {
        wake: () => {
          if (!this.#remove(topic, watcher)) return;
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(watcher.wake, ms);
      this.#add(topic, watcher);
      onClosed(watcher.wake);
    });
  }

  /** Wakes those that wait for the topic, at the end of this turn. */
  changed(topic: string): void {
    if (!this.#byTopic.has(topic)) return;
    if (this.#dirty.size === 0) setImmediate(() => this.#flush());
    this.#dirty.add(topic);
  }

  /** Wakes all; nobody waits from now on. */
  close(): void {
    this.#closed = true;
    for (const topic of [...this.#byTopic.keys()]) this.#wakeAll(topic);
  }

  #flush(): void {
    const topics = [...this.#dirty];
    this.#dirty.clear();
    for (const topic of topics) this.#wakeAll(topic);
  }

  #wakeAll(topic: string): void {
    for (const watcher of [...(this.#byTopic.get(topic) ?? [])]) watcher.wake();
  }

  #add(topic: string, watcher: Watcher): void {
    const those = this.#byTopic.get(topic);
    if (those) those.add(watcher);
    else this.#byTopic.set(topic, new Set([watcher]));
    this.#count++;
  }

  #remove(topic: string, watcher: Watcher): boolean {
    const those = this.#byTopic.get(topic);
    if (!those?.delete(watcher)) return false;
    if (those.size === 0) this.#byTopic.delete(topic);
    this.#count--;
    return true;
  }
}
