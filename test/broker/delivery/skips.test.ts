import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Skips } from '../../../src/broker/delivery/skips.js';

describe('Skips', () => {
  it('joins stretches that touch and keeps others apart', () => {
    const skips = new Skips();
    skips.add(2, 4);
    skips.add(4, 6);
    skips.add(8, 9);
    expect([...skips]).toEqual([
      { from: 2, to: 6, isLasting: true },
      { from: 8, to: 9, isLasting: true },
    ]);
  });

  it('counts what lies ahead of a place only', () => {
    const skips = new Skips();
    skips.add(2, 6);
    skips.add(8, 9);
    expect([0, 2, 3, 6, 8, 9, 20].map((n) => skips.countFrom(n))).toEqual([5, 5, 4, 1, 1, 0, 0]);
  });

  it('gives them up in order', () => {
    const skips = new Skips();
    skips.add(1, 2);
    skips.add(5, 7);
    expect(skips.first).toMatchObject({ from: 1, to: 2 });
    skips.shift();
    expect(skips.first).toMatchObject({ from: 5, to: 7 });
    skips.clear();
    expect([skips.first, skips.countFrom(0)]).toEqual([undefined, 0]);
  });

  it('counts right after any of them were given up', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })));
    fc.assert(
      fc.property(gaps, fc.nat(20), fc.nat(60), (list, gone, n) => {
        const skips = new Skips();
        const numbers: number[][] = [];
        let at = 0;
        for (const [gap, length] of list) {
          const from = at + gap;
          at = from + length;
          skips.add(from, at);
          numbers.push(Array.from({ length }, (_, i) => from + i));
        }
        for (let i = 0; i < gone; i++) skips.shift();
        const left = numbers.slice(gone);
        expect(skips.countFrom(n)).toBe(left.flat().filter((it) => it >= n).length);
        expect(skips.has(n)).toBe(left.flat().includes(n));
        expect([...skips].map(({ from, to }) => [from, to - from])).toEqual(
          left.map((it) => [it[0], it.length]),
        );
        skips.add(at + 1, at + 2);
        expect(skips.countFrom(0)).toBe(left.flat().length + 1);
      }),
    );
  });

  it('answers as fast for a hundred thousand of them', () => {
    const skips = new Skips();
    const count = 100_000;
    for (let n = 0; n < count; n++) skips.add(n * 3, n * 3 + 1);
    const started = performance.now();
    let skipped = 0;
    let counted = 0;
    for (let n = 0; n < count * 3; n++) {
      if (skips.has(n)) skipped++;
      if (skips.countFrom(n) === count - Math.floor((n + 2) / 3)) counted++;
    }
    expect([skipped, counted]).toEqual([count, count * 3]);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
