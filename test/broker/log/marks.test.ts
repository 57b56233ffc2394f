import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Marks } from '../../../src/broker/log/marks.js';

test('marks are found by number, and cut from the end', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200), { maxLength: 60 }), fc.nat(70), (unsorted, keep) => {
      const numbers = unsorted.sort((a, b) => a - b);
      const marks = new Marks();
      for (const n of numbers) marks.push(n, n * 1e10);
      marks.cut(keep);
      const left = numbers.slice(0, keep);
      expect(marks.length).toBe(left.length);
      expect(left.map((_, index) => marks.at(index))).toEqual(left.map((n) => ({ n, due: n * 1e10 })));
      for (let n = 0; n <= 201; n++) {
        expect(marks.indexFrom(n)).toBe(left.filter((it) => it < n).length);
        expect(marks.dueOf(n)).toBe(left.includes(n) ? n * 1e10 : undefined);
      }
    }),
  );
});
