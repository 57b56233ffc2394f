import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecordSplitter } from '../../../src/cli/pub/record-splitter.js';

function split(chunks: readonly Buffer[], delimiter: string): string[] {
  const splitter = new RecordSplitter(Buffer.from(delimiter));
  const records = chunks.flatMap((chunk) => splitter.push(chunk));
  const last = splitter.end();
  return [...records, ...(last ? [last] : [])].map(String);
}

describe('RecordSplitter', () => {
  test.each([
    ['', '\n', []],
    ['a', '\n', ['a']],
    ['a\n', '\n', ['a']],
    ['a\nb', '\n', ['a', 'b']],
    ['a\n\nb\n', '\n', ['a', '', 'b']],
    ['a\0b\0', '\0', ['a', 'b']],
    ['aENDbENENDcEN', 'END', ['a', 'bEN', 'cEN']],
    ['aaaa', 'aaa', ['', 'a']],
  ])('%j at %j', (input, delimiter, expected) => {
    expect(split([Buffer.from(input)], delimiter)).toEqual(expected);
    expect(
      split(
        [...Buffer.from(input)].map((byte) => Buffer.of(byte)),
        delimiter,
      ),
    ).toEqual(expected);
  });

  test('any chunks give the same records', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 40 });
    const delimiter = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(text, delimiter, fc.array(fc.nat(40)), (input, end, cuts) => {
        const bytes = Buffer.from(input);
        const edges = [
          0,
          ...cuts.filter((cut) => cut < bytes.length).sort((one, other) => one - other),
          bytes.length,
        ];
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        const whole = input.split(end);
        if (whole.at(-1) === '') whole.pop();
        expect(split(chunks, end)).toEqual(whole);
      }),
    );
  });
});
