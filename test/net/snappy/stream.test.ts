import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fc from 'fast-check';
import { compressSync, uncompressSync } from 'snappy';
import { SnappyStream, UnsnappyStream } from 'snappystream';
import { describe, expect, test } from 'vitest';
import { compressBlock, MAX_BLOCK_SIZE, uncompressBlock } from '../../../src/net/snappy/block.js';
import { maskedCrc32c } from '../../../src/net/snappy/crc32c.js';
import { SnappyDecoder } from '../../../src/net/snappy/decoder.js';
import { SnappyEncoder } from '../../../src/net/snappy/encoder.js';

/** Text that repeats itself, text that does not, and lengths around those that matter. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((it) => Buffer.from(it)),
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 400 }))
    .map(([word, times]) => Buffer.from(word.repeat(times))),
  fc
    .tuple(fc.constantFrom(65_535, 65_536, 65_537, 131_072, 200_001), fc.boolean())
    .map(([size, isRandom]) => (isRandom ? randomBytes(size) : Buffer.alloc(size, 'abcabcd'))),
);

/** `toEqual` takes its time over each byte. */
function expectSame(got: Buffer | string, expected: Buffer): void {
  expect(expected.equals(Buffer.from(got))).toBe(true);
}

function decode(pieces: readonly Buffer[]): Buffer {
  const decoder = new SnappyDecoder();
  const out: Buffer[] = [];
  for (const piece of pieces) {
    const scratch = Buffer.from(piece);
    decoder.push(scratch, (data) => out.push(data));
    // The decoder must have kept nothing of it.
    scratch.fill(0xee);
  }
  expect(decoder.isBetweenChunks).toBe(true);
  return Buffer.concat(out);
}

async function collect(stream: NodeJS.ReadWriteStream, input: readonly Buffer[]): Promise<Buffer> {
  const out: Buffer[] = [];
  stream.on('data', (data: Buffer) => out.push(data));
  for (const piece of input) stream.write(piece);
  stream.end();
  await once(stream, 'end');
  return Buffer.concat(out);
}

const HEADER = Buffer.from([0xff, 6, 0, 0, ...Buffer.from('sNaPpY')]);

