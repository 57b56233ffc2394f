import type { Pending } from './pending.js';

/**
 * All publishes without an outcome. Those with the default time-out are a list in the order of their deadlines, which
 * is the order they came in, so that one timer serves them all; those with one of their own are a set.
 *
 *     first (earliest deadline) ⇄ … ⇄ last
 */
export class Outstanding {
  readonly #expire: (pending: Pending) => void;
  readonly #own = new Set<Pending>();
  #first: Pending | undefined;
  #last: Pending | undefined;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  #bytes = 0;

  /** @param expire called for each whose deadline has passed; must settle it */
  constructor(expire: (pending: Pending) => void) {
    this.#expire = expire;
  }

  get count(): number {
    return this.#count;
  }

  /** Size of their commands, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds one whose deadline is not before those added earlier. */
  add(pending: Pending): void {
    this.#count++;
    this.#bytes += pending.command.length;
    pending.previous = this.#last;
    if (this.#last === undefined) this.#first = pending;
    else this.#last.next = pending;
    this.#last = pending;
    if (this.#timer === undefined && pending.deadline !== Number.POSITIVE_INFINITY)
      this.#arm(pending.deadline);
  }

  /** Adds one that looks after its deadline itself. */
  addOwn(pending: Pending): void {
    this.#count++;
    this.#bytes += pending.command.length;
    this.#own.add(pending);
  }

  remove(pending: Pending): void {
    this.#count--;
    this.#bytes -= pending.command.length;
    if (this.#own.delete(pending)) return;
    if (pending.previous === undefined) this.#first = pending.next;
    else pending.previous.next = pending.next;
    if (pending.next === undefined) this.#last = pending.previous;
    else pending.next.previous = pending.previous;
    pending.previous = undefined;
    pending.next = undefined;
  }

  /** All of them, those with the default time-out first, oldest first. */
  all(): Pending[] {
    const all: Pending[] = [];
    for (let pending = this.#first; pending !== undefined; pending = pending.next) all.push(pending);
    return all.concat(...this.#own);
  }

  /** Stops the timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  // The timer keeps no process alive: what waits has a connection, or an attempt at one, that does.
  #arm(deadline: number): void {
    this.#timer = setTimeout(
      () => this.#onTimer(),
      Math.max(1, Math.ceil(deadline - performance.now())),
    ).unref();
  }

  #onTimer(): void {
    this.#timer = undefined;
    const now = performance.now();
    while (this.#first !== undefined && this.#first.deadline <= now) this.#expire(this.#first);
    if (this.#first !== undefined) this.#arm(this.#first.deadline);
  }
}
