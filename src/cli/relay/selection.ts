/** Which of several targets takes the next message, and what is learnt from how that went. */
export interface Selection<T> {
  next(): Choice<T>;
}

/** A target to try. One of the two is to be called when it is known how it went; other calls do nothing. */
export interface Choice<T> {
  readonly target: T;
  succeeded(): void;
  failed(): void;
}

/** ms, from any start. */
export type Now = () => number;

/** Every target in turn, whatever became of it; the second one first, as the originals do it. */
export class RoundRobin<T> implements Selection<T> {
  readonly #choices: readonly Choice<T>[];
  #count = 0;

  /** @param targets at least one */
  constructor(targets: readonly T[]) {
    const nothing = (): void => {};
    this.#choices = targets.map((target) => ({ target, succeeded: nothing, failed: nothing }));
  }

  next(): Choice<T> {
    this.#count = (this.#count + 1) % this.#choices.length;
    return this.#choices[this.#count]!;
  }
}
