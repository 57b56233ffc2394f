export interface WaitOptions {
  /** Longest wait, ms. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Ends the wait when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Waits for something to be so, looking whenever something has happened. */
export class Wait {
  readonly #watchers = new Set<() => void>();

  /** Something has happened: who waits looks again. */
  stir(): void {
    for (const look of this.#watchers) look();
  }

  /**
   * Resolves when `test` says so. Looks are made one at a time; what happens during one leads to another.
   * @param what said of what was waited for, when it does not come
   * @throws Error after the time-out, or the signal's reason
   */
  until(
    test: () => boolean | Promise<boolean>,
    what: () => string,
    { timeout = 5000, signal }: WaitOptions,
  ): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      let isLooking = false;
      let isStirred = false;
      const end = (settle: () => void): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(signal?.reason));
      const look = (): void => {
        isStirred = true;
        if (!isLooking) void lookOn();
      };
      const lookOn = async (): Promise<void> => {
        isLooking = true;
        try {
          while (isStirred && this.#watchers.has(look)) {
            isStirred = false;
            if (await test()) return end(resolve);
          }
        } catch (error) {
          end(() => reject(error));
        } finally {
          isLooking = false;
        }
      };
      const timer = setTimeout(() => {
        end(() => reject(new Error(`waited ${timeout} ms for ${what()}`)));
      }, timeout);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#watchers.add(look);
      look();
    });
  }
}
