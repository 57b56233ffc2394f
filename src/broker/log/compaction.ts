import {
  BLOCK_HEADER_SIZE,
  BLOCK_TARGET,
  BlockFlag,
  blockCount,
  blockDue,
  blockFirst,
  blockFlags,
  blockLength,
  isDamaged,
  sealBlock,
} from './block.js';
import { type Files, writeFully } from './files.js';
import { writeFooter } from './footer.js';
import { loadSlab } from './load.js';
import { recordLength } from './record.js';
import { INDEX_STEP } from './scan.js';
import { SEGMENT_HEADER_SIZE, Segment } from './segment.js';
import type { Slab } from './slab.js';

/** What a file is called that is to replace a segment's. */
export const COMPACTED_SUFFIX = '.compacted';
/** Bytes that are gathered before they are written. */
const WRITE_SIZE = 256 * 1024;

/** A stretch of the old file whose blocks are damaged. */
interface LeftOut {
  /** Where in the file, in bytes. */
  readonly offset: number;
  bytes: number;
  /** Messages in it that were to be kept. */
  messages: number;
}

interface Compacted {
  /** Describes the new file. */
  readonly segment: Segment;
  /** Where messages that were to be kept are not in it, because they were damaged. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Writes a finished segment anew, with some of its messages only, into a file beside its own. The file is on stable
 * storage when this resolves, with a segment that describes it; the old one is as it was.
 * @param numbers those to keep, in order
 * @throws what the file system said; nothing is left of the new file then
 */
export async function writeCompacted(
  files: Files,
  segment: Segment,
  numbers: readonly number[],
): Promise<Compacted> {
  const path = segment.path + COMPACTED_SUFFIX;
  const fd = files.openSync(path, 'w+');
  const compaction = new Compaction(files, fd, segment, path);
  try {
    for (const n of numbers) await compaction.keep(n);
    return { segment: await compaction.finish(), leftOut: compaction.leftOut };
  } catch (error) {
    discardCompacted(files, path);
    throw error;
  } finally {
    compaction.release();
    files.closeSync(fd);
  }
}

/** Removes such a file. If it cannot be, the next start does it. */
export function discardCompacted(files: Files, path: string): void {
  try {
    files.unlinkSync(path);
  } catch {
    // It may be gone with its directory.
  }
}

class Compaction {
  readonly leftOut: LeftOut[] = [];
  readonly #files: Files;
  readonly #fd: number;
  readonly #from: Segment;
  readonly #into: Segment;
  /** What was read of the old file last. */
  #slab: Slab | undefined;
  /** Offset in it of a block that is not behind the next message. */
  #blockAt = 0;
  /** The damaged stretch before that block; undefined if there is none. */
  #damage: LeftOut | undefined;
  #out = Buffer.allocUnsafe(WRITE_SIZE);
  #outAt = 0;
  /** Offset in `#out` of the block that messages go to; -1 if none is open. */
  #openAt = -1;
  #openFirst = 0;
  #openCount = 0;

  constructor(files: Files, fd: number, from: Segment, path: string) {
    this.#files = files;
    this.#fd = fd;
    this.#from = from;
    const { firstN, basePos, idHi, idLo, created, seed } = from;
    this.#into = new Segment(path, firstN, basePos, idHi, idLo, created, seed);
    this.#into.endN = from.endN;
    this.#into.messages = 0;
  }

