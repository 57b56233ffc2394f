import { describe, expect, it } from 'vitest';
import { Skips } from '../../../src/broker/delivery/skips.js';

describe('Skips', () => {
  it('joins stretches that touch and keeps others apart', () => {
    const skips = new Skips();
    skips.add(2, 4);
    skips.add(4, 6);
    skips.add(8, 9);
    expect([...skips]).toEqual([
      { from: 2, to: 6 },
      { from: 8, to: 9 },
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
    expect(skips.first).toEqual({ from: 1, to: 2 });
    skips.shift();
    expect(skips.first).toEqual({ from: 5, to: 7 });
    skips.clear();
    expect([skips.first, skips.countFrom(0)]).toEqual([undefined, 0]);
  });
});
