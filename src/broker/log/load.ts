import {
  BLOCK_HEADER_SIZE,
  blockCount,
  blockFirst,
  blockLength,
  blockPayload,
  checkBlock,
  findBlock,
  markDamaged,
} from './block.js';
import type { Files } from './files.js';
import type { Segment } from './segment.js';
import { Slab } from './slab.js';
import { giveBuffer, takeBuffer } from './slab-pool.js';

/** Bytes that are read back at once. */
export const LOAD_SIZE = 256 * 1024;

/** A stretch that turned out damaged while it was read back. */
interface LoadedDamage {
  offset: number;
  bytes: number;
  /** Messages that were in it; -1 where nothing tells. */
  messages: number;
}

export interface Loaded {
  slab: Slab;
  damage: LoadedDamage[];
}

/**
 * Reads blocks from `pos` on, checked, up to the segment's end or the next slab in memory at the most. A block larger than what is read at once is read
 * whole. Damaged stretches are marked so that readers step over them.
 */
export function loadSlab(
  files: Files,
  segment: Segment,
  pos: number,
  nextSlab: Slab | undefined,
  done: (error: Error | null, loaded?: Loaded) => void,
): void {
  const end = Math.min(segment.endPos, nextSlab?.pos ?? Number.POSITIVE_INFINITY);
  // A slab without a good block stands before the messages that follow it.
  const endN = nextSlab?.pos === end ? nextSlab.first : segment.endN;
  const most = end - pos;
  const attempt = (want: number): void => {
    const size = Math.min(want, most);
    const buf = takeBuffer(size);
    readAll(files, segment.readFd, buf, segment.fileOffset(pos), (error, have) => {
      if (error) {
        giveBuffer(buf);
        return done(error);
      }
      if (have < size) return done(new Error(`${segment.path} ends at ${have} of ${size} bytes from ${pos}`));
      const first = checkBlock(buf, 0, size, segment.seed);
      if (first === 'cut' && size < most)
        return attempt(size < BLOCK_HEADER_SIZE ? most : BLOCK_HEADER_SIZE + blockPayload(buf, 0));
      const loaded = toSlab(segment, buf, pos, endN, size === most);
      // What is damaged may reach past what was read: more is needed to find the next good block.
      if (loaded.slab.endN === -1 && size < most) return attempt(size * 2);
      return done(null, loaded);
    });
  };
  attempt(LOAD_SIZE);
}

function readAll(
  files: Files,
  fd: number,
  buf: Buffer,
  offset: number,
  done: (error: Error | null, have: number) => void,
): void {
  let have = 0;
  const next = (): void => {
    files.read(fd, buf, have, buf.length - have, offset + have, (error, bytes) => {
      if (error) return done(error, have);
      have += bytes;
      if (bytes === 0 || have === buf.length) return done(null, have);
      next();
    });
  };
  next();
}

function toSlab(segment: Segment, buf: Buffer, pos: number, endN: number, reachesEnd: boolean): Loaded {
  const size = buf.length;
  const damage: LoadedDamage[] = [];
  let at = 0;
  let first = -1;
  let end = -1;
  /** Number of the message that the next block is to begin with; -1 if that is not known. */
  let expected = -1;
  while (at < size) {
    const check = checkBlock(buf, at, size, segment.seed);
    if (check === 'good') {
      if (first === -1) first = blockFirst(buf, at);
      end = expected = blockFirst(buf, at) + blockCount(buf, at);
      at += blockLength(buf, at);
      continue;
    }
    if (check === 'cut' && !reachesEnd && at > 0) break;
    const next =
      check === 'bad-records' ? at + blockLength(buf, at) : findBlock(buf, at + 1, size, segment.seed);
    if (next === -1 && !reachesEnd) break;
    const to = next === -1 ? size : next;
    const from = check === 'bad-records' ? blockFirst(buf, at) : expected;
    if (check === 'bad-records') expected = from + blockCount(buf, at);
    else expected = next === -1 ? endN : blockFirst(buf, next);
    const messages = from === -1 || (segment.isCompacted && check !== 'bad-records') ? -1 : expected - from;
    damage.push({ offset: segment.fileOffset(pos + at), bytes: to - at, messages });
    markDamaged(buf, at, to);
    at = to;
  }
  const slab = new Slab(buf, pos, first === -1 ? endN : first);
  slab.length = at;
  slab.endN = end;
  return { slab, damage };
}