  /** Takes message `n` over, unless its block is damaged. Numbers must go up. */
  async keep(n: number): Promise<void> {
    const block = await this.#find(n);
    if (block === -1) return this.#noteLeftOut();
    const { buf } = this.#slab!;
    let start = block + BLOCK_HEADER_SIZE;
    for (let left = n - blockFirst(buf, block); left > 0; left--) start += recordLength(buf, start);
    const end = start + recordLength(buf, start);
    const isDeferred = (blockFlags(buf, block) & BlockFlag.Deferred) !== 0;
    if (this.#openAt !== -1 && (isDeferred || !this.#goesOn(n, end - start))) this.#close(0, 0);
    if (this.#openAt === -1) await this.#open(n, end - start);
    this.#outAt += buf.copy(this.#out, this.#outAt, start, end);
    this.#openCount++;
    this.#into.messages++;
    if (!isDeferred) return;
    const due = blockDue(buf, block);
    this.#close(BlockFlag.Deferred, due);
    this.#into.deferred.push(n, due);
  }

  async finish(): Promise<Segment> {
    if (this.#openAt !== -1) this.#close(0, 0);
    await this.#write();
    writeFully(this.#files, this.#fd, this.#into.header(), 0, SEGMENT_HEADER_SIZE, 0);
    writeFooter(this.#files, this.#fd, this.#into);
    await new Promise<void>((resolve, reject) => {
      this.#files.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
    return this.#into;
  }

  /** Lets go of what was read. */
  release(): void {
    this.#slab?.letGo();
    this.#slab = undefined;
  }

  /** Whether a record goes into the block that is open. */
  #goesOn(n: number, size: number): boolean {
    const room = Math.min(this.#openAt + BLOCK_HEADER_SIZE + BLOCK_TARGET, this.#out.length) - this.#outAt;
    return this.#openFirst + this.#openCount === n && size <= room;
  }

  /** Offset in `#slab` of the block that holds message `n`; -1 if it is damaged. */
  async #find(n: number): Promise<number> {
    for (;;) {
      const slab = this.#slab;
      while (slab && this.#blockAt < slab.length) {
        const at = this.#blockAt;
        if (isDamaged(slab.buf, at)) this.#noteDamage(slab, at);
        else {
          const first = blockFirst(slab.buf, at);
          if (first > n) return -1;
          if (n < first + blockCount(slab.buf, at)) return at;
          this.#damage = undefined;
        }
        this.#blockAt += blockLength(slab.buf, at);
      }
      const pos = Math.max(slab?.end ?? 0, this.#from.positionBefore(n));
      if (pos >= this.#from.endPos) return -1;
      if (pos !== slab?.end) this.#damage = undefined;
      await this.#load(pos);
    }
  }

  #noteDamage(slab: Slab, at: number): void {
    const bytes = blockLength(slab.buf, at);
    if (this.#damage) this.#damage.bytes += bytes;
    else this.#damage = { offset: this.#from.fileOffset(slab.pos + at), bytes, messages: 0 };
  }

  /** A message that was to be kept is in the damaged stretch. If there is none, an earlier start said that it is missing. */
  #noteLeftOut(): void {
    const damage = this.#damage;
    if (damage && damage.messages++ === 0) this.leftOut.push(damage);
  }

  async #load(pos: number): Promise<void> {
    const segment = this.#from;
    this.release();
    segment.beginRead(this.#files);
    try {
      this.#slab = await new Promise<Slab>((resolve, reject) => {
        loadSlab(this.#files, segment, pos, undefined, (error, loaded) => {
          if (loaded) resolve(loaded.slab);
          else reject(error ?? new Error(`cannot read ${segment.path}`));
        });
      });
    } finally {
      segment.endRead(this.#files);
    }
    this.#blockAt = 0;
  }

  async #open(n: number, size: number): Promise<void> {
    const need = BLOCK_HEADER_SIZE + size;
    if (this.#outAt + need > this.#out.length) await this.#write();
    if (need > this.#out.length) this.#out = Buffer.allocUnsafe(need);
    const { indexN, indexPos, endPos } = this.#into;
    const pos = endPos + this.#outAt;
    if (indexPos.length === 0 || pos - indexPos.at(-1)! >= INDEX_STEP) {
      indexN.push(n);
      indexPos.push(pos);
    }
    this.#openAt = this.#outAt;
    this.#openFirst = n;
    this.#openCount = 0;
    this.#outAt += BLOCK_HEADER_SIZE;
  }

  #close(flags: number, due: number): void {
    const all = flags | BlockFlag.BatchEnd;
    const { seed } = this.#into;
    sealBlock(this.#out, this.#openAt, this.#outAt, this.#openCount, all, this.#openFirst, due, seed);
    this.#openAt = -1;
  }

  /** Writes the closed blocks out. */
  async #write(): Promise<void> {
    const files = this.#files;
    let at = 0;
    while (at < this.#outAt) {
      const position = SEGMENT_HEADER_SIZE + this.#into.size;
      const bytes = await new Promise<number>((resolve, reject) => {
        files.write(this.#fd, this.#out, at, this.#outAt - at, position, (error, written) => {
          if (error || written === 0) reject(error ?? new Error('write made no progress'));
          else resolve(written);
        });
      });
      at += bytes;
      this.#into.size += bytes;
    }
    this.#outAt = 0;
  }
}
