import { isEphemeral } from '../protocol/names.js';
import { Channel } from './channel.js';
import { Skips } from './delivery/skips.js';
import { TopicLimits } from './limits/topic-limits.js';
import { TopicWrites } from './limits/topic-writes.js';
import type { DeferredMark } from './log/marks.js';
import type { Stamp } from './log/record.js';
import type { TopicLog } from './log/topic-log.js';
import { restoreChannels } from './restored-channels.js';
import { Retention } from './retention.js';
import type { Scheduler } from './scheduler.js';
import type { BrokerSettings } from './settings.js';
import type { EntryWriter } from './state/journal-entries.js';
import type { TopicState } from './state/topic-state.js';
import type { TopicHost } from './topic-host.js';
import { type MakeJournal, TopicJournal } from './topic-journal.js';
import { TopicSync } from './topic-sync.js';
import type { CommitTicket, Turn } from './turn.js';

/** A topic: its log, its channels, and how far they may read. */
export class Topic {
  readonly name: string;
  readonly ephemeral: boolean;
  readonly log: TopicLog;
  readonly channels = new Map<string, Channel>();
  readonly retention = new Retention(this);
  readonly limits: TopicLimits;
  /**
   * Messages before this number were passed to the channels; those from there on wait, because the topic is paused,
   * held, or has no channel.
   */
  pumped = 0;
  messageCount = 0;
  messageBytes = 0;
  #paused = false;
  #held = false;
  #closed = false;
  readonly #host: TopicHost;
  readonly #journal: TopicJournal;
  #nextChannelId = 1;
  readonly #writes: TopicWrites;
  /** What the start found missing of the messages that wait. */
  readonly #missing = new Skips();
  #ticket: CommitTicket | undefined;
  readonly #sync = new TopicSync((done) => this.#startSync(done));
  /** A commit is under way. */
  #committing = false;
  #whenCommitted: (() => void) | undefined;

  constructor(host: TopicHost, name: string, log: TopicLog, makeJournal?: MakeJournal) {
    this.#host = host;
    this.name = name;
    this.ephemeral = isEphemeral(name);
    this.log = log;
    this.pumped = log.endN;
    this.#writes = new TopicWrites(this, host);
    this.#journal = new TopicJournal(this, this.#writes, makeJournal);
    this.limits = new TopicLimits(this, host.logger);
  }

  get settings(): BrokerSettings {
    return this.#host.settings;
  }

  get scheduler(): Scheduler {
    return this.#host.scheduler;
  }

