import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeldRanges } from '../../../src/broker/state/held-ranges.js';

type Step =
  | { act: 'add'; from: number; length: number; attempts: number; due: number }
  | { act: 'remove'; from: number; length: number }
  | { act: 'set'; from: number; attempts: number; due: number };

const from = fc.nat(40);
const length = fc.nat(15);
const attempts = fc.nat(2);
const due = fc.constantFrom(0, 0, 77);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ act: fc.constant('add' as const), from, length, attempts, due }),
  fc.record({ act: fc.constant('remove' as const), from, length }),
  fc.record({ act: fc.constant('set' as const), from, attempts, due }),
);

test('ranges say of each number what a table of numbers says', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const ranges = new HeldRanges();
      const table = new Map<number, string>();
      for (const it of steps) {
        if (it.act === 'set') {
          ranges.set(it.from, it.attempts, it.due);
          table.set(it.from, `${it.attempts} ${it.due}`);
          continue;
        }
        const to = it.from + it.length;
        if (it.act === 'add') ranges.add(it.from, to, it.attempts, it.due);
        else ranges.remove(it.from, to);
        for (let n = it.from; n < to; n++) {
          if (it.act === 'remove') table.delete(n);
          else if (!table.has(n)) table.set(n, `${it.attempts} ${it.due}`);
        }
      }
      const seen = new Map<number, string>();
      let last = 0;
      for (const range of ranges) {
        expect(range.from).toBeGreaterThanOrEqual(last);
        expect(range.to).toBeGreaterThan(range.from);
        last = range.to;
        for (let n = range.from; n < range.to; n++) seen.set(n, `${range.attempts} ${range.due}`);
      }
      expect([...seen]).toEqual([...table].sort(([a], [b]) => a - b));
      expect(ranges.size).toBe(table.size);
      for (let n = 0; n < 60; n++) expect(ranges.has(n)).toBe(table.has(n));
    }),
    { numRuns: 500 },
  );
});

test('all from a number on can be removed', () => {
  const ranges = new HeldRanges();
  ranges.add(0, 100);
  ranges.remove(30, Number.POSITIVE_INFINITY);
  expect([...ranges]).toEqual([{ from: 0, to: 30, attempts: 0, due: 0 }]);
});

test('a row of single messages that is added in order is one range', () => {
  const ranges = new HeldRanges();
  for (let n = 0; n < 1000; n++) ranges.add(n, n + 1);
  expect([...ranges].length).toBe(1);
});
