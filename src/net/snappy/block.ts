import { compress } from 'snappyjs';
import { SnappyError } from './errors.js';

/** Bytes of one block at most, before compression (framing format, 4.2). */
export const MAX_BLOCK_SIZE = 65_536;
/** Below this a literal is copied byte by byte: a call would cost more. */
const WORTH_A_CALL = 24;

/** One block in the raw format; `bytes` has {@link MAX_BLOCK_SIZE} bytes at most. */
export function compressBlock(bytes: Buffer): Buffer {
  return compress(bytes);
}

/**
 * The block that `bytes[start, end)` stand for, in a buffer of its own. Every length in it is checked, which snappyjs
 * does not do: a negative literal length makes its decoder go round for ever.
 * @throws SnappyError when it is none, or longer than {@link MAX_BLOCK_SIZE}
 */
export function uncompressBlock(bytes: Buffer, start: number, end: number): Buffer {
  let at = start;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 14) throw new SnappyError('a block without a valid length');
    const byte = bytes[at++]!;
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (size > MAX_BLOCK_SIZE)
    throw new SnappyError(`a block of ${size} bytes, more than ${MAX_BLOCK_SIZE} are not allowed`);
  const block = Buffer.allocUnsafe(size);
  fill(block, bytes, at, end);
  return block;
}

/**
 * Tags: the low two bits say what follows.
 *
 *     00  literal: 6 bits of length - 1, or 60..63 for 1..4 bytes of it; then the bytes themselves
 *     01  copy: 3 bits of length - 4, 11 bits of offset
 *     10  copy: 6 bits of length - 1, 16 bits of offset
 *     11  copy: 6 bits of length - 1, 32 bits of offset
 */
function fill(block: Buffer, bytes: Buffer, from: number, end: number): void {
  const size = block.length;
  let at = from;
  let to = 0;
  while (at < end) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    let length: number;
    let extra: number;
    if (kind === 0) {
      length = tag >>> 2;
      extra = length < 60 ? 0 : length - 59;
    } else {
      length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      extra = kind === 3 ? 4 : kind;
    }
    if (at + extra > end) throw new SnappyError('a block cut off within a tag');
    let value = extra > 0 ? bytes[at]! : 0;
    if (extra > 1) value |= bytes[at + 1]! << 8;
    if (extra > 2) value |= bytes[at + 2]! << 16;
    // A sum, since the top bit is no sign.
    if (extra > 3) value += bytes[at + 3]! * 2 ** 24;
    at += extra;
    if (kind === 0) {
      length = (extra === 0 ? length : value) + 1;
      if (length > end - at || length > size - to) throw new SnappyError('a literal longer than its block');
      if (length < WORTH_A_CALL) for (let i = 0; i < length; i++) block[to + i] = bytes[at + i]!;
      else bytes.copy(block, to, at, at + length);
      at += length;
    } else {
      const offset = kind === 1 ? value | ((tag >>> 5) << 8) : value;
      if (offset === 0 || offset > to || length > size - to)
        throw new SnappyError('a copy from or to outside of its block');
      // Source and target may overlap: a short pattern repeats itself.
      for (let i = 0; i < length; i++) block[to + i] = block[to + i - offset]!;
    }
    to += length;
  }
  if (to !== size) throw new SnappyError(`a block of ${to} bytes that says ${size}`);
}
