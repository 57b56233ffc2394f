import { crc32 } from 'node:zlib';
import { type Files, readFully, writeFully } from './files.js';
import { SEGMENT_HEADER_SIZE, type Segment } from './segment.js';

/**
 * What a finished segment file ends with, so that a start need not read its blocks:
 *
 *     index   u32 count | count x (f64 number, f64 position)
 *     marks   u32 count | count x (f64 number, f64 due)          deferred records
 *     trailer 8 bytes "NSQFOOT3" | u32 bytes of index and marks | f64 number after the last message |
 *             f64 bytes of blocks | u32 CRC-32 of index and marks | u32 CRC-32 of the trailer before this field
 *
 * The trailer stands there twice, so that no damaged place costs it. The CRCs begin with the segment's seed.
 */
const MAGIC = 'NSQFOOT3';
const TRAILER_SIZE = 8 + 4 + 8 + 8 + 4 + 4;
const TRAILERS_SIZE = 2 * TRAILER_SIZE;

/**
 * What a file's end tells: `whole` is all that the footer says; `ended` that the file is finished and where, while its
 * lists are damaged; `none` nothing.
 */
export type FooterResult = 'whole' | 'ended' | 'none';

function encodeFooter(segment: Segment): Buffer {
  const { indexN, indexPos, deferred } = segment;
  const bodySize = 4 + indexN.length * 16 + 4 + deferred.length * 16;
  const buf = Buffer.alloc(bodySize + TRAILERS_SIZE);
  let at = buf.writeUInt32BE(indexN.length, 0);
  for (let i = 0; i < indexN.length; i++) {
    at = buf.writeDoubleBE(indexN[i]!, at);
    at = buf.writeDoubleBE(indexPos[i]!, at);
  }
  at = buf.writeUInt32BE(deferred.length, at);
  for (let i = 0; i < deferred.length; i++) {
    const { n, due } = deferred.at(i);
    at = buf.writeDoubleBE(n, at);
    at = buf.writeDoubleBE(due, at);
  }
  at += buf.write(MAGIC, at, 'latin1');
  at = buf.writeUInt32BE(bodySize, at);
  at = buf.writeDoubleBE(segment.endN, at);
  at = buf.writeDoubleBE(segment.size, at);
  at = buf.writeUInt32BE(crc32(buf.subarray(0, bodySize), segment.seed), at);
  at = buf.writeUInt32BE(crc32(buf.subarray(bodySize, at), segment.seed), at);
  buf.copy(buf, at, bodySize, at);
  return buf;
}

/** Writes the footer after the segment's blocks, and cuts off whatever may follow. */
export function writeFooter(files: Files, fd: number, segment: Segment): void {
  const footer = encodeFooter(segment);
  const at = SEGMENT_HEADER_SIZE + segment.size;
  writeFully(files, fd, footer, 0, footer.length, at);
  files.ftruncateSync(fd, at + footer.length);
}

/** Reads the footer of a file of `fileSize` bytes into the segment, as much of it as is good. */
export function readFooter(files: Files, fd: number, fileSize: number, segment: Segment): FooterResult {
  if (fileSize < SEGMENT_HEADER_SIZE + TRAILERS_SIZE + 8) return 'none';
  const end = Buffer.alloc(TRAILERS_SIZE);
  if (readFully(files, fd, end, 0, TRAILERS_SIZE, fileSize - TRAILERS_SIZE) < TRAILERS_SIZE) return 'none';
  const copies = [end.subarray(0, TRAILER_SIZE), end.subarray(TRAILER_SIZE)];
  const trailer = copies.find((it) => isTrailer(it, segment.seed));
  if (!trailer) return 'none';
  const bodySize = trailer.readUInt32BE(8);
  const size = trailer.readDoubleBE(20);
  const bodyAt = SEGMENT_HEADER_SIZE + size;
  if (bodyAt + bodySize + TRAILERS_SIZE !== fileSize) return 'none';
  segment.endN = trailer.readDoubleBE(12);
  segment.size = size;
  const body = Buffer.alloc(bodySize);
  if (readFully(files, fd, body, 0, bodySize, bodyAt) < bodySize) return 'ended';
  if (crc32(body, segment.seed) !== trailer.readUInt32BE(28)) return 'ended';
  readLists(body, segment);
  return 'whole';
}

function isTrailer(bytes: Buffer, seed: number): boolean {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return false;
  return crc32(bytes.subarray(0, -4), seed) === bytes.readUInt32BE(TRAILER_SIZE - 4);
}

function readLists(buf: Buffer, segment: Segment): void {
  let at = 4;
  for (let left = buf.readUInt32BE(0); left > 0; left--) {
    segment.indexN.push(buf.readDoubleBE(at));
    segment.indexPos.push(buf.readDoubleBE(at + 8));
    at += 16;
  }
  const marks = buf.readUInt32BE(at);
  at += 4;
  for (let left = marks; left > 0; left--) {
    segment.deferred.push(buf.readDoubleBE(at), buf.readDoubleBE(at + 8));
    at += 16;
  }
}