  get turn(): Turn {
    return this.#host.turn;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Messages are taken and kept from the channels: they are not all known yet. */
  get held(): boolean {
    return this.#held;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A publish has its OK before it is written: as long as writing works. */
  get oksAtOnce(): boolean {
    return this.settings.durability === 'memory' && !this.#writes.isFailing;
  }

  /** Why the journal's last write failed: after a crash channels may not be what they are. Undefined if it did not. */
  get journalError(): Error | undefined {
    return this.#writes.journalError;
  }

  /** Messages that no channel has got yet. */
  get depth(): number {
    return this.log.endN - this.pumped - this.#missing.countFrom(this.pumped);
  }

  get backendDepth(): number {
    const { inMemoryFrom } = this.log;
    const missing = this.#missing.countBetween(this.pumped, inMemoryFrom);
    return Math.min(this.depth, Math.max(0, inMemoryFrom - this.pumped - missing));
  }

  /** Entries for the journal, written at the end of the turn. */
  get journal(): EntryWriter {
    return this.#journal.entries;
  }

  /** Takes up what the journal said, after a start. */
  restore(state: TopicState): void {
    this.#paused = state.paused;
    this.#held = state.isHeld;
    const missing = restoreChannels(this, state, this.#host.logger);
    for (const { from, to, isLasting } of missing.between(this.pumped, this.log.endN))
      this.#missing.add(from, to, isLasting);
    for (const id of state.channels.keys()) this.#nextChannelId = Math.max(this.#nextChannelId, id + 1);
    this.retention.trim(false);
    this.limits.begin();
    if (missing.isNews || !state.isKnown) this.writeJournal();
  }

  /** Appends one message. Its OK is due when the ticket is settled. */
  publish(stamp: Stamp, body: Buffer, start: number, end: number): CommitTicket {
    const refused = this.limits.refuse(1, end - start);
    if (refused) return refused;
    this.messageCount++;
    this.messageBytes += end - start;
    if (this.#takes(1)) this.log.append(stamp, body, start, end);
    return this.#commitLater();
  }

  /** Appends the messages of a checked MPUB body. */
  publishBatch(stamp: Stamp, body: Buffer, start: number, end: number, count: number): CommitTicket {
    const refused = this.limits.refuse(count, end - start - 4 - count * 4);
    if (refused) return refused;
    this.messageCount += count;
    this.messageBytes += end - start - 4 - count * 4;
    if (this.#takes(count)) this.log.appendBatch(stamp, body, start, end, count);
    return this.#commitLater();
  }

  /** Appends one message that is to be delivered at `due` (ms since 1970). */
  publishDeferred(stamp: Stamp, body: Buffer, start: number, end: number, due: number): CommitTicket {
    const refused = this.limits.refuse(1, end - start);
    if (refused) return refused;
    this.messageCount++;
    this.messageBytes += end - start;
    if (this.#takes(1)) this.log.appendDeferred(stamp, body, start, end, due);
    return this.#commitLater();
  }

  /** Writes what was appended, and passes it to the channels. While a write is under way, more gathers for the next. */
  commit(): void {
    if (this.#committing) return;
    const ticket = this.#ticket;
    this.#ticket = undefined;
    if (this.#closed || !this.log.dirty) {
      ticket?.settle(undefined);
      return;
    }
    this.#committing = true;
    this.log.commit((error, lost) => {
      this.#committing = false;
      if (error) this.#notWritten(ticket, error, lost);
      else this.#written(ticket);
      if (this.#ticket && !this.#closed) this.commit();
      this.#whenCommitted?.();
    });
  }

  #written(ticket: CommitTicket | undefined): void {
    if (this.#closed) return ticket?.settle(undefined);
    this.#pump();
    const { first } = this.log.segments;
    if (first?.sealed) this.retention.segmentIdle(first);
    this.limits.committed();
    if (this.log.inMemory) return ticket?.settle(undefined);
    this.#writes.worked('messages');
    if (this.settings.durability === 'fsync' && ticket) {
      this.#sync.settle(ticket);
    } else {
      ticket?.settle(undefined);
      this.#host.wrote(this);
    }
  }

  /** Nothing is kept of what the ticket stands for, nor of what came since. */
  #notWritten(ticket: CommitTicket | undefined, error: Error, lost: number): void {
    if (this.oksAtOnce) {
      this.limits.lost(lost);
      this.#host.logger.error(`TOPIC(${this.name}): ${lost} messages lost that had an OK already`);
    }
    this.#writes.failed('messages', error);
    ticket?.settle(error);
    this.#ticket?.settle(error);
    this.#ticket = undefined;
  }

  /** The channel of this name, made if there is none. */
  channel(name: string): Channel {
    const existing = this.channels.get(name);
    if (existing) return existing;
    const channel = new Channel(this, this.#nextChannelId++, name, this.pumped, this.#host.timeoutsFrom());
    this.channels.set(name, channel);
    if (channel.journaled) this.journal.channel(channel.id, channel.cursor, false, name);
    this.#host.logger.info(`TOPIC(${this.name}): new channel(${name})`);
    this.#pump();
    this.writeJournal();
    this.#host.channelChanged(this, channel, true);
    return channel;
  }

  /** Deletes a channel and closes its consumers' connections. False if there is none of this name. */
  deleteChannel(name: string): boolean {
    const channel = this.channels.get(name);
    if (!channel) return false;
    this.channels.delete(name);
    this.#host.logger.info(`TOPIC(${this.name}): deleting channel ${name}`);
    channel.close(true);
    if (channel.journaled) this.journal.channelDeleted(channel.id);
    if (this.channels.size === 0) this.#journal.note();
    this.writeJournal();
    this.#host.channelChanged(this, channel, false);
    if (this.channels.size === 0 && this.ephemeral) this.#host.topicUnused(this);
    else this.retention.trim();
    return true;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#journal.note();
    this.writeJournal();
    if (!paused) this.#pump();
  }

  /**
   * Takes messages and keeps them from the channels, until it is released: there may be more channels to come. The
   * journal says so before a message comes, so that after a kill they are waited for again.
   */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#journal.note();
    this.writeJournal();
  }

  release(): void {
    this.#held = false;
    if (this.#closed) return;
    this.#journal.note();
    this.#pump();
  }

  /** Drops the messages below number `to` that no channel has got yet. */
  empty(to: number = this.log.endN): void {
    if (this.pumped >= to) return;
    for (const channel of this.channels.values()) {
      channel.skip(this.pumped, to);
      if (channel.journaled) this.journal.skipped(channel.id, this.pumped, to);
    }
    this.pumped = to;
    this.#journal.note();
    this.writeJournal();
    this.retention.trim();
  }

  /**
   * Writes the journal's entries so far: at the end of each turn, and at once where somebody is about to be told that a
   * channel is there or gone, paused or emptied.
   */
  writeJournal(): void {
    if (!this.#closed) this.#journal.write();
  }

  /** Deferred messages that were passed to the channels, from number `from` on. */
  deferredMarks(from: number): IterableIterator<DeferredMark> {
    return this.log.segments.deferredBetween(from, this.pumped);
  }

  /** Puts what is written on stable storage, off the event loop. */
  sync(): void {
    this.#sync.now();
  }

  /** As `sync`, unless syncs took up their part of the time already: then the next round will do it. */
  syncSoon(): void {
    this.#sync.soon();
  }

  #startSync(done: (error: Error | null) => void): void {
    const finish = (error: Error | null): void => {
      if (error) this.#writes.failed('sync', error);
      else this.#writes.worked('sync');
      done(error);
    };
    this.log.sync((error) => {
      if (error) this.#journal.doubtEntry();
      this.#journal.sync((cause) => {
        if (cause) this.log.doubtEntries();
        finish(error ?? cause);
      });
    });
  }

  get unsynced(): number {
    return this.log.unsynced + (this.#journal.unsynced ? 1 : 0);
  }

  /** Stops the topic; what is committed stays. Resolves when it is on stable storage. */
  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.log.dirty) {
      await new Promise<void>((resolve) => {
        this.#whenCommitted = resolve;
        this.commit();
      });
    }
    this.writeJournal();
    this.#closed = true;
    this.limits.close();
    for (const channel of this.channels.values()) channel.close(false);
    await this.#sync.stop();
    const errors = [await this.log.close(), await this.#journal.end()];
    const error = errors.find((it) => it !== undefined);
    this.#sync.settleAll(error);
    if (error) this.#host.logger.error(`TOPIC(${this.name}): not synced at its end`, { error });
  }

  /**
   * Stops the topic for good: its consumers' connections are closed, its files are the caller's to remove.
   * @param error what publishes that wait are told
   */
  abandon(error?: Error): void {
    if (this.#closed) return;
    for (const channel of this.channels.values()) {
      channel.close(true);
      this.#host.channelChanged(this, channel, false);
    }
    this.channels.clear();
    this.#closed = true;
    void this.#sync.stop();
    this.limits.close();
    this.log.abandon();
    this.#journal.close();
    this.#sync.settleAll(error);
    this.#ticket?.settle(error);
    this.#ticket = undefined;
  }

  /** An ephemeral topic without a channel, or paused, keeps so many messages only; what comes after is dropped. */
  #takes(count: number): boolean {
    if (!this.ephemeral || (this.channels.size > 0 && !this.#paused && !this.#held)) return true;
    return this.log.nextN - this.pumped + count <= this.settings.memQueueSize;
  }

  #commitLater(): CommitTicket {
    this.#ticket ??= this.turn.commit(this);
    return this.#ticket;
  }

  /** Passes what was committed to the channels, unless there are none or the topic is paused. */
  #pump(): void {
    const from = this.pumped;
    const { endN } = this.log;
    if (this.#paused || this.#held || this.channels.size === 0 || from === endN) return;
    this.pumped = endN;
    this.#journal.pumped();
    const marks = [...this.deferredMarks(from)];
    if (this.#missing.first) {
      for (const channel of this.channels.values()) channel.skipMissing(this.#missing, from);
      this.#missing.clear();
    }
    for (const channel of this.channels.values()) for (const { n, due } of marks) channel.defer(n, due);
    for (const channel of this.channels.values()) channel.pump(from, endN);
  }
}
