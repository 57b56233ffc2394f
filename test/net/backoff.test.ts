import { expect, it } from 'vitest';
import { Backoff } from '../../src/net/backoff.js';

it('doubles from the least to the most delay, with half of it left to chance', () => {
  const longest = new Backoff(100, 1000, () => 1);
  expect([1, 2, 3, 4, 5, 6].map(() => longest.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  const shortest = new Backoff(100, 1000, () => 0);
  expect([1, 2, 3].map(() => shortest.next())).toEqual([50, 100, 200]);
  shortest.reset();
  expect(shortest.next()).toBe(50);
});

it('stays at the most after any number of attempts', () => {
  const backoff = new Backoff(100, 30_000, () => 1);
  for (let i = 0; i < 2000; i++) backoff.next();
  expect(backoff.next()).toBe(30_000);
});