/** A chunk of the framing format. */
function chunk(type: number, ...data: (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(data.map((it) => Buffer.from(it)));
  const head = Buffer.from([type, 0, 0, 0]);
  head.writeUIntLE(body.length, 1, 3);
  return Buffer.concat([head, body]);
}

function checksum(data: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(maskedCrc32c(data));
  return sum;
}

test('the checksum is CRC-32C', () => {
  // RFC 3720, B.4, masked.
  const mask = (sum: number): number => (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
  expect(maskedCrc32c(Buffer.alloc(32))).toBe(mask(0x8a9136aa));
  expect(maskedCrc32c(Buffer.alloc(32, 0xff))).toBe(mask(0x62a8ab43));
  expect(maskedCrc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(mask(0x46dd794e));
  expect(maskedCrc32c(Buffer.from('x123456789y'), 1, 10)).toBe(mask(0xe3069283));
});

describe('blocks', () => {
  const block = bytes.map((it) => it.subarray(0, MAX_BLOCK_SIZE));

  test('native snappy reads ours, and we read its', () => {
    fc.assert(
      fc.property(block, (data) => {
        expectSame(uncompressSync(compressBlock(data), { asBuffer: true }), data);
        const packed = compressSync(data);
        expectSame(uncompressBlock(Buffer.concat([Buffer.from('ab'), packed]), 2, packed.length + 2), data);
      }),
      { numRuns: 60 },
    );
  });

  test('whatever comes, it ends: with a block, or with a SnappyError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        try {
          uncompressBlock(Buffer.from(data), 0, data.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_SNAPPY' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['nothing', []],
    ['a length without end', [0x80, 0x80, 0x80, 0x80]],
    ['a length of 2^20', [0x80, 0x80, 0x40]],
    ['a literal of 4 GiB, on which snappyjs never ends', [10, 0xfc, 0x00, 0xff, 0xff, 0xff, 1, 2, 3, 4]],
    ['a literal that is cut', [10, 9 << 2, 1, 2]],
    ['a literal longer than the block', [2, 9 << 2, ...Buffer.from('0123456789')]],
    ['a copy with nothing before it', [4, 0x01, 0x01]],
    ['a copy of offset 0', [5, 0, 65, 0x01, 0x00]],
    ['a copy beyond the block', [3, 0, 65, 0x01, 0x01]],
    ['a copy whose offset is cut', [5, 0, 65, 0x02, 0x01]],
    ['a copy from 4 GiB before', [5, 0, 65, 0x0f, 0xff, 0xff, 0xff, 0xff]],
    ['less than it says', [5, 0, 65]],
  ])('%s is refused', (_, data) => {
    expect(() => uncompressBlock(Buffer.from(data), 0, data.length)).toThrow(
      expect.objectContaining({ code: 'E_SNAPPY' }),
    );
  });
});

describe('streams', () => {
  test('the original library reads ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 4 }), async (writes) => {
        const encoder = new SnappyEncoder();
        const encoded = writes.flatMap((it) => encoder.encode(it));
        expectSame(await collect(new UnsnappyStream(true), encoded), Buffer.concat(writes));
      }),
      { numRuns: 25 },
    );
  });

  test('we read what the original library writes, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(bytes, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        async (writes, cuts) => {
          const encoded = await collect(new SnappyStream(), writes);
          const places = [0, ...cuts.map((it) => it % encoded.length), encoded.length].sort((a, b) => a - b);
          const pieces = places.slice(1).map((end, i) => encoded.subarray(places[i], end));
          expectSame(decode(pieces), Buffer.concat(writes));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('it may be cut at every byte', async () => {
    const data = Buffer.from(`${'a message, and again a message; '.repeat(20)}the end`);
    const encoded = Buffer.concat([
      await collect(new SnappyStream(), [data, Buffer.from('short')]),
      chunk(0xfe, [1, 2, 3]),
      chunk(0x80),
      HEADER,
      chunk(1, checksum(Buffer.from('plain')), Buffer.from('plain')),
    ]);
    const whole = Buffer.concat([data, Buffer.from('shortplain')]);
    for (let at = 0; at <= encoded.length; at++)
      expectSame(decode([encoded.subarray(0, at), encoded.subarray(at)]), whole);
    expect(decode(Array.from(encoded, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test('what is written can be read at once', () => {
    const encoder = new SnappyEncoder();
    const decoder = new SnappyDecoder();
    for (const word of ['IDENTIFY', 'a'.repeat(100_000), 'x']) {
      let got = '';
      for (const piece of encoder.encode(Buffer.from(word))) decoder.push(piece, (data) => (got += data));
      expect(got).toBe(word);
    }
  });

  test('a stream that is cut off is seen', () => {
    const [header, data] = new SnappyEncoder().encode(Buffer.from('hello hello hello hello'));
    const decoder = new SnappyDecoder();
    decoder.push(header!, () => {});
    decoder.push(data!.subarray(0, -1), () => expect.unreachable());
    expect(decoder.isBetweenChunks).toBe(false);
  });

  const wrongSum = Buffer.concat([HEADER, chunk(1, [1, 2, 3, 4], Buffer.from('data'))]);
  test.each([
    ['no identifier', chunk(1, checksum(Buffer.from('a')), Buffer.from('a')), 'identifier'],
    ['padding before the identifier', chunk(0xfe, [0]), 'identifier'],
    ['another identifier', chunk(0xff, Buffer.from('SnApPy')), 'identifier'],
    ['a longer identifier', chunk(0xff, Buffer.from('sNaPpY1')), 'wrong length'],
    ['plain protocol', Buffer.from('  V2'), 'identifier'],
    ['a wrong checksum', wrongSum, 'checksum'],
    ['an unknown chunk', Buffer.concat([HEADER, chunk(2, [1])]), 'unknown type 2'],
    ['a chunk without a checksum', Buffer.concat([HEADER, chunk(1, [1, 2, 3])]), 'chunk of 3 bytes'],
    ['a chunk of 16 MiB', Buffer.concat([HEADER, Buffer.from([0, 0xff, 0xff, 0xff])]), 'chunk of 16777215'],
    [
      'a plain block of 65,537 bytes',
      Buffer.concat([HEADER, chunk(1, checksum(Buffer.alloc(65_537)), Buffer.alloc(65_537))]),
      'block of 65537',
    ],
  ])('%s is refused, whole and byte by byte', (_, input, words) => {
    const refusal = expect.objectContaining({ code: 'E_SNAPPY', message: expect.stringContaining(words) });
    expect(() => decode([input])).toThrow(refusal);
    expect(() => decode(Array.from(input, (byte) => Buffer.from([byte])))).toThrow(refusal);
  });
});
