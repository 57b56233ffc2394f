import { monotonic } from '../clock.js';
import { type ChannelLatency, publishTimes } from '../latency/channel-latency.js';
import type { IsGone } from '../limits/topic-limits.js';
import type { Segment } from '../log/segment.js';
import type { Slab } from '../log/slab.js';
import type { TopicLog } from '../log/topic-log.js';
import type { EntryWriter } from '../state/journal-entries.js';
import type { ChannelState } from '../state/topic-state.js';
import type { Consumer } from './consumer.js';
import { Deferred } from './deferred.js';
import { type FoundRecord, Held, HeldQueue } from './held.js';
import { InFlight, Run } from './in-flight.js';

/** What the messages that a channel took are kept for. */
export interface TakenOwner {
  readonly log: TopicLog;
  /** Where it is told how long messages took; undefined if nobody wants to know. */
  readonly latency: ChannelLatency | undefined;
  /** The channel's number in the journal. */
  readonly id: number;
  /** Where the journal's entries go; undefined for a channel that has no journal. */
  readonly journal: EntryWriter | undefined;
  /** Nothing in this segment is outstanding any more. */
  segmentIdle(segment: Segment): void;
  /** Whether a message that is to be sent again is given up instead, because of a limit; then that is counted. */
  givesUp(n: number, attempts: number, segment: Segment): boolean;
  /** What was not in memory is there, or could not be read. */
  loaded(found: boolean): void;
}

/**
 * The messages that a channel took from its topic's log and has not finished.
 *
 *     sent ──▶ in flight ──▶ finished
 *                │    ▲
 *     REQ, lost, ▼    │ sent again
 *    timed out  waiting ◀── due ── deferred
 */
export class Taken {
  requeueCount = 0;
  timeoutCount = 0;
  /** Messages whose blocks turned out damaged. */
  lostCount = 0;
  readonly #owner: TakenOwner;
  readonly #latency: ChannelLatency | undefined;
  readonly #inFlight = new InFlight();
  readonly #waiting: HeldQueue;
  readonly #deferred = new Deferred();
  /** Finished numbers that the journal has yet to be told: `[from, to)`. */
  #finishedFrom = 0;
  #finishedTo = 0;

  constructor(owner: TakenOwner) {
    this.#owner = owner;
    this.#latency = owner.latency;
    this.#waiting = new HeldQueue(
      owner.log,
      (found) => owner.loaded(found),
      ({ n, segment }) => {
        this.lostCount++;
        this.#finished(n, segment);
      },
    );
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  get deferredCount(): number {
    return this.#deferred.length;
  }

