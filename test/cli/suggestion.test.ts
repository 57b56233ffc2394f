import { expect, test } from 'vitest';
import { nearest } from '../../src/cli/suggestion.js';

test.each([
  ['tial', 'tail'],
  ['serv', 'serve'],
  ['pubs', 'pub'],
  ['Tail', 'tail'],
  ['sub', 'pub'],
  ['frobnicate', undefined],
  ['x', undefined],
])('%s: %s', (word, expected) => {
  expect(nearest(word, ['serve', 'pub', 'tail'])).toBe(expected);
});
