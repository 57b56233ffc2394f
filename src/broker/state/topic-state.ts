import { holdsNumber } from '../log/number-range.js';
import { HeldRanges } from './held-ranges.js';
import type { EntrySink } from './journal-entries.js';

/** What a topic's journal says of a channel. */
export class ChannelState {
  readonly id: number;
  readonly name: string;
  paused: boolean;
  /** Every message below it was taken, those in `held` are not finished. */
  cursor: number;
  /** Taken and not finished. */
  readonly held = new HeldRanges();
  /** Finished or given up although the cursor has not passed them. */
  readonly ahead = new HeldRanges();
  /** Those of `ahead` that will not be delivered because the topic was emptied over them. */
  readonly skips: { from: number; to: number }[] = [];

  constructor(id: number, name: string, cursor: number, paused: boolean) {
    this.id = id;
    this.name = name;
    this.cursor = cursor;
    this.paused = paused;
  }

  /** Whether the cursor is not to come upon message `n`. */
  isSkipped(n: number): boolean {
    return holdsNumber(this.skips, n);
  }

  moveTo(n: number): void {
    if (n <= this.cursor) return;
    this.held.add(this.cursor, n);
    for (const { from, to } of this.ahead) {
      if (from >= n) break;
      this.held.remove(from, Math.min(to, n));
    }
    this.ahead.remove(0, n);
    this.cursor = n;
    let passed = 0;
    while (passed < this.skips.length && this.skips[passed]!.to <= n) passed++;
    if (passed > 0) this.skips.splice(0, passed);
  }

  finish(n: number, count: number): void {
    this.held.remove(n, n + count);
    const from = Math.max(n, this.cursor);
    if (from < n + count) this.ahead.add(from, n + count);
  }
}

/** What a topic's journal says: made by replaying its entries in order. */
export class TopicState implements EntrySink {
  /** A journal says all this; else nothing is known. */
  isKnown = false;
  paused = false;
  /** Its channels are not all known yet. */
  isHeld = false;
  /** Messages from there on were not passed to channels, if the topic is paused, held, or has none. */
  pumped = 0;
  readonly channels = new Map<number, ChannelState>();

  /** Messages are kept from the channels, or there is none. */
  get waits(): boolean {
    return this.paused || this.isHeld || this.channels.size === 0;
  }

  /** A number that all that it speaks of lies below. */
  get highest(): number {
    let highest = this.pumped;
    for (const { cursor, held, ahead } of this.channels.values())
      highest = Math.max(highest, cursor, held.end, ahead.end);
    return highest;
  }

  channel(id: number, cursor: number, paused: boolean, name: string): void {
    this.channels.set(id, new ChannelState(id, name, cursor, paused));
  }

  channelDeleted(id: number): void {
    this.channels.delete(id);
  }

  channelPaused(id: number, paused: boolean): void {
    const channel = this.channels.get(id);
    if (channel) channel.paused = paused;
  }

  topic(paused: boolean, pumped: number, held: boolean): void {
    this.isKnown = true;
    this.paused = paused;
    this.isHeld = held;
    this.pumped = pumped;
  }

  cursor(id: number, n: number): void {
    this.channels.get(id)?.moveTo(n);
  }

  finished(id: number, n: number, count: number): void {
    this.channels.get(id)?.finish(n, count);
  }

  held(id: number, n: number, count: number, attempts: number): void {
    const held = this.channels.get(id)?.held;
    if (count === 1) held?.set(n, attempts, 0);
    else {
      held?.remove(n, n + count);
      held?.add(n, n + count, attempts, 0);
    }
  }

  deferred(id: number, n: number, attempts: number, due: number): void {
    this.channels.get(id)?.held.set(n, attempts, due);
  }

  emptied(id: number, n: number): void {
    const channel = this.channels.get(id);
    if (!channel) return;
    channel.moveTo(n);
    channel.held.remove(0, n);
  }

  skipped(id: number, from: number, to: number): void {
    const channel = this.channels.get(id);
    if (!channel) return;
    channel.skips.push({ from, to });
    channel.ahead.add(from, to);
    // What is held is to be delivered all the same: the cursor only does not come upon it.
    for (const held of channel.held.overlapping(from, to)) channel.ahead.remove(held.from, held.to);
  }
}
