import { crc32 } from 'node:zlib';
import { type Files, readFully, writeFully } from './files.js';
import { SEGMENT_HEADER_SIZE, type Segment } from './segment.js';

/**
 * What a finished segment file ends with, so that a start need not read its blocks:
 *
 *     index   u32 count | count x (f64 number, f64 position)
 *     marks   u32 count | count x (f64 number, f64 due)          deferred records
 *     trailer 8 bytes "NSQFOOT2" | u32 bytes of index and marks | f64 number after the last message |
 *             f64 bytes of blocks | u32 CRC-32 of all before, begun with the segment's seed
 */
const MAGIC = 'NSQFOOT2';
const TRAILER_SIZE = 8 + 4 + 8 + 8 + 4;

function encodeFooter(segment: Segment): Buffer {
  const { indexN, indexPos, deferred } = segment;
  const bodySize = 4 + indexN.length * 16 + 4 + deferred.length * 16;
  const buf = Buffer.alloc(bodySize + TRAILER_SIZE);
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
  buf.writeUInt32BE(crc32(buf.subarray(0, at), segment.seed), at);
  return buf;
}

/** Writes the footer after the segment's blocks, and cuts off whatever may follow. */
export function writeFooter(files: Files, fd: number, segment: Segment): void {
  const footer = encodeFooter(segment);
  const at = SEGMENT_HEADER_SIZE + segment.size;
  writeFully(files, fd, footer, 0, footer.length, at);
  files.ftruncateSync(fd, at + footer.length);
}

/** Reads the footer of a file of `fileSize` bytes into the segment. False if there is no good one. */
export function readFooter(files: Files, fd: number, fileSize: number, segment: Segment): boolean {
  if (fileSize < SEGMENT_HEADER_SIZE + TRAILER_SIZE + 8) return false;
  const trailer = Buffer.alloc(TRAILER_SIZE);
  if (readFully(files, fd, trailer, 0, TRAILER_SIZE, fileSize - TRAILER_SIZE) < TRAILER_SIZE) return false;
  if (trailer.toString('latin1', 0, MAGIC.length) !== MAGIC) return false;
  const bodySize = trailer.readUInt32BE(8);
  const size = trailer.readDoubleBE(20);
  if (SEGMENT_HEADER_SIZE + size + bodySize + TRAILER_SIZE !== fileSize) return false;
  const whole = Buffer.alloc(bodySize + TRAILER_SIZE);
  if (readFully(files, fd, whole, 0, whole.length, fileSize - whole.length) < whole.length) return false;
  if (crc32(whole.subarray(0, -4), segment.seed) !== whole.readUInt32BE(whole.length - 4)) return false;
  segment.endN = trailer.readDoubleBE(12);
  segment.size = size;
  readLists(whole, segment);
  return true;
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
