import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGoFloat } from '../../../src/cli/to-nsq/go-float.js';
import { formatGoObject, parseGoObject } from '../../../src/cli/to-nsq/go-json.js';

const through = (json: string | Buffer): string => formatGoObject(parseGoObject(Buffer.from(json)));

// What nsq_to_nsq 1.3.0 (Go 1.19) printed for each.
describe('as encoding/json and nsq_to_nsq', () => {
  test.each([
    ['{"b":2,"a":1}', '{"a":1,"b":2}'],
    ['{"a":{"z":1,"y":[{"d":1,"c":2}]}}', '{"a":{"y":[{"c":2,"d":1}],"z":1}}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['null', '{}'],
    [' {} ', '{}'],
    ['{"__proto__":{"x":1},"10":1,"9":2}', '{"10":1,"9":2,"__proto__":{"x":1}}'],
    ['{"\uffee":1,"😀":2}', '{"\uffee":1,"😀":2}'],
  ])('%s gives %s', (json, expected) => expect(through(json)).toBe(expected));

  test.each([
    ['1.0', '1'],
    ['1e3', '1000'],
    ['9007199254740993', '9007199254740992'],
    ['1234567890123456789', '1234567890123456768'],
    ['[1234567890123456789]', '[1234567890123456800]'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['9223372036854775807', '9223372036854776000'],
    ['12345678901234567890', '12345678901234567000'],
    ['1e21', '1e+21'],
    ['1e-7', '1e-7'],
    ['0.000001', '0.000001'],
    ['-0', '0'],
    ['[-0, -1e-400]', '[-0,-0]'],
    ['5e-324', '5e-324'],
  ])('the number %s becomes %s', (number, expected) =>
    expect(through(`{"a":${number}}`)).toBe(`{"a":${expected}}`),
  );

  test.each([
    ['<b>&', '\\u003cb\\u003e\\u0026'],
    ['\\u2028\\u2029', '\\u2028\\u2029'],
    ['\\b\\f\\n\\r\\t\\u0001\\u007f', '\\u0008\\u000c\\n\\r\\t\\u0001\x7f'],
    ['\\\\b \\\\\\b \\/', '\\\\b \\\\\\u0008 /'],
    ['\\ud800x\\ud83d\\ude00', '\ufffdx😀'],
    ['é😀', 'é😀'],
  ])('the string "%s" becomes "%s"', (text, expected) =>
    expect(through(`{"a":"${text}","${text}":1}`)).toContain(`"a":"${expected}"`),
  );

  test('each byte that is no UTF-8 is one U+FFFD', () => {
    const bytes = [0xff, 0xe2, 0x82, 0x41, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98, 0xc3, 0xa9];
    const json = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(through(json)).toBe(`{"a":"${'\ufffd'.repeat(3)}A${'\ufffd'.repeat(6)}é"}`);
  });

  test.each([
    '',
    '[]',
    '"x"',
    '1',
    'true',
    '{',
    '{"a":1}x',
    '\ufeff{}',
    '{"a":01}',
    '{"a":NaN}',
    '{"a":1,}',
    '{"a":"\t"}',
    '{"a":1e400}',
    '{"b":[{"x":-1e999}]}',
    `{"a":1${'0'.repeat(309)}}`,
  ])('refuses %j', (json) => expect(() => parseGoObject(Buffer.from(json))).toThrow(SyntaxError));

  test('is as patient as Go with nesting: 10,000 levels, whatever they are', () => {
    const nested = (levels: number, [open, close]: readonly [string, string]): string =>
      `{"a":${open.repeat(levels - 1)}1${close.repeat(levels - 1)}}`;
    for (const brackets of [
      ['[', ']'],
      ['{"b":', '}'],
    ] as const) {
      const deep = nested(10_000, brackets);
      expect(through(deep)).toBe(deep);
      expect(() => parseGoObject(Buffer.from(nested(10_001, brackets)))).toThrow('nested too deep');
    }
    const text = JSON.stringify({ a: `\\"${'['.repeat(20_000)}` });
    expect(through(text)).toBe(text);
  });
});

test.each([
  ['1', 1],
  ['-1.50', -1.5],
  ['+.5e1', 5],
  ['1.', 1],
  ['1_000', 1000],
  ['0x1p4', 16],
  ['-0x_1.8p1', -3],
])('the value %s is the number %d', (text, expected) => expect(parseGoFloat(text)).toBe(expected));

test.each(['', ' 1', '1 ', '.', '1__0', '_1', '1_', '0x10', '0xp1', 'inf', 'NaN', '1e400', 'e1', 'true'])(
  'the value %j is no number',
  (text) => expect(parseGoFloat(text)).toBeNaN(),
);

test('whatever the object, it comes out with the same content', () => {
  const object = fc.dictionary(
    fc.string({ unit: 'binary' }),
    fc.jsonValue({ stringUnit: 'binary', maxDepth: 3 }),
  );
  fc.assert(
    fc.property(object, (fields) => {
      const json = JSON.stringify(fields);
      expect(JSON.parse(through(json))).toEqual(JSON.parse(json));
    }),
  );
});
