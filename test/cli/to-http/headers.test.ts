import { expect, test } from 'vitest';
import { parseHeaders } from '../../../src/cli/to-http/headers.js';

test('names in any case, values with colons, the last one counts', () => {
  expect(parseHeaders(['X-A: 1', ' x-b :  two: 2 ', 'x-a:3'])).toEqual({ 'x-a': '3', 'x-b': 'two: 2' });
});

test('a value goes out as its bytes in UTF-8', () => {
  expect(parseHeaders(['a: ü€'])).toEqual({ a: Buffer.from('ü€').toString('latin1') });
});

test.each(['x', 'x:', ': y', 'a b: c', 'a: b\nc: d', 'a: b\0', ''])('%j is refused', (text) => {
  expect(() => parseHeaders([text])).toThrow(/is not "name: value"/);
});

test.each(['Content-Length: 3', 'transfer-encoding: chunked', 'Connection: close'])(
  '%s belongs to the connection',
  (text) => expect(() => parseHeaders([text])).toThrow(/belongs to the connection/),
);
