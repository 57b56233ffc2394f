import { crc32 } from 'node:zlib';

/**
 * A batch of a journal: entries that are written together.
 *
 *      0  u32  magic "NSQj"
 *      4  u32  bytes of the entries
 *      8  u32  number of the batch in its file, from 0
 *     12  u32  CRC-32 of the entries
 *     16  u32  CRC-32 of the header before this field
 *     20       entries
 *
 * One that must not be missing stands there twice, under the same number.
 */
const BATCH_HEADER_SIZE = 20;
const MAGIC = 0x4e53516a;
const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32BE(MAGIC);

interface BatchHeader {
  readonly sequence: number;
  /** Offset of the first entry. */
  readonly from: number;
  /** Offset after the last one; it may lie past the file's end. */
  readonly to: number;
}

export function encodeBatch(entries: Buffer, sequence: number, copies: number): Buffer {
  const size = BATCH_HEADER_SIZE + entries.length;
  const batch = Buffer.allocUnsafe(size * copies);
  batch.writeUInt32BE(MAGIC, 0);
  batch.writeUInt32BE(entries.length, 4);
  batch.writeUInt32BE(sequence, 8);
  batch.writeUInt32BE(crc32(entries), 12);
  batch.writeUInt32BE(crc32(batch.subarray(0, 16)), 16);
  entries.copy(batch, BATCH_HEADER_SIZE);
  for (let at = size; at < batch.length; at += size) batch.copy(batch, at, 0, size);
  return batch;
}

/** The header at `at`; undefined if there is none that is good. */
export function batchHeaderAt(buf: Buffer, at: number): BatchHeader | undefined {
  const from = at + BATCH_HEADER_SIZE;
  if (from > buf.length || buf.readUInt32BE(at) !== MAGIC) return undefined;
  if (crc32(buf.subarray(at, at + 16)) !== buf.readUInt32BE(at + 16)) return undefined;
  return { sequence: buf.readUInt32BE(at + 8), from, to: from + buf.readUInt32BE(at + 4) };
}

/** Whether the entries behind a good header are whole and undamaged. */
export function areEntriesGood(buf: Buffer, { from, to }: BatchHeader): boolean {
  return to <= buf.length && crc32(buf.subarray(from, to)) === buf.readUInt32BE(from - 8);
}

/** Offset of the next good header at or after `at`; the end if there is none. */
export function nextBatch(buf: Buffer, at: number): number {
  for (let i = buf.indexOf(MAGIC_BYTES, at); i !== -1; i = buf.indexOf(MAGIC_BYTES, i + 1)) {
    if (batchHeaderAt(buf, i)) return i;
  }
  return buf.length;
}
