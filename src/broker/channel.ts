import { isEphemeral } from '../protocol/names.js';
import { monotonic } from './clock.js';
import type { Consumer } from './delivery/consumer.js';
import { Consumers } from './delivery/consumers.js';
import { Cursor, type CursorOwner } from './delivery/cursor.js';
import { Dispenser } from './delivery/dispenser.js';
import { Skips } from './delivery/skips.js';
import { Taken, type TakenOwner } from './delivery/taken.js';
import { hasExperiment } from './experiments.js';
import { ChannelLatency } from './latency/channel-latency.js';
import type { IsGone } from './limits/topic-limits.js';
import type { Segment } from './log/segment.js';
import type { Slab } from './log/slab.js';
import type { TopicLog } from './log/topic-log.js';
import { Deadline } from './scheduler.js';
import type { EntryWriter } from './state/journal-entries.js';
import type { ChannelState } from './state/topic-state.js';
import type { Topic } from './topic.js';

/** Milliseconds until a read that failed is tried again. */
const READ_RETRY = 1000;

/** A channel: a position in its topic's log, what it took from there and has not finished, and its consumers. */
export class Channel implements CursorOwner, TakenOwner {
  readonly topic: Topic;
  readonly name: string;
  /** Stands for the channel in the journal. */
  readonly id: number;
  readonly ephemeral: boolean;
  readonly consumers: Consumers;
  /** Of finished messages; undefined if it is not measured. */
  readonly latency: ChannelLatency | undefined;
  readonly #cursor: Cursor;
  readonly #taken: Taken;
  readonly #skips = new Skips();
  readonly #deadline: Deadline;
  readonly #dispenser: Dispenser;
  /** Deferred messages in the log that the cursor has yet to pass; they were taken already. */
  #deferredAhead = 0;
  #paused = false;
  #dirty = false;
  #closed = false;
  #journaledCursor: number;

  messageCount = 0;
  /** Messages that were dropped because of a limit. */
  droppedCount = 0;
  /** Part of {@link lostCount}: messages that were lost before the channel took them. */
  #lostCount = 0;

  constructor(topic: Topic, id: number, name: string, start: number, timeoutsFrom: number) {
    this.topic = topic;
    this.id = id;
    this.name = name;
    this.ephemeral = isEphemeral(name);
    const { settings } = topic;
    this.consumers = new Consumers(
      hasExperiment(settings, 'topology-aware-consumption') ? settings : undefined,
    );
    this.#cursor = new Cursor(topic.log, this, start);
    this.latency = ChannelLatency.from(topic.settings);
    this.#taken = new Taken(this);
    this.#journaledCursor = start;
    this.#dispenser = new Dispenser(this.#cursor, this.#taken, this.#skips, () => topic.pumped, timeoutsFrom);
    this.#deadline = new Deadline((now) => this.#onDeadline(now));
  }

