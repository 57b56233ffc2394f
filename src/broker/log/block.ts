import { crc32 } from 'node:zlib';

/**
 * A block is what a checksum covers: a header and a run of whole records.
 *
 *      0  u32  magic "NSQb"
 *      4  u32  bytes of the records
 *      8  u32  number of records
 *     12  u32  flags
 *     16  u64  number of the first record within the topic
 *     24  u64  deferred blocks: when the record is due, ms since 1970; blocks that do not end their batch: number
 *              after the batch's last record; else 0
 *     32  u32  CRC-32 of the records
 *     36  u32  CRC-32 of the header before this field
 *     40       records
 *
 * Both CRCs begin with the segment's seed, which nobody outside knows: what looks like a block within a message that
 * somebody published is none.
 */
export const BLOCK_HEADER_SIZE = 40;
/** A block takes no further record once it has this many bytes: what one flipped bit can cost at the most. */
export const BLOCK_TARGET = 64 * 1024;
const MAGIC = 0x4e535162;
/** In memory only: stands over a damaged stretch, whose length follows, so that readers step over it. */
const DAMAGED = 0x4e535164;

export const BlockFlag = {
  /** The last block of what was published together: without it a batch's blocks do not count. */
  BatchEnd: 1,
  /** The one record in it is to be delivered at its due time only. */
  Deferred: 2,
} as const;

const TWO_32 = 2 ** 32;

export function blockPayload(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at + 4);
}

export function blockCount(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at + 8);
}

export function blockFlags(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at + 12);
}

export function blockFirst(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at + 16) * TWO_32 + buf.readUInt32BE(at + 20);
}

/** When a deferred block's record is due; where a block does not end its batch, the number after the batch. */
export function blockDue(buf: Buffer, at: number): number {
  return buf.readUInt32BE(at + 24) * TWO_32 + buf.readUInt32BE(at + 28);
}

export function isDamaged(buf: Buffer, at: number): boolean {
  return buf.readUInt32BE(at) === DAMAGED;
}

/** Bytes from a block's (or a damaged stretch's) first byte to the next one's. */
export function blockLength(buf: Buffer, at: number): number {
  return isDamaged(buf, at) ? blockPayload(buf, at) : BLOCK_HEADER_SIZE + blockPayload(buf, at);
}

/** Fills in the header at `at` of a block whose records end at `end`. @param seed its segment's */
export function sealBlock(
  buf: Buffer,
  at: number,
  end: number,
  count: number,
  flags: number,
  first: number,
  due: number,
  seed: number,
): void {
  buf.writeUInt32BE(MAGIC, at);
  buf.writeUInt32BE(end - at - BLOCK_HEADER_SIZE, at + 4);
  buf.writeUInt32BE(count, at + 8);
  buf.writeUInt32BE(flags, at + 12);
  buf.writeUInt32BE(Math.floor(first / TWO_32), at + 16);
  buf.writeUInt32BE(first % TWO_32, at + 20);
  buf.writeUInt32BE(Math.floor(due / TWO_32), at + 24);
  buf.writeUInt32BE(due % TWO_32, at + 28);
  buf.writeUInt32BE(crc32(buf.subarray(at + BLOCK_HEADER_SIZE, end), seed), at + 32);
  buf.writeUInt32BE(crc32(buf.subarray(at, at + 36), seed), at + 36);
}

export type BlockCheck = 'good' | 'cut' | 'bad-header' | 'bad-records';

/** Looks at the block that begins at `at`, in `buf` up to `end`. `cut`: what is there looks right, but not all is. */
export function checkBlock(buf: Buffer, at: number, end: number, seed: number): BlockCheck {
  if (end - at < BLOCK_HEADER_SIZE) return 'cut';
  if (buf.readUInt32BE(at) !== MAGIC) return 'bad-header';
  if (crc32(buf.subarray(at, at + 36), seed) !== buf.readUInt32BE(at + 36)) return 'bad-header';
  const recordsEnd = at + BLOCK_HEADER_SIZE + blockPayload(buf, at);
  if (recordsEnd > end) return 'cut';
  const crc = crc32(buf.subarray(at + BLOCK_HEADER_SIZE, recordsEnd), seed);
  return crc === buf.readUInt32BE(at + 32) ? 'good' : 'bad-records';
}

const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeUInt32BE(MAGIC);

/** The next place from `at` on where a block with a good header begins; -1 if there is none before `end`. */
export function findBlock(buf: Buffer, at: number, end: number, seed: number): number {
  for (
    let i = buf.indexOf(MAGIC_BYTES, at);
    i !== -1 && i + BLOCK_HEADER_SIZE <= end;
    i = buf.indexOf(MAGIC_BYTES, i + 1)
  ) {
    if (crc32(buf.subarray(i, i + 36), seed) === buf.readUInt32BE(i + 36)) return i;
  }
  return -1;
}

/** Marks `buf[at, end)` as damaged, in memory. */
export function markDamaged(buf: Buffer, at: number, end: number): void {
  buf.writeUInt32BE(DAMAGED, at);
  buf.writeUInt32BE(end - at, at + 4);
}
