import { FrameType } from '../../protocol/frame.js';
import { ATTEMPTS_OFFSET, BODY_OFFSET, ID_OFFSET, TIMESTAMP_OFFSET } from '../../protocol/message.js';
import { writeHex32 } from '../../protocol/message-id.js';

/**
 * A record is a message as it goes over the wire the first time, frame header included:
 *
 *     u32 size | u32 type 2 | i64 timestamp ns | u16 attempts 1 | 16 bytes id | body
 */
export const RECORD_OVERHEAD = BODY_OFFSET;
const FIRST_ATTEMPT = 1;
const SIZE_FIELD = 4;

/** A time in nanoseconds since 1970 as the two halves that go into a record. */
export interface Stamp {
  hi: number;
  lo: number;
}

const TWO_32 = 2 ** 32;

/** @param ms since 1970, with fraction */
export function setStamp(stamp: Stamp, ms: number): void {
  // Nanoseconds since 1970 need 61 bits: the halves are made from whole seconds and the rest, which both fit.
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  // seconds * 1e9 = seconds * (1e9 / 2^9) * 2^9; 1e9 / 2^9 is whole, so the product below is exact.
  const units = seconds * 1_953_125;
  const hi = Math.floor(units / 2 ** 23);
  const lo = (units - hi * 2 ** 23) * 512 + nanos;
  stamp.hi = hi + Math.floor(lo / TWO_32);
  stamp.lo = lo % TWO_32;
}

function writeU32(buf: Buffer, at: number, value: number): void {
  buf[at] = value >>> 24;
  buf[at + 1] = value >>> 16;
  buf[at + 2] = value >>> 8;
  buf[at + 3] = value;
}

/** Writes one record at `at`; its end is returned. The id is given as its two 32-bit halves. */
export function writeRecord(
  buf: Buffer,
  at: number,
  stamp: Stamp,
  idHi: number,
  idLo: number,
  body: Buffer,
  start: number,
  end: number,
): number {
  const length = end - start;
  writeU32(buf, at, RECORD_OVERHEAD - SIZE_FIELD + length);
  writeU32(buf, at + SIZE_FIELD, FrameType.Message);
  writeU32(buf, at + TIMESTAMP_OFFSET, stamp.hi);
  writeU32(buf, at + TIMESTAMP_OFFSET + 4, stamp.lo);
  buf[at + ATTEMPTS_OFFSET] = 0;
  buf[at + ATTEMPTS_OFFSET + 1] = FIRST_ATTEMPT;
  writeHex32(buf, at + ID_OFFSET, idHi);
  writeHex32(buf, at + ID_OFFSET + 8, idLo);
  buf.set(new Uint8Array(body.buffer, body.byteOffset + start, length), at + BODY_OFFSET);
  return at + RECORD_OVERHEAD + length;
}

/** Bytes of the record that begins at `at`. */
export function recordLength(buf: Buffer, at: number): number {
  return SIZE_FIELD + ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!);
}

export function writeAttempts(buf: Buffer, at: number, attempts: number): void {
  buf[at + ATTEMPTS_OFFSET] = attempts >>> 8;
  buf[at + ATTEMPTS_OFFSET + 1] = attempts;
}
