import type { Skip } from './delivery/skips.js';
import type { NumberRange } from './log/number-range.js';
import type { SegmentList } from './log/segment-list.js';
import type { Logger } from './logger.js';
import type { ChannelState, TopicState } from './state/topic-state.js';

/** How many ranges of numbers a line in the log names at the most. */
const MOST_NAMED = 8;

/**
 * The messages that a topic's segment files do not have after a start although its journal says that they were not
 * finished.
 *
 * Gaps in the numbers are nothing wrong by themselves: files are removed when all in them is finished, and a compaction
 * leaves messages out. Missing is what somebody was still to get.
 *
 *     numbers   [ segment | segment ]    gap    [ segment ]   gap   | next one
 *     channel        finished ▲ cursor ── missing ──  owed  ── missing ──
 */
export class Missing {
  /** Something is missing that cannot come back: the journal is to know of it. */
  readonly isNews: boolean;
  /** Where numbers go on if the log ends before what the journal speaks of; -1 if it does not. */
  readonly #goesOnAt: number;
  readonly #segments: SegmentList;
  /** Stretches that nothing can be read of, in order. The file of one in the middle of the log may be put back. */
  readonly #gaps: Skip[] = [];
  /** What is owed of those that no file has: by channel; the empty name stands for what no channel has got yet. */
  readonly #owed = new Map<string, readonly NumberRange[]>();

  /**
   * @param segments with one that the next message goes to
   * @param logEnd number after the last message in the files
   */
  constructor(state: TopicState, segments: SegmentList, logEnd: number) {
    this.#segments = segments;
    const absent: Skip[] = [];
    let end = 0;
    for (const { firstN, endN, missing } of segments) {
      if (firstN > end) {
        const gap = { from: end, to: firstN, isLasting: firstN > logEnd };
        absent.push(gap);
        this.#gaps.push(gap);
      }
      // Of what is damaged in a file, the log was told when that was read.
      for (const { from, to } of missing) this.#gaps.push({ from, to, isLasting: true });
      end = endN;
    }
    if (state.isKnown) {
      if (state.waits) this.#note('', absent, (gap) => [clip(gap, state.pumped)]);
      for (const channel of state.channels.values())
        this.#note(channel.name, absent, (gap) => owedIn(channel, gap));
    }
    const last = absent.at(-1);
    this.#goesOnAt = last?.isLasting ? last.to : -1;
    const isDamaged = this.#gaps.length > absent.length;
    this.isNews = isDamaged || (this.#owed.size > 0 && this.#goesOnAt !== -1);
  }

  /** Where a position stands that is `n` in the journal: in a gap only if something is missing there. */
  startOf(n: number): number {
    const next = this.#segments.nextFrom(n);
    for (const ranges of this.#owed.values())
      for (const { from, to } of ranges) if (to > n && from < next) return n;
    return next;
  }

  /** What cannot be read of `[from, to)`, in order. */
  *between(start: number, end: number): IterableIterator<Skip> {
    for (const { from, to, isLasting } of this.#gaps) {
      if (to > start && from < end) yield { from: Math.max(from, start), to: Math.min(to, end), isLasting };
    }
  }

  /** What a channel that is at number `start` does not deliver up to `end`, in order. */
  skipsOf({ skips }: ChannelState, start: number, end: number): Skip[] {
    const all: Skip[] = skips.map(({ from, to }) => ({ from, to, isLasting: true }));
    for (const { from, to, isLasting } of this.between(start, end)) {
      let at = from;
      for (const skip of skips) {
        if (skip.to <= at) continue;
        if (skip.from >= to) break;
        if (skip.from > at) all.push({ from: at, to: skip.from, isLasting });
        at = skip.to;
      }
      if (at < to) all.push({ from: at, to, isLasting });
    }
    return all.sort((a, b) => a.from - b.from);
  }

  /** Tells the log of what no file has. */
  report(topic: string, logger: Logger): void {
    if (this.#owed.size === 0) return;
    const all = union([...this.#owed.values()].flat());
    const named = all
      .slice(0, MOST_NAMED)
      .map(({ from, to }) => (to === from + 1 ? `${from}` : `${from} to ${to - 1}`));
    const more = all.length > MOST_NAMED ? ` and ${all.length - MOST_NAMED} more ranges` : '';
    const total = countOf(all);
    const counts = [...this.#owed].map(([name, ranges]) => ({ name, count: countOf(ranges) }));
    const goesOn =
      this.#goesOnAt === -1 ? '' : `; the log ends before that, its numbers go on at ${this.#goesOnAt}`;
    const differ = counts.some(({ count }) => count !== total);
    const each = counts.map(
      ({ name, count }) => `${name === '' ? 'no channel yet' : `channel ${name}`}: ${count}`,
    );
    logger.error(
      `TOPIC(${topic}): ${total} ${total === 1 ? 'message is' : 'messages are'} missing: no segment file has number${total === 1 ? '' : 's'} ${named.join(', ')}${more}, not finished as far as the journal says${differ ? `; ${each.join(', ')}` : ''}${goesOn}`,
    );
  }

  #note(name: string, gaps: readonly Skip[], owed: (gap: Skip) => NumberRange[]): void {
    const ranges = gaps.flatMap(owed).filter(({ from, to }) => from < to);
    if (ranges.length > 0) this.#owed.set(name, ranges);
  }
}

/** What the channel had yet to finish of a gap. */
function owedIn({ cursor, held, ahead }: ChannelState, gap: Skip): NumberRange[] {
  const owed = [...held.overlapping(gap.from, Math.min(gap.to, cursor))].map(({ from, to }) => ({
    from: Math.max(from, gap.from),
    to: Math.min(to, gap.to, cursor),
  }));
  let { from } = clip(gap, cursor);
  for (const done of ahead.overlapping(from, gap.to)) {
    owed.push({ from, to: done.from });
    from = done.to;
  }
  owed.push({ from, to: gap.to });
  return owed;
}

function clip({ from, to }: NumberRange, start: number): NumberRange {
  return { from: Math.max(from, start), to };
}

function countOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

function union(ranges: readonly NumberRange[]): NumberRange[] {
  const all: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else all.push({ from, to });
  }
  return all;
}
