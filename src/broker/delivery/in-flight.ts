import type { Segment } from '../log/segment.js';
import type { Consumer } from './consumer.js';
import { Heap } from './heap.js';

/** Messages that went to one consumer at one time, one after the other in the log. */
export class Run {
  readonly consumer: Consumer;
  readonly firstN: number;
  readonly count: number;
  readonly segment: Segment;
  /** Deliveries of each of them, this one included. */
  readonly attempts: number;
  /** When they were sent, on the monotonic clock in ms. */
  readonly sentAt: number;
  /** When they time out, likewise. */
  readonly deadline: number;
  /** When each was published, ns since 1970; only where latencies are measured. */
  published: readonly number[] | undefined;
  /** How many of them are still in flight. */
  live: number;

  constructor(
    consumer: Consumer,
    firstN: number,
    count: number,
    segment: Segment,
    attempts: number,
    sentAt: number,
    deadline: number,
  ) {
    this.consumer = consumer;
    this.firstN = firstN;
    this.count = count;
    this.segment = segment;
    this.attempts = attempts;
    this.sentAt = sentAt;
    this.deadline = deadline;
    this.published = undefined;
    this.live = count;
  }
}

const PAGE_SIZE = 256;

class Page {
  readonly runs: (Run | undefined)[] = new Array<Run | undefined>(PAGE_SIZE).fill(undefined);
  live = 0;
}

/**
 * The messages of a channel that are in flight, found by their number: pages of a table, of which only those exist
 * that have a message in them.
 *
 *     number ─ page (number / 256) ─ slot ─ run ─ consumer, deadline, attempts
 *
 * Runs stand in a heap by deadline; one of which nothing is left is dropped when it comes up, or in a sweep.
 */
export class InFlight {
  readonly #pages = new Map<number, Page>();
  readonly #deadlines = new Heap<Run>((run) => run.deadline);
  #lastKey = -1;
  #lastPage: Page | undefined;
  #spare: Page | undefined;
  #liveRuns = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(run: Run): void {
    const end = run.firstN + run.count;
    let n = run.firstN;
    while (n < end) {
      const key = Math.floor(n / PAGE_SIZE);
      const page = this.#page(key);
      const base = key * PAGE_SIZE;
      const stop = Math.min(end - base, PAGE_SIZE);
      const from = n - base;
      for (let slot = from; slot < stop; slot++) page.runs[slot] = run;
      page.live += stop - from;
      n = base + stop;
    }
    this.#size += run.count;
    this.#liveRuns++;
    this.#deadlines.push(run);
    if (this.#deadlines.length > 64 + 2 * this.#liveRuns) this.#deadlines.retain((it) => it.live > 0);
  }

  /** The run of message `n`, if it is in flight. */
  get(n: number): Run | undefined {
    const key = Math.floor(n / PAGE_SIZE);
    const page = key === this.#lastKey ? this.#lastPage : this.#pages.get(key);
    return page?.runs[n - key * PAGE_SIZE];
  }

  /** Takes message `n` out; its run is returned. Undefined if it is not in flight with this consumer. */
  take(n: number, consumer: Consumer): Run | undefined {
    const key = Math.floor(n / PAGE_SIZE);
    let page: Page | undefined;
    if (key === this.#lastKey) page = this.#lastPage;
    else {
      page = this.#pages.get(key);
      if (!page) return undefined;
      this.#lastKey = key;
      this.#lastPage = page;
    }
    const slot = n - key * PAGE_SIZE;
    const run = page?.runs[slot];
    if (!page || !run || run.consumer !== consumer) return undefined;
    page.runs[slot] = undefined;
    if (--page.live === 0) this.#free(key, page);
    if (--run.live === 0) this.#liveRuns--;
    this.#size--;
    return run;
  }

  /** When the next message times out; Infinity if none is in flight. */
  get nextDeadline(): number {
    for (let run = this.#deadlines.first; run; run = this.#deadlines.first) {
      if (run.live > 0) return run.deadline;
      this.#deadlines.shift();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes out the run that timed out first by `now`; its messages are still to be taken one by one. */
  expire(now: number): Run | undefined {
    return this.nextDeadline <= now ? this.#deadlines.shift() : undefined;
  }

  /** The numbers of a run's messages that are still in flight. */
  *remaining(run: Run): IterableIterator<number> {
    for (let n = run.firstN; n < run.firstN + run.count; n++) if (this.get(n) === run) yield n;
  }

  /** All runs of which something is in flight, in no order. */
  *runs(): IterableIterator<Run> {
    for (const run of this.#deadlines) if (run.live > 0) yield run;
  }

  clear(): void {
    this.#pages.clear();
    this.#deadlines.clear();
    this.#lastKey = -1;
    this.#lastPage = undefined;
    this.#liveRuns = 0;
    this.#size = 0;
  }

  #page(key: number): Page {
    if (key === this.#lastKey) return this.#lastPage!;
    let page = this.#pages.get(key);
    if (!page) {
      page = this.#spare ?? new Page();
      this.#spare = undefined;
      this.#pages.set(key, page);
    }
    this.#lastKey = key;
    this.#lastPage = page;
    return page;
  }

  #free(key: number, page: Page): void {
    this.#pages.delete(key);
    this.#spare = page;
    this.#lastKey = -1;
    this.#lastPage = undefined;
  }
}
