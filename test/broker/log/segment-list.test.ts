import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdSource } from '../../../src/broker/log/id-source.js';
import { parseSegmentHeader, Segment } from '../../../src/broker/log/segment.js';
import { SegmentList } from '../../../src/broker/log/segment-list.js';

const id = (segment: Segment, n: number): bigint =>
  (BigInt(segment.idHi) << 32n) + BigInt(segment.idLo) + BigInt(n - segment.firstN);
const halves = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffffffffn)];

/** What a start finds of the segments that were there. */
function reopened(list: SegmentList): Segment[] {
  return [...list].map((segment) => {
    const read = parseSegmentHeader(segment.path, segment.header());
    if (!(read instanceof Segment)) throw new Error('no header');
    read.endN = segment.endN;
    read.size = segment.size;
    return read;
  });
}

interface Start {
  node: number;
  pause: number;
  segments: number[];
  removed: number;
}

const starts = fc.array(
  fc.record({
    node: fc.integer({ min: 0, max: 1023 }),
    pause: fc.nat(100_000),
    segments: fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }),
    removed: fc.nat(3),
  }),
  { minLength: 1, maxLength: 6 },
);

test('every message is found by its id again, over restarts, renamed nodes and removed segments', () => {
  fc.assert(
    fc.property(starts, (rounds: Start[]) => {
      let now = Date.UTC(2026, 0, 1);
      let list = new SegmentList(new IdSource(0, () => now), []);
      const everyId = new Set<bigint>();
      for (const { node, pause, segments, removed } of rounds) {
        now += pause;
        list = new SegmentList(new IdSource(node, () => now), reopened(list));
        for (const count of segments) {
          const segment = list.begin('x', list.last?.endN ?? 0, list.last?.endPos ?? 0);
          segment.endN = segment.firstN + count;
          segment.size = count * 100;
          for (let n = segment.firstN; n < segment.endN; n++) {
            expect(everyId.has(id(segment, n))).toBe(false);
            everyId.add(id(segment, n));
          }
        }
        for (let left = Math.min(removed, [...list].length - 1); left > 0; left--) list.remove(list.first!);
        for (const segment of list) {
          for (let n = segment.firstN; n < segment.endN; n++) {
            expect(list.numberOf(...halves(id(segment, n)))).toBe(n);
            expect(list.of(n)).toBe(segment);
          }
        }
      }
    }),
  );
});

test('an id from before the first segment, or of another node below, is no message', () => {
  const list = new SegmentList(new IdSource(3, () => Date.UTC(2026, 0, 1)), []);
  const segment = list.begin('x', 0, 0);
  expect(list.numberOf(...halves(id(segment, 0) - 1n))).toBe(-1);
  expect(list.numberOf(0, 0)).toBe(-1);
});

test('positions and numbers find their segment, gaps find none', () => {
  const segments = [
    [0, 0, 10, 1000],
    [10, 1000, 20, 900],
    [40, 2500, 5, 100],
  ].map(([firstN, basePos, count, size]) => {
    const segment = new Segment('x', firstN!, basePos!, 0, firstN!, 0, 0);
    segment.endN = firstN! + count!;
    segment.size = size!;
    return segment;
  });
  const list = new SegmentList(new IdSource(0), segments);
  expect(
    [0, 999, 1000, 1899, 1900, 2499, 2500, 2599, 2600].map((pos) => segments.indexOf(list.at(pos)!)),
  ).toEqual([0, 0, 1, 1, -1, -1, 2, 2, -1]);
  expect([0, 9, 10, 29, 30, 39, 40, 44, 45].map((n) => segments.indexOf(list.of(n)!))).toEqual([
    0, 0, 1, 1, -1, -1, 2, 2, -1,
  ]);
  expect([0, 9, 10, 30, 44, 45].map((n) => segments.indexOf(list.from(n)!))).toEqual([0, 0, 1, 2, 2, -1]);
});

test('deferred messages are listed in order, between two numbers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 }),
      fc.nat(45),
      fc.nat(45),
      (flags, from, to) => {
        const list = new SegmentList(new IdSource(0), []);
        const marked: number[] = [];
        for (const segmentFlags of flags) {
          const segment = list.begin('x', list.last?.endN ?? 0, 0);
          for (const deferred of segmentFlags) {
            if (deferred) {
              segment.deferred.push(segment.endN, 1);
              marked.push(segment.endN);
            }
            segment.endN++;
          }
        }
        const expected = marked.filter((n) => n >= from && n < to);
        expect([...list.deferredBetween(from, to)].map(({ n }) => n)).toEqual(expected);
      },
    ),
  );
});
