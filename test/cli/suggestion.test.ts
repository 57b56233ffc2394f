import { expect, test } from 'vitest';
import { nearest } from '../../src/cli/suggestion.js';

test('one letter is not near to another', () => {
  expect(nearest('x', ['n'])).toBeUndefined();
});

test.each([
  ['tial', 'tail'],
  ['serv', 'serve'],
  ['pubs', 'pub'],
  ['Tail', 'tail'],
  ['sub', 'pub'],
  ['frobnicate', undefined],
  ['x', undefined],
  ['xy', undefined],
])('%s: %s', (word, expected) => {
  expect(nearest(word, ['serve', 'pub', 'tail'])).toBe(expected);
});
