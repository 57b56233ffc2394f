import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BLOCK_HEADER_SIZE,
  BlockFlag,
  blockCount,
  blockDue,
  blockFirst,
  blockFlags,
  blockLength,
  blockPayload,
  checkBlock,
  findBlock,
  isDamaged,
  markDamaged,
  sealBlock,
} from '../../../src/broker/log/block.js';

const SEED = 0x1234abcd;
const big = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

function block(payload: Uint8Array, count: number, flags: number, first: number, due: number): Buffer {
  const buf = Buffer.alloc(BLOCK_HEADER_SIZE + payload.length);
  buf.set(payload, BLOCK_HEADER_SIZE);
  sealBlock(buf, 0, buf.length, count, flags, first, due, SEED);
  return buf;
}

const blocks = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.nat(1000), fc.constantFrom(0, 1, 2, 3), big, big)
  .map((args) => block(...args));

test('what is sealed is read back, at any place', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      big,
      big,
      fc.nat(50),
      (payload, count, first, due, at) => {
        const flags = BlockFlag.BatchEnd | BlockFlag.Deferred;
        const buf = Buffer.concat([Buffer.alloc(at, 1), block(payload, count, flags, first, due)]);
        expect(checkBlock(buf, at, buf.length, SEED)).toBe('good');
        expect(blockPayload(buf, at)).toBe(payload.length);
        expect(blockLength(buf, at)).toBe(buf.length - at);
        expect(blockCount(buf, at)).toBe(count);
        expect(blockFirst(buf, at)).toBe(first);
        expect(blockDue(buf, at)).toBe(due);
        expect(blockFlags(buf, at)).toBe(flags);
      },
    ),
  );
});

test('every cut is seen as a cut, and every flipped bit as damage', () => {
  fc.assert(
    fc.property(blocks, fc.nat(), fc.nat(7), (buf, where, bit) => {
      expect(checkBlock(buf, 0, where % buf.length, SEED)).toBe('cut');
      const at = where % buf.length;
      buf[at] = buf[at]! ^ (1 << bit);
      expect(checkBlock(buf, 0, buf.length, SEED)).toBe(
        at < BLOCK_HEADER_SIZE ? 'bad-header' : 'bad-records',
      );
    }),
  );
});

test('the next good header is found behind rubbish, and none where there is none', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      blocks,
      fc.uint8Array({ maxLength: 50 }),
      (before, it, after) => {
        const buf = Buffer.concat([before, it, after]);
        expect(findBlock(buf, 0, buf.length, SEED)).toBe(before.length);
        expect(findBlock(buf, before.length + 1, buf.length, SEED)).toBe(-1);
        expect(findBlock(buf, 0, before.length + BLOCK_HEADER_SIZE - 1, SEED)).toBe(-1);
      },
    ),
  );
});

test('a block of another seed is none', () => {
  fc.assert(
    fc.property(blocks, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (buf, seed) => {
      fc.pre(seed !== SEED);
      expect(checkBlock(buf, 0, buf.length, seed)).toBe('bad-header');
      expect(findBlock(buf, 0, buf.length, seed)).toBe(-1);
    }),
  );
});

test('a marked stretch is stepped over', () => {
  const buf = Buffer.alloc(500, 3);
  markDamaged(buf, 100, 400);
  expect(isDamaged(buf, 100)).toBe(true);
  expect(blockLength(buf, 100)).toBe(300);
  expect(isDamaged(buf, 0)).toBe(false);
});
