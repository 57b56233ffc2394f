import { MAX_ATTEMPTS } from '../protocol/message.js';
import { isEphemeral } from '../protocol/names.js';
import { monotonic } from './clock.js';
import type { Consumer } from './delivery/consumer.js';
import { Cursor, type CursorOwner } from './delivery/cursor.js';
import { Heap } from './delivery/heap.js';
import { Held, HeldQueue } from './delivery/held.js';
import { InFlight, Run } from './delivery/in-flight.js';
import type { Segment } from './log/segment.js';
import type { Slab } from './log/slab.js';
import { Deadline } from './scheduler.js';
import type { EntryWriter } from './state/journal-entries.js';
import type { ChannelState } from './state/topic-state.js';
import type { Topic } from './topic.js';

/** Milliseconds until a read that failed is tried again. */
const READ_RETRY = 1000;
/** Records are handed to one consumer in pieces of at most so many bytes, so that others get their share of a turn. */
const PIECE = 256 * 1024;

/** A stretch of messages that the channel does not deliver. */
export interface Skip {
  from: number;
  to: number;
}

/**
 * A channel: a position in its topic's log, what it took from there and has not finished, and its consumers.
 *
 *     log ── cursor ──▶ in flight ──▶ finished
 *                        │    ▲
 *             REQ, lost, ▼    │ due, ready
 *           timed out   requeued, deferred
 */
export class Channel implements CursorOwner {
  readonly topic: Topic;
  readonly name: string;
  /** Stands for the channel in the journal. */
  readonly id: number;
  readonly ephemeral: boolean;
  readonly consumers: Consumer[] = [];
  readonly #cursor: Cursor;
  readonly #inFlight = new InFlight();
  readonly #requeued: HeldQueue;
  readonly #deferred = new Heap<Held>((held) => held.due);
  readonly #skips: Skip[] = [];
  readonly #deadline: Deadline;
  /** Deferred messages in the log that the cursor has yet to pass; they were taken already. */
  #deferredAhead = 0;
  #paused = false;
  #dirty = false;
  #closed = false;
  #turn = 0;
  /** Held messages have the next turn; they and new ones take turns, so that neither starves. */
  #heldNext = true;
  /** Finished numbers that the journal has yet to be told: `[from, to)`. */
  #finishedFrom = 0;
  #finishedTo = 0;
  #journaledCursor: number;
  /** In-flight timeouts before this time are held back until it. */
  readonly #timeoutsFrom: number;

  messageCount = 0;
  requeueCount = 0;
  timeoutCount = 0;
  /** Messages that were damaged on disk, or given up because the channel was full. */
  lostCount = 0;

  constructor(topic: Topic, id: number, name: string, start: number, timeoutsFrom: number) {
    this.topic = topic;
    this.id = id;
    this.name = name;
    this.ephemeral = isEphemeral(name);
    this.#cursor = new Cursor(topic.log, this, start);
    this.#journaledCursor = start;
    this.#timeoutsFrom = timeoutsFrom;
    this.#deadline = new Deadline((now) => this.#onDeadline(now));
    this.#requeued = new HeldQueue(topic.log, (found) => this.loaded(found));
  }

  get paused(): boolean {
    return this.#paused;
  }

  get cursor(): number {
    return this.#cursor.n;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  get deferredCount(): number {
    return this.#deferred.length;
  }

  /** Messages that wait to be delivered now. */
  get depth(): number {
    return this.#fresh + this.#requeued.length;
  }