  get log(): TopicLog {
    return this.topic.log;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get cursor(): number {
    return this.#cursor.n;
  }

  get inFlightCount(): number {
    return this.#taken.inFlightCount;
  }

  get deferredCount(): number {
    return this.#taken.deferredCount;
  }

  get requeueCount(): number {
    return this.#taken.requeueCount;
  }

  get timeoutCount(): number {
    return this.#taken.timeoutCount;
  }

  /** Messages that were damaged on disk, or given up because the channel was full. */
  get lostCount(): number {
    return this.#lostCount + this.#taken.lostCount;
  }

  /** Messages that wait to be delivered now. */
  get depth(): number {
    return this.#fresh + this.#taken.waitingCount;
  }

  /** Those of `depth` that are on disk only. */
  get backendDepth(): number {
    return Math.min(this.depth, Math.max(0, this.log.inMemoryFrom - this.#cursor.n));
  }

  /** Whether the journal keeps this channel: not one of no lasting name, or of a topic in memory. */
  get journaled(): boolean {
    return !this.ephemeral && !this.log.inMemory;
  }

  get journal(): EntryWriter | undefined {
    return this.journaled ? this.topic.journal : undefined;
  }

  /** Messages that wait in the log. */
  get #fresh(): number {
    const { n } = this.#cursor;
    return this.topic.pumped - n - this.#skips.countFrom(n) - this.#deferredAhead;
  }

  /** Messages `[from, to)` of the topic are this channel's now. */
  pump(from: number, to: number): void {
    const over = this.ephemeral || this.topic.ephemeral ? Math.min(this.#excess(), to - from) : 0;
    if (over > 0) {
      this.skip(to - over, to);
      for (const { n } of this.topic.deferredMarks(to - over)) if (n < to) this.#deferredAhead--;
      this.#lostCount += over;
      this.topic.retention.trim();
    }
    this.messageCount += to - from;
    if (this.consumers.size > 0) this.schedule();
  }

  /** Takes a deferred message out of the log's order, to deliver it when it is due, ms since 1970. */
  defer(n: number, due: number): void {
    this.#deferredAhead++;
    this.#taken.hold(n, 0, due);
    this.#arm();
  }

  /** Messages `[from, to)` are not to be delivered. */
  skip(from: number, to: number): void {
    this.#skips.add(from, to);
  }

  /** Whether some of the messages `[from, to)` are still to be taken. */
  needs(from: number, to: number): boolean {
    const first = Math.max(from, this.#cursor.n);
    return first < to && this.#skips.countFrom(first) - this.#skips.countFrom(to) < to - first;
  }

  /** Numbers of a segment's messages that it took and has not finished, in no order. */
  takenIn(segment: Segment): IterableIterator<number> {
    return this.#taken.numbersIn(segment);
  }

  /** Adds a consumer; false if the channel takes no more. */
  addConsumer(consumer: Consumer): boolean {
    const limit = this.topic.settings.maxChannelConsumers;
    if (limit > 0 && this.consumers.size >= limit) return false;
    this.consumers.add(consumer);
    return true;
  }

  /** Takes a consumer away; what it had in flight goes to the next one at once. */
  removeConsumer(consumer: Consumer): void {
    if (!this.consumers.remove(consumer)) return;
    this.#taken.lose(consumer);
    if (this.consumers.size === 0 && this.ephemeral) this.topic.deleteChannel(this.name);
    else this.schedule();
  }

  /** Whether the message is in flight, with whichever consumer. */
  isInFlight(n: number): boolean {
    return this.#taken.isInFlight(n);
  }

  /** Whether this message is in flight with the consumer; then it is done with for good. */
  finish(consumer: Consumer, n: number): boolean {
    if (!this.#taken.finish(consumer, n)) return false;
    if (!this.#dirty) this.schedule();
    return true;
  }

  /** Gives a message back, to be delivered again after `delay` ms. */
  requeue(consumer: Consumer, n: number, delay: number): boolean {
    if (!this.#taken.requeue(consumer, n, delay)) return false;
    this.#arm();
    this.schedule();
    return true;
  }

  /** Begins a message's time anew, as far as `maxMsgTimeout` after its delivery. */
  touch(consumer: Consumer, n: number): boolean {
    if (!this.#taken.touch(consumer, n, this.topic.settings.maxMsgTimeout)) return false;
    this.#arm();
    return true;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.journal?.channelPaused(this.id, paused);
    this.topic.writeJournal();
    if (!paused) this.schedule();
  }

  /** Drops everything: what waits, what is deferred, and what is in flight. */
  empty(): void {
    const to = this.topic.pumped;
    this.#taken.clear();
    this.#cursor.seek(to);
    this.#skips.clear();
    this.#deferredAhead = 0;
    this.#journaledCursor = to;
    this.journal?.emptied(this.id, to);
    this.topic.writeJournal();
    this.topic.retention.trim();
    this.schedule();
  }

  /**
   * Drops what waits below number `to`, and of what it took and is to send again, that which is gone. What is in flight
   * may still be finished. How many messages.
   */
  drop(to: number, isGone: IsGone): number {
    let dropped = this.#taken.drop(isGone);
    const from = this.#cursor.n;
    if (from < to) {
      const fresh = this.#fresh;
      const marks = this.#takenAhead(from, to);
      this.#noteDropped(from, to, marks > 0 ? this.#taken.numbersIn({ firstN: from, endN: to }) : []);
      this.#cursor.seek(to);
      this.#deferredAhead -= marks;
      dropped += fresh - this.#fresh;
    }
    this.droppedCount += dropped;
    return dropped;
  }

  /** Tells the journal that all of `[from, to)` but some numbers is done with. */
  #noteDropped(from: number, to: number, kept: Iterable<number>): void {
    const { journal } = this;
    let at = from;
    for (const n of [...[...kept].sort((a, b) => a - b), to]) {
      if (n > at) journal?.finished(this.id, at, n - at);
      at = n + 1;
    }
  }

  /** Ends the channel; `forGood` also closes its consumers' connections. */
  close(forGood: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.topic.scheduler.disarm(this.#deadline);
    if (forGood) {
      this.#taken.clear();
      for (const consumer of this.consumers.clear()) consumer.channelClosed();
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
    this.latency?.settle();
    if (this.#paused || this.#closed || this.consumers.size === 0) return;
    this.consumers.share(
      () => this.depth,
      (consumer, share) => this.#dispenser.serve(consumer, share, now),
    );
    if (this.journaled && this.#cursor.n !== this.#journaledCursor) this.topic.turn.journal(this.topic);
    this.#arm();
  }

  /** Tells the journal what happened in this turn. */
  report(journal: EntryWriter): void {
    this.#taken.report(journal);
    if (this.#cursor.n === this.#journaledCursor) return;
    this.#journaledCursor = this.#cursor.n;
    journal.cursor(this.id, this.#cursor.n);
  }

  /** Writes all that the journal must know of this channel. */
  snapshot(journal: EntryWriter): void {
    const cursor = this.#cursor.n;
    this.#journaledCursor = cursor;
    journal.channel(this.id, cursor, this.#paused, this.name);
    const held = this.#taken.snapshot(journal, this.#deferredAhead > 0 ? cursor : Number.POSITIVE_INFINITY);
    for (const { from, to } of this.#skips) journal.skipped(this.id, from, to);
    if (this.#deferredAhead === 0) return;
    // A deferred message that the cursor has not passed may be finished already.
    for (const { n } of this.topic.deferredMarks(cursor)) if (!held.has(n)) journal.finished(this.id, n, 1);
  }

  /** Takes up what the journal said, after a start. */
  restore(state: ChannelState): void {
    this.#paused = state.paused;
    this.#taken.restore(state);
    for (const { n, due } of this.topic.deferredMarks(this.#cursor.n)) {
      if (state.isSkipped(n)) continue;
      this.#deferredAhead++;
      if (!state.ahead.has(n) && !state.held.has(n)) this.#taken.hold(n, 0, due);
    }
    for (const { from, to } of state.skips) this.#skips.add(from, to);
    this.#arm();
  }

  segmentIdle(segment: Segment): void {
    this.topic.retention.segmentIdle(segment);
  }

  givesUp(n: number, attempts: number, segment: Segment): boolean {
    const { limits } = this.topic;
    if (!limits.isGone(n, attempts, segment)) return false;
    this.droppedCount++;
    limits.count(1);
    return true;
  }

  passedDeferred(): void {
    this.#deferredAhead--;
  }

  passedLost(from: number, to: number): void {
    const ahead = this.#takenAhead(from, to);
    this.#deferredAhead -= ahead;
    this.#lostCount += to - from - ahead;
  }

  /** How many of these messages, which the cursor has yet to pass, were taken already because they are deferred. */
  #takenAhead(from: number, to: number): number {
    if (this.#deferredAhead === 0) return 0;
    let count = 0;
    for (const { n } of this.topic.deferredMarks(from)) {
      if (n >= to) break;
      if (!this.#skips.has(n)) count++;
    }
    return count;
  }

  leftSlab(slab: Slab): void {
    this.topic.retention.slabPassed(slab);
  }

  loaded(found: boolean): void {
    if (found) this.schedule();
    else if (!this.#closed)
      this.topic.scheduler.arm(this.#deadline, Math.min(this.#deadline.at, monotonic() + READ_RETRY));
  }

  /** How many messages are too many for a channel in memory: those that no consumer is waiting for, past the limit. */
  #excess(): number {
    const over = this.depth - this.topic.settings.memQueueSize;
    if (over <= 0) return 0;
    return Math.max(0, over - (this.#paused ? 0 : this.consumers.capacity));
  }

  /** Wakes the channel when the next message is due or times out. */
  #arm(): void {
    const at = this.#taken.nextDeadline;
    // A later deadline is found when the earlier one comes up: moving it each time would cost more.
    if (at < this.#deadline.at) this.topic.scheduler.arm(this.#deadline, at);
  }

  #onDeadline(now: number): void {
    this.#taken.wake(now);
    this.schedule();
    this.#arm();
  }
}
