import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHex32, writeHex32 } from '../../src/protocol/message-id.js';

describe('message ids', () => {
  it('come back as the number they were written as', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.nat({ max: 5 }), (value, at) => {
        const buf = Buffer.alloc(at + 10, '#');
        writeHex32(new DataView(buf.buffer, buf.byteOffset), at, value);
        expect(buf.toString('latin1')).toBe(`${'#'.repeat(at)}${value.toString(16).padStart(8, '0')}##`);
        expect(readHex32(buf, at)).toBe(value);
      }),
    );
  });

  it.each([
    '0000000g',
    'ABCDEF00',
    '-0000001',
    ' 0000000',
    '0000000 ',
    '\xff0000000',
    '0000000\0',
    '/0000000',
    ':0000000',
  ])('are not read from %j', (text) => expect(readHex32(Buffer.from(text, 'latin1'), 0)).toBe(-1));
});