  /** Those of `depth` that are on disk only. */
  get backendDepth(): number {
    return Math.min(this.depth, Math.max(0, this.topic.log.inMemoryFrom - this.#cursor.n));
  }

  /** Messages that the journal keeps: a channel of no lasting name, or of a topic in memory, has none. */
  get journaled(): boolean {
    return !this.ephemeral && !this.topic.log.inMemory;
  }

  get #fresh(): number {
    let skipped = 0;
    for (const { from, to } of this.#skips) skipped += to - Math.max(from, this.#cursor.n);
    return this.topic.pumped - this.#cursor.n - skipped - this.#deferredAhead;
  }

  /** Messages `[from, to)` of the topic are this channel's now. */
  pump(from: number, to: number): void {
    const over = this.ephemeral || this.topic.ephemeral ? Math.min(this.#excess(), to - from) : 0;
    if (over > 0) {
      this.skip(to - over, to);
      for (const { n } of this.topic.deferredMarks(to - over)) if (n < to) this.#deferredAhead--;
      this.lostCount += over;
    }
    this.messageCount += to - from - over;
    if (this.consumers.length > 0) this.schedule();
  }

  /** Takes a deferred message out of the log's order, to deliver it when it is due. */
  defer(held: Held): void {
    this.#deferredAhead++;
    this.#hold(held);
    this.#arm();
  }

  /** Messages `[from, to)` are not to be delivered. */
  skip(from: number, to: number): void {
    const last = this.#skips.at(-1);
    if (last && last.to === from) last.to = to;
    else this.#skips.push({ from, to });
  }

  /** Adds a consumer; false if the channel takes no more. */
  addConsumer(consumer: Consumer): boolean {
    const limit = this.topic.settings.maxChannelConsumers;
    if (limit > 0 && this.consumers.length >= limit) return false;
    this.consumers.push(consumer);
    return true;
  }

  /** Takes a consumer away; what it had in flight goes to the next one at once. */
  removeConsumer(consumer: Consumer): void {
    const at = this.consumers.indexOf(consumer);
    if (at === -1) return;
    this.consumers.splice(at, 1);
    const lost: Held[] = [];
    for (const run of this.#inFlight.runs()) {
      if (run.consumer !== consumer) continue;
      for (const n of this.#inFlight.remaining(run))
        lost.push(new Held(n, run.attempts, 0, run.blockPos, run.segment));
    }
    lost.sort((a, b) => a.n - b.n);
    for (const held of lost) this.#inFlight.take(held.n, consumer);
    for (const held of lost) this.#requeued.push(held);
    if (this.consumers.length === 0 && this.ephemeral) this.topic.deleteChannel(this.name);
    else this.schedule();
  }

  /** Whether the message is in flight, with whichever consumer. */
  isInFlight(n: number): boolean {
    return this.#inFlight.get(n) !== undefined;
  }

  /** Whether this message is in flight with the consumer; then it is done with for good. */
  finish(consumer: Consumer, n: number): boolean {
    const run = this.#inFlight.take(n, consumer);
    if (!run) return false;
    this.#finished(n, run.segment);
    if (!this.#dirty) this.schedule();
    return true;
  }

  /** Gives a message back, to be delivered again after `delay` ms. */
  requeue(consumer: Consumer, n: number, delay: number): boolean {
    const run = this.#inFlight.take(n, consumer);
    if (!run) return false;
    this.requeueCount++;
    const held = new Held(n, run.attempts, delay > 0 ? Date.now() + delay : 0, run.blockPos, run.segment);
    if (delay > 0) {
      this.#deferred.push(held);
      if (this.journaled) this.topic.journal.deferred(this.id, n, held.attempts, held.due);
      this.#arm();
    } else {
      this.#requeued.push(held);
    }
    this.schedule();
    return true;
  }

  /** Begins a message's time anew, as far as `maxMsgTimeout` after its delivery. */
  touch(consumer: Consumer, n: number): boolean {
    const run = this.#inFlight.take(n, consumer);
    if (!run) return false;
    const latest = run.sentAt + this.topic.settings.maxMsgTimeout;
    const deadline = Math.min(monotonic() + consumer.msgTimeout, latest);
    this.#inFlight.add(
      new Run(consumer, n, 1, run.segment, run.blockPos, run.attempts, run.sentAt, deadline),
    );
    this.#arm();
    return true;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (this.journaled) this.topic.journal.channelPaused(this.id, paused);
    if (!paused) this.schedule();
  }

  /** Drops everything: what waits, what is deferred, and what is in flight. */
  empty(): void {
    const to = this.topic.pumped;
    this.#dropHeld();
    this.#cursor.seek(to);
    this.#skips.length = 0;
    this.#deferredAhead = 0;
    this.#finishedFrom = 0;
    this.#finishedTo = 0;
    this.#journaledCursor = to;
    if (this.journaled) this.topic.journal.emptied(this.id, to);
    this.topic.trim();
    this.schedule();
  }

  /** Ends the channel; `forGood` also closes its consumers' connections. */
  close(forGood: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.topic.scheduler.disarm(this.#deadline);
    if (forGood) {
      this.#dropHeld();
      for (const consumer of this.consumers.splice(0)) consumer.channelClosed();
    }
    this.#cursor.release();
  }

  /** Something happened that may let messages go out: they do at the end of the turn. */
  schedule(): void {
    if (this.#dirty || this.#closed) return;
    this.#dirty = true;
    this.topic.turn.deliver(this);
  }

  /** Hands out what may go out now. Called once per turn, if something happened. */
  deliver(now: number): void {
    this.#dirty = false;
    if (this.#paused || this.#closed || this.consumers.length === 0) return;
    const ready = this.consumers.filter((consumer) => consumer.capacity() > 0);
    this.#turn++;
    while (ready.length > 0) {
      const share = Math.max(1, Math.ceil(this.depth / ready.length));
      let given = 0;
      for (let i = 0; i < ready.length; i++) {
        given += this.#serve(ready[(i + this.#turn) % ready.length]!, share, now);
      }
      if (given === 0) break;
      for (let i = ready.length - 1; i >= 0; i--) if (ready[i]!.capacity() <= 0) ready.splice(i, 1);
    }
    this.#arm();
  }

  /** Tells the journal what happened in this turn. */
  report(journal: EntryWriter): void {
    if (this.#finishedTo > this.#finishedFrom) {
      journal.finished(this.id, this.#finishedFrom, this.#finishedTo - this.#finishedFrom);
    }
    this.#finishedFrom = this.#finishedTo = 0;
    if (this.#cursor.n !== this.#journaledCursor) {
      this.#journaledCursor = this.#cursor.n;
      journal.cursor(this.id, this.#cursor.n);
    }
  }

  /** Writes all that the journal must know of this channel. */
  snapshot(journal: EntryWriter): void {
    this.#finishedFrom = this.#finishedTo = 0;
    const cursor = this.#cursor.n;
    this.#journaledCursor = cursor;
    journal.channel(this.id, cursor, this.#paused, this.name);
    const held = new Set<number>();
    for (const run of this.#inFlight.runs()) {
      for (const n of this.#inFlight.remaining(run)) {
        journal.held(this.id, n, 1, run.attempts);
        held.add(n);
      }
    }
    for (const it of this.#requeued) {
      journal.held(this.id, it.n, 1, it.attempts);
      held.add(it.n);
    }
    for (const it of this.#deferred) {
      journal.deferred(this.id, it.n, it.attempts, it.due);
      held.add(it.n);
    }
    for (const { from, to } of this.#skips) journal.skipped(this.id, from, to);
    if (this.#deferredAhead === 0) return;
    for (const { n } of this.topic.deferredMarks(cursor)) if (!held.has(n)) journal.finished(this.id, n, 1);
  }

  /** Takes up what the journal said, after a start. */
  restore(state: ChannelState): void {
    const { segments } = this.topic.log;
    this.#paused = state.paused;
    const marks = new Map(this.topic.deferredMarks(0).map((mark) => [mark.n, mark]));
    for (const { from, to, attempts, due } of state.held) {
      for (let n = from; n < to; n++) {
        const segment = segments.of(n);
        if (!segment) continue;
        const mark = attempts === 0 ? marks.get(n) : undefined;
        this.#hold(new Held(n, mark ? 0 : Math.max(1, attempts), mark?.due ?? due, mark?.pos ?? -1, segment));
      }
    }
    for (const mark of marks.values()) {
      if (mark.n < this.#cursor.n || mark.n >= this.topic.pumped) continue;
      if (state.skips.some(({ from, to }) => mark.n >= from && mark.n < to)) continue;
      this.#deferredAhead++;
      if (!state.ahead.has(mark.n) && !state.held.has(mark.n)) {
        this.#hold(new Held(mark.n, 0, mark.due, mark.pos, segments.of(mark.n)!));
      }
    }
    this.#skips.push(...state.skips);
    this.#arm();
  }

  passedDeferred(): void {
    this.#deferredAhead--;
  }

  passedLost(from: number, to: number): void {
    this.lostCount += to - from;
  }

  leftSlab(slab: Slab): void {
    this.topic.releaseSlab(slab);
  }

  loaded(found: boolean): void {
    if (found) this.schedule();
    else if (!this.#closed)
      this.topic.scheduler.arm(this.#deadline, Math.min(this.#deadline.at, monotonic() + READ_RETRY));
  }

  /** Gives a consumer up to `share` messages, held and new ones in turn. How many it got. */
  #serve(consumer: Consumer, share: number, now: number): number {
    let quota = Math.min(share, consumer.capacity());
    let given = 0;
    while (quota > 0) {
      const heldFirst = this.#heldNext;
      this.#heldNext = !heldFirst;
      let got = heldFirst ? this.#serveHeld(consumer, Math.ceil(quota / 2), now) : 0;
      if (got === 0) got = this.#serveFresh(consumer, quota, now);
      if (got === 0 && !heldFirst) got = this.#serveHeld(consumer, quota, now);
      if (got === 0) break;
      given += got;
      quota = Math.min(quota - got, consumer.capacity());
    }
    return given;
  }

  #serveHeld(consumer: Consumer, quota: number, now: number): number {
    let given = 0;
    for (; given < quota; given++) {
      const found = this.#requeued.take();
      if (!found) break;
      const { held, slab, start, end } = found;
      const attempts = Math.min(held.attempts + 1, MAX_ATTEMPTS);
      if (this.journaled) this.topic.journal.held(this.id, held.n, 1, attempts);
      consumer.sendAgain(slab, start, end, attempts);
      const deadline = this.#deadlineOf(consumer, now);
      this.#inFlight.add(new Run(consumer, held.n, 1, held.segment, held.blockPos, attempts, now, deadline));
    }
    return given;
  }

  #serveFresh(consumer: Consumer, quota: number, now: number): number {
    const cursor = this.#cursor;
    if (!this.#openCursor()) return 0;
    const bound = this.#skips[0]?.from ?? Number.POSITIVE_INFINITY;
    if (consumer.sampleRate > 0) return this.#serveSample(consumer, now);
    const { n, at, segment } = cursor;
    let count = Math.min(quota, cursor.left, bound - n);
    let end = cursor.endOf(count);
    if (end - at > PIECE && count > 1) {
      count = Math.max(1, Math.floor((count * PIECE) / (end - at)));
      end = cursor.endOf(count);
    }
    consumer.sendRecords(cursor.slab, at, end, count);
    segment.outstanding += count;
    const deadline = this.#deadlineOf(consumer, now);
    this.#inFlight.add(new Run(consumer, n, count, segment, cursor.blockPos, 1, now, deadline));
    cursor.advance(count, end);
    return count;
  }

  /** One message for a consumer that wants a share of them: others are finished without being sent. */
  #serveSample(consumer: Consumer, now: number): number {
    const cursor = this.#cursor;
    const { n, at, segment } = cursor;
    const end = cursor.endOf(1);
    segment.outstanding++;
    // nsqd lets a message through when a number from 0 to 99 is not above the rate.
    if (Math.floor(Math.random() * 100) > consumer.sampleRate) {
      cursor.advance(1, end);
      this.#finished(n, segment);
      return 1;
    }
    consumer.sendRecords(cursor.slab, at, end, 1);
    const deadline = this.#deadlineOf(consumer, now);
    this.#inFlight.add(new Run(consumer, n, 1, segment, cursor.blockPos, 1, now, deadline));
    cursor.advance(1, end);
    return 1;
  }

  /** How many messages are too many for a channel in memory: those that no consumer is waiting for, past the limit. */
  #excess(): number {
    const over = this.depth - this.topic.settings.memQueueSize;
    if (over <= 0) return 0;
    let wanted = 0;
    for (const consumer of this.consumers) wanted += consumer.capacity();
    return Math.max(0, over - (this.#paused ? 0 : wanted));
  }

  /** Stands the cursor at the next message to deliver, past what is skipped. */
  #openCursor(): boolean {
    for (;;) {
      const skip = this.#skips[0];
      if (skip && this.#cursor.n >= skip.from) {
        this.#passSkip(skip);
        continue;
      }
      const limit = Math.min(this.topic.pumped, skip?.from ?? Number.POSITIVE_INFINITY);
      if (this.#cursor.open(limit)) return true;
      if (!skip || this.#cursor.n < skip.from) return false;
    }
  }

  #passSkip(skip: Skip): void {
    this.#skips.shift();
    if (this.#cursor.n < skip.to) this.#cursor.seek(skip.to);
  }

  #deadlineOf(consumer: Consumer, now: number): number {
    return Math.max(now + consumer.msgTimeout, this.#timeoutsFrom);
  }

  #finished(n: number, segment: Segment): void {
    if (this.journaled) {
      if (n === this.#finishedTo) this.#finishedTo++;
      else {
        if (this.#finishedTo > this.#finishedFrom) {
          this.topic.journal.finished(this.id, this.#finishedFrom, this.#finishedTo - this.#finishedFrom);
        }
        this.#finishedFrom = n;
        this.#finishedTo = n + 1;
      }
    }
    if (--segment.outstanding === 0) this.topic.segmentIdle(segment);
  }

  /** Keeps a message to deliver again: when it is due, or now. */
  #hold(held: Held): void {
    held.segment.outstanding++;
    if (held.due > 0) this.#deferred.push(held);
    else this.#requeued.push(held);
  }

  #dropHeld(): void {
    const gone = new Map<Consumer, number>();
    for (const run of this.#inFlight.runs()) {
      gone.set(run.consumer, (gone.get(run.consumer) ?? 0) + run.live);
      run.segment.outstanding -= run.live;
    }
    for (const held of this.#requeued) held.segment.outstanding--;
    for (const held of this.#deferred) held.segment.outstanding--;
    this.#inFlight.clear();
    this.#requeued.clear();
    this.#deferred.clear();
    for (const [consumer, count] of gone) consumer.messagesGone(count);
  }

  /** Wakes the channel when the next message is due or times out. */
  #arm(): void {
    const due = this.#deferred.first;
    const dueIn = due ? monotonic() + Math.max(0, due.due - Date.now()) : Number.POSITIVE_INFINITY;
    const at = Math.min(dueIn, this.#inFlight.nextDeadline);
    // A later deadline is found when the earlier one comes up: moving it each time would cost more.
    if (at < this.#deadline.at) this.topic.scheduler.arm(this.#deadline, at);
  }

  #onDeadline(now: number): void {
    const wall = Date.now();
    for (let held = this.#deferred.first; held && held.due <= wall; held = this.#deferred.first) {
      this.#deferred.shift();
      this.#requeued.push(held);
    }
    for (let run = this.#inFlight.expire(now); run; run = this.#inFlight.expire(now)) this.#timeOut(run);
    this.schedule();
    this.#arm();
  }

  #timeOut(run: Run): void {
    let count = 0;
    for (const n of [...this.#inFlight.remaining(run)]) {
      this.#inFlight.take(n, run.consumer);
      this.#requeued.push(new Held(n, run.attempts, 0, run.blockPos, run.segment));
      count++;
    }
    this.timeoutCount += count;
    run.consumer.messagesGone(count);
  }
}
