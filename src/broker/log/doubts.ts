import type { Logger } from '../logger.js';
import { blockLength, checkBlock, isDamaged } from './block.js';
import { type Files, writeFully } from './files.js';
import { writeFooter } from './footer.js';
import { loadSlab } from './load.js';
import { SEGMENT_HEADER_SIZE, type Segment } from './segment.js';
import type { Slab } from './slab.js';

/**
 * The files of which a sync failed. The system tells of that once, and counts the pages as written from then on, or drops
 * them: another sync says nothing. So what came since the last sync that worked is written again before the next one.
 */
export class Doubts {
  readonly #files: Files;
  readonly #logger: Logger;
  readonly #inMemory: (pos: number) => Slab | undefined;
  readonly #segments = new Map<Segment, Error>();

  /** @param inMemory the slab in memory that holds a position */
  constructor(files: Files, logger: Logger, inMemory: (pos: number) => Slab | undefined) {
    this.#files = files;
    this.#logger = logger;
    this.#inMemory = inMemory;
  }

  /** What the first of them failed with; undefined if there is none. */
  get error(): Error | undefined {
    return this.#segments.values().next().value;
  }

  add(segment: Segment, error: Error): void {
    if (!segment.removed) this.#segments.set(segment, error);
  }

  /**
   * Puts all of them on stable storage, off the event loop.
   * @throws what the file system said: then it is to be tried again; or that something was not kept
   */
  async settle(): Promise<void> {
    for (const segment of [...this.#segments.keys()]) {
      const lost = segment.removed ? 0 : await this.#writeAgain(segment);
      this.#segments.delete(segment);
      if (lost === 0) continue;
      const words = `${lost} bytes of ${segment.path} were not kept after a sync that failed`;
      this.#logger.error(words);
      throw new Error(words);
    }
  }

  /** How many bytes could not be, because they are nowhere. */
  async #writeAgain(segment: Segment): Promise<number> {
    const files = this.#files;
    const { basePos, endPos, syncedPos, compactions } = segment;
    const fd = this.#open(segment);
    if (fd === -1) return endPos - syncedPos;
    segment.beginWrite();
    let kept = 0;
    try {
      if (syncedPos === basePos) writeFully(files, fd, segment.header(), 0, SEGMENT_HEADER_SIZE, 0);
      for (let pos = syncedPos; pos < endPos; ) {
        const slab = await this.#slabAt(segment, pos);
        try {
          if (segment.removed || segment.compactions !== compactions) return 0;
          const from = pos - slab.pos;
          const to = Math.min(slab.length, endPos - slab.pos);
          kept += await this.#writeGood(fd, segment, slab, from, to);
          pos = slab.pos + to;
        } finally {
          slab.letGo();
        }
      }
      if (segment.sealed) this.#end(fd, segment);
      await new Promise<void>((resolve, reject) => {
        files.fdatasync(fd, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      files.closeSync(fd);
      segment.endWrite(files);
    }
    segment.syncedPos = endPos;
    return endPos - syncedPos - kept;
  }

  /** -1 if somebody else removed it. */
  #open(segment: Segment): number {
    try {
      return this.#files.openSync(segment.path, 'r+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      segment.lose(segment.endPos);
      return -1;
    }
  }

  /** Memory knows best: what is read back may be what was on the disk before. */
  async #slabAt(segment: Segment, pos: number): Promise<Slab> {
    const slab = this.#inMemory(pos);
    if (slab && isGood(slab.buf, pos - slab.pos, slab.length, segment.seed)) {
      slab.hold();
      return slab;
    }
    segment.beginRead(this.#files);
    try {
      return await new Promise<Slab>((resolve, reject) => {
        loadSlab(this.#files, segment, pos, undefined, (error, loaded) => {
          if (loaded) resolve(loaded.slab);
          else reject(error ?? new Error(`cannot read ${segment.path}`));
        });
      });
    } finally {
      segment.endRead(this.#files);
    }
  }

  /** Writes the blocks of `[from, to)` that are not damaged; how many bytes that were. */
  async #writeGood(fd: number, segment: Segment, slab: Slab, from: number, to: number): Promise<number> {
    const { buf, pos } = slab;
    let written = 0;
    for (let at = from; at < to; ) {
      let end = at;
      while (end < to && !isDamaged(buf, end)) end += blockLength(buf, end);
      written += end - at;
      while (at < end) at += await this.#write(fd, buf, at, end - at, segment.fileOffset(pos + at));
      if (at < to) at += blockLength(buf, at);
    }
    return written;
  }

  #write(fd: number, buf: Buffer, from: number, length: number, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#files.write(fd, buf, from, length, offset, (error, bytes) => {
        if (error || bytes === 0) reject(error ?? new Error('write made no progress'));
        else resolve(bytes);
      });
    });
  }

  #end(fd: number, segment: Segment): void {
    try {
      writeFooter(this.#files, fd, segment);
    } catch (error) {
      this.#logger.warn(`cannot finish ${segment.path}`, { error });
    }
  }
}

function isGood(buf: Buffer, from: number, to: number, seed: number): boolean {
  for (let at = from; at < to; at += blockLength(buf, at))
    if (checkBlock(buf, at, to, seed) !== 'good') return false;
  return true;
}
