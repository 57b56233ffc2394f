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

/** Writes what stands before the body of a record at `at`. The id is given as its two 32-bit halves. */
export function writeRecordHeader(
  view: DataView,
  at: number,
  bodyLength: number,
  stamp: Stamp,
  idHi: number,
  idLo: number,
): void {
  view.setUint32(at, RECORD_OVERHEAD - SIZE_FIELD + bodyLength);
  view.setUint32(at + SIZE_FIELD, FrameType.Message);
  view.setUint32(at + TIMESTAMP_OFFSET, stamp.hi);
  view.setUint32(at + TIMESTAMP_OFFSET + 4, stamp.lo);
  view.setUint16(at + ATTEMPTS_OFFSET, FIRST_ATTEMPT);
  writeHex32(view, at + ID_OFFSET, idHi);
  writeHex32(view, at + ID_OFFSET + 8, idLo);
}

/** When the record that begins at `at` was published: ns since 1970, as near (256 ns) as a number comes to it. */
export function publishTime(view: DataView, at: number): number {
  return view.getUint32(at + TIMESTAMP_OFFSET) * TWO_32 + view.getUint32(at + TIMESTAMP_OFFSET + 4);
}

/** Bytes of the record that begins at `at`. */
export function recordLength(buf: Buffer, at: number): number {
  return SIZE_FIELD + ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!);
}

export function writeAttempts(buf: Buffer, at: number, attempts: number): void {
  buf[at + ATTEMPTS_OFFSET] = attempts >>> 8;
  buf[at + ATTEMPTS_OFFSET + 1] = attempts;
}
