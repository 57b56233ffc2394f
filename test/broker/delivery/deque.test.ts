import { describe, expect, it } from 'vitest';
import { Deque } from '../../../src/broker/delivery/deque.js';

describe('Deque', () => {
  it('gives back in the order of what came, over any number of items', () => {
    const deque = new Deque<number>();
    let pushed = 0;
    let shifted = 0;
    for (const [pushes, shifts] of [
      [3, 1],
      [5000, 2400],
      [10, 2600],
      [1, 13],
      [4000, 3999],
    ] as const) {
      for (let i = 0; i < pushes; i++) deque.push(pushed++);
      for (let i = 0; i < shifts && deque.length > 0; i++) expect(deque.shift()).toBe(shifted++);
      expect(deque.length).toBe(pushed - shifted);
      expect(deque.first).toBe(shifted < pushed ? shifted : undefined);
      expect([...deque]).toEqual(Array.from({ length: pushed - shifted }, (_, i) => shifted + i));
    }
  });

  it('gives nothing when it is empty, and takes more after that', () => {
    const deque = new Deque<string>();
    expect([deque.first, deque.shift(), deque.shift()]).toEqual([undefined, undefined, undefined]);
    deque.push('a');
    expect(deque.shift()).toBe('a');
    expect(deque.length).toBe(0);
    deque.push('b');
    deque.clear();
    expect([deque.length, deque.first]).toEqual([0, undefined]);
  });
});
