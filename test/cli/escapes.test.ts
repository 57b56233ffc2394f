import { expect, test } from 'vitest';
import { unescapeBytes } from '../../src/cli/escapes.js';

test.each([
  ['\\n', '0a'],
  ['\\r\\n', '0d0a'],
  ['\\0', '00'],
  ['\\t', '09'],
  ['\\x1e', '1e'],
  ['\\xff', 'ff'],
  ['\\\\n', '5c6e'],
  ['é\\xe9', 'c3a9e9'],
  ['\\q', '5c71'],
  ['', ''],
])('%s', (text, hex) => {
  expect(unescapeBytes(text).toString('hex')).toBe(hex);
});
