import { monotonic } from './clock.js';

/** Something that is to happen at a time. It is armed on one scheduler; arming it again moves it. */
export class Deadline {
  /** When it is due, on the monotonic clock in ms; Infinity while it is not armed. */
  at = Number.POSITIVE_INFINITY;
  /** Its place in the scheduler's heap, -1 while it is not armed. */
  index = -1;
  readonly onDue: (now: number) => void;

  constructor(onDue: (now: number) => void) {
    this.onDue = onDue;
  }
}

/** setTimeout's longest wait; a later deadline is reached in several. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * The broker's only timer: a binary heap of deadlines, armed for the earliest. Ten thousand idle channels have no
 * deadline and cost nothing.
 */
export class Scheduler {
  readonly #heap: Deadline[] = [];
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  arm(deadline: Deadline, at: number): void {
    deadline.at = at;
    if (deadline.index === -1) {
      deadline.index = this.#heap.length;
      this.#heap.push(deadline);
      this.#up(deadline.index);
    } else {
      this.#up(deadline.index);
      this.#down(deadline.index);
    }
    this.#rearm();
  }

  disarm(deadline: Deadline): void {
    const at = deadline.index;
    if (at === -1) return;
    const last = this.#heap.pop()!;
    deadline.index = -1;
    deadline.at = Number.POSITIVE_INFINITY;
    if (last === deadline) return;
    last.index = at;
    this.#heap[at] = last;
    this.#up(last.index);
    this.#down(last.index);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const deadline of this.#heap) deadline.index = -1;
    this.#heap.length = 0;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #rearm(): void {
    const earliest = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (earliest >= this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = earliest;
    // A timer fires up to a millisecond early; waiting for the next whole one avoids a turn for nothing.
    const wait = Math.min(Math.max(Math.ceil(earliest - monotonic()), 0), LONGEST_WAIT);
    this.#timer = setTimeout(() => this.#run(), wait);
  }

  #run(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = monotonic();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.disarm(first);
      first.onDue(now);
    }
    this.#rearm();
  }

  #up(at: number): void {
    const heap = this.#heap;
    const item = heap[at]!;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (above.at <= item.at) break;
      heap[at] = above;
      above.index = at;
      at = parent;
    }
    heap[at] = item;
    item.index = at;
  }

  #down(at: number): void {
    const heap = this.#heap;
    const item = heap[at]!;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      const below = heap[child]!;
      if (below.at >= item.at) break;
      heap[at] = below;
      below.index = at;
      at = child;
    }
    heap[at] = item;
    item.index = at;
  }
}
