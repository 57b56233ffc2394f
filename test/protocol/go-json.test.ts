import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goJson } from '../../src/protocol/go-json.js';

test('writes what may not stand within HTML as Go does', () => {
  expect(goJson({ version: '<1&2>\u2028\u2029é' })).toBe(
    '{"version":"\\u003c1\\u00262\\u003e\\u2028\\u2029é"}',
  );
});

test('says what JSON.stringify says, and the same when nothing has to be escaped', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = goJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/[<>&\u2028\u2029]/);
      const plain = JSON.stringify(value);
      if (!/[<>&\u2028\u2029]/.test(plain)) expect(text).toBe(plain);
    }),
  );
});