  /** Messages that are to be sent again now. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** When the next message is due or times out, on the monotonic clock in ms; Infinity if none is or does. */
  get nextDeadline(): number {
    const untilDue = Math.max(0, this.#deferred.firstDue - Date.now());
    return Math.min(monotonic() + untilDue, this.#inFlight.nextDeadline);
  }

  isInFlight(n: number): boolean {
    return this.#inFlight.get(n) !== undefined;
  }

  /** New messages went out, whose records stand in the slab from `at` on. */
  sent(run: Run, slab: Slab, at: number): void {
    if (this.#latency) run.published = publishTimes(slab, at, run.count);
    run.segment.outstanding += run.count;
    this.#inFlight.add(run);
  }

  /** The next message to send again; undefined if there is none, or it must be read first. */
  nextWaiting(): FoundRecord | undefined {
    return this.#waiting.take();
  }

  /** A message that waited went out again; its record stands in the slab at `at`. */
  sentAgain(run: Run, slab: Slab, at: number): void {
    if (this.#latency) run.published = publishTimes(slab, at, 1);
    this.#owner.journal?.held(this.#owner.id, run.firstN, 1, run.attempts);
    this.#inFlight.add(run);
  }

  /** Keeps a message that is to be sent: when it is due, ms since 1970, or now if that is 0. */
  hold(n: number, attempts: number, due: number): void {
    const segment = this.#owner.log.segments.of(n);
    if (!segment) return;
    segment.outstanding++;
    if (due > 0) this.#deferred.push(n, attempts, due);
    else this.#waiting.push(new Held(n, attempts, segment));
  }

  /** Whether the message is in flight with the consumer; then it is done with for good. */
  finish(consumer: Consumer, n: number): boolean {
    const run = this.#inFlight.take(n, consumer);
    if (!run) return false;
    if (run.published) this.#latency?.finished(run.published[n - run.firstN]!);
    this.#finished(n, run.segment);
    return true;
  }

  /** A message is done with that was taken and not sent. */
  passOver(n: number, segment: Segment): void {
    segment.outstanding++;
    this.#finished(n, segment);
  }

  /** Gives a message back, to be sent again after `delay` ms. False if it is not in flight with the consumer. */
  requeue(consumer: Consumer, n: number, delay: number): boolean {
    const run = this.#inFlight.take(n, consumer);
    if (!run) return false;
    this.requeueCount++;
    if (delay > 0 && !run.segment.removed) {
      const due = Date.now() + delay;
      this.#deferred.push(n, run.attempts, due);
      this.#owner.journal?.deferred(this.#owner.id, n, run.attempts, due);
    } else {
      this.#wait(n, run.attempts, run.segment);
    }
    return true;
  }

  /** Begins a message's time anew, up to `longest` ms after it was sent. */
  touch(consumer: Consumer, n: number, longest: number): boolean {
    const run = this.#inFlight.take(n, consumer);
    if (!run) return false;
    const deadline = Math.min(monotonic() + consumer.msgTimeout, run.sentAt + longest);
    const touched = new Run(consumer, n, 1, run.segment, run.attempts, run.sentAt, deadline);
    touched.published = run.published?.slice(n - run.firstN, n - run.firstN + 1);
    this.#inFlight.add(touched);
    return true;
  }

  /** What was in flight with a consumer that is gone is to be sent again, in order. */
  lose(consumer: Consumer): void {
    const lost: Held[] = [];
    for (const run of this.#inFlight.runs()) {
      if (run.consumer !== consumer) continue;
      for (const n of this.#inFlight.remaining(run)) {
        lost.push(new Held(n, run.attempts, run.segment));
      }
    }
    lost.sort((a, b) => a.n - b.n);
    for (const held of lost) {
      this.#inFlight.take(held.n, consumer);
      this.#wait(held.n, held.attempts, held.segment);
    }
  }

  /** Messages that are due, or that timed out, are to be sent. */
  wake(now: number): void {
    const wall = Date.now();
    const { segments } = this.#owner.log;
    while (this.#deferred.firstDue <= wall) {
      const { n, attempts } = this.#deferred.shift()!;
      this.#wait(n, attempts, segments.of(n)!);
    }
    for (let run = this.#inFlight.expire(now); run; run = this.#inFlight.expire(now)) this.#timeOut(run);
  }

  /** Numbers of the messages of a segment that are taken and not finished, in no order. */
  *numbersIn({ firstN, endN }: Pick<Segment, 'firstN' | 'endN'>): IterableIterator<number> {
    for (const run of this.#inFlight.runs()) {
      if (run.firstN >= firstN && run.firstN < endN) yield* this.#inFlight.remaining(run);
    }
    for (const { n } of this.#waiting) if (n >= firstN && n < endN) yield n;
    for (const { n } of this.#deferred) if (n >= firstN && n < endN) yield n;
  }

  /** Forgets everything. */
  clear(): void {
    const gone = new Map<Consumer, number>();
    for (const run of this.#inFlight.runs()) {
      gone.set(run.consumer, (gone.get(run.consumer) ?? 0) + run.live);
      run.segment.outstanding -= run.live;
    }
    for (const held of this.#waiting) held.segment.outstanding--;
    for (const { n } of this.#deferred) this.#owner.log.segments.of(n)!.outstanding--;
    this.#inFlight.clear();
    this.#waiting.clear();
    this.#deferred.clear();
    this.#finishedFrom = this.#finishedTo = 0;
    for (const [consumer, count] of gone) consumer.messagesGone(count);
  }

  /** Tells the journal what was finished since the last time. */
  report(journal: EntryWriter): void {
    if (this.#finishedTo > this.#finishedFrom) {
      journal.finished(this.#owner.id, this.#finishedFrom, this.#finishedTo - this.#finishedFrom);
    }
    this.#finishedFrom = this.#finishedTo = 0;
  }

  /** Writes all that is taken and not finished; says which numbers those are from `from` on. */
  snapshot(journal: EntryWriter, from: number): Set<number> {
    const { id } = this.#owner;
    this.#finishedFrom = this.#finishedTo = 0;
    const numbers = new Set<number>();
    for (const run of this.#inFlight.runs()) {
      for (const n of this.#inFlight.remaining(run)) {
        journal.held(id, n, 1, run.attempts);
        if (n >= from) numbers.add(n);
      }
    }
    for (const held of this.#waiting) {
      journal.held(id, held.n, 1, held.attempts);
      if (held.n >= from) numbers.add(held.n);
    }
    for (const { n, attempts, due } of this.#deferred) {
      journal.deferred(id, n, attempts, due);
      if (n >= from) numbers.add(n);
    }
    return numbers;
  }

  /** Takes up what the journal said. A deferred message that was not sent yet shows by its mark in the log. */
  restore(state: ChannelState): void {
    const { segments } = this.#owner.log;
    for (const { from, to, attempts, due } of state.held) {
      for (let n = from; n < to; n++) {
        const isAhead = n >= state.cursor;
        const published = attempts === 0 || isAhead ? segments.of(n)?.deferred.dueOf(n) : undefined;
        // That the cursor passed it was in a part of the journal that is damaged: it comes anew.
        if (isAhead && published === undefined && !state.isSkipped(n)) continue;
        if (published === undefined || attempts > 0) this.hold(n, Math.max(1, attempts), due);
        else this.hold(n, 0, published);
      }
    }
  }

  /** Gives up those that wait or are deferred and are gone; how many. What is in flight stays. */
  drop(isGone: IsGone): number {
    const gone: Held[] = [];
    for (const held of this.#waiting) if (isGone(held.n, held.attempts)) gone.push(held);
    if (gone.length > 0) {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const held of waiting) if (!isGone(held.n, held.attempts)) this.#waiting.push(held);
    }
    for (const { n, attempts } of this.#deferred.extract(isGone))
      gone.push(new Held(n, attempts, this.#owner.log.segments.of(n)!));
    for (const { n, segment } of gone) this.#finished(n, segment);
    return gone.length;
  }

  #wait(n: number, attempts: number, segment: Segment): void {
    if (this.#owner.givesUp(n, attempts, segment)) this.#finished(n, segment);
    else this.#waiting.push(new Held(n, attempts, segment));
  }

  #finished(n: number, segment: Segment): void {
    const { journal, id } = this.#owner;
    if (n === this.#finishedTo) this.#finishedTo++;
    else {
      if (this.#finishedTo > this.#finishedFrom) {
        journal?.finished(id, this.#finishedFrom, this.#finishedTo - this.#finishedFrom);
      }
      this.#finishedFrom = n;
      this.#finishedTo = n + 1;
    }
    if (--segment.outstanding === 0) this.#owner.segmentIdle(segment);
  }

  #timeOut(run: Run): void {
    let count = 0;
    for (const n of [...this.#inFlight.remaining(run)]) {
      this.#inFlight.take(n, run.consumer);
      this.#wait(n, run.attempts, run.segment);
      count++;
    }
    this.timeoutCount += count;
    run.consumer.messagesGone(count);
  }
}
