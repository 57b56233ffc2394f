import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdSource } from '../../src/broker/log/id-source.js';
import { Segment } from '../../src/broker/log/segment.js';
import { SegmentList } from '../../src/broker/log/segment-list.js';
import { Missing } from '../../src/broker/missing.js';
import { TopicState } from '../../src/broker/state/topic-state.js';
import { LoggerNotes } from './log/support/logs.js';

const END = 40;
const range = fc.tuple(fc.nat(END), fc.integer({ min: 1, max: 8 }));

/** Segments of these lengths, each after a gap, and one that the next message goes to. */
function segmentsOf(parts: readonly (readonly [number, number])[]): Segment[] {
  const segments: Segment[] = [];
  let n = 0;
  for (const [gap, count] of [...parts, [0, 0] as const]) {
    const segment = new Segment('', n + gap, n, 0, n, 0, 0);
    segment.endN = n = segment.firstN + count;
    segments.push(segment);
  }
  return segments;
}

it('what is missing is what a table of all numbers says', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 6 })), { maxLength: 6 }),
      fc.nat(END),
      fc.array(range, { maxLength: 6 }),
      fc.array(range, { maxLength: 2 }),
      (parts, cursor, finished, emptied) => {
        const segments = segmentsOf(parts);
        const list = new SegmentList(new IdSource(1), segments);
        const end = segments.at(-1)!.endN;
        const state = new TopicState();
        state.topic(false, end, false);
        state.channel(1, 0, false, 'c');
        for (const [from, count] of finished) state.finished(1, from, count);
        const done = new Set(finished.flatMap(([from, count]) => numbers(from, from + count)));
        let at = Math.min(cursor, end);
        state.cursor(1, at);
        for (const [from, count] of emptied) {
          if (from < at) continue;
          state.skipped(1, from, from + count);
          for (const n of numbers(from, from + count)) done.add(n);
          at = from + count;
        }
        const has = (n: number): boolean => segments.some((it) => n >= it.firstN && n < it.endN);
        const owed = numbers(0, end).filter((n) => !has(n) && !done.has(n));
        const logger = new LoggerNotes();
        const missing = new Missing(state, list, end);
        missing.report('t', logger);
        const told = logger.lines.map((line) => Number(/: (\d+) messages? /.exec(line)![1]));
        expect(told).toEqual(owed.length === 0 ? [] : [owed.length]);
        const channel = state.channels.get(1)!;
        const start = missing.startOf(channel.cursor);
        const skips = missing.skipsOf(channel, start, end);
        const skipped = skips.flatMap(({ from, to }) => numbers(from, to));
        expect(skipped).toEqual([...new Set(skipped)].sort((a, b) => a - b));
        const fresh = numbers(start, end).filter((n) => !skipped.includes(n));
        expect(fresh).toEqual(numbers(start, end).filter((n) => has(n) && !channel.isSkipped(n)));
        expect(numbers(channel.cursor, start).filter((n) => has(n) || owed.includes(n))).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
