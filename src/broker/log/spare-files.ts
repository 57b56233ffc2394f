import { closeSync, mkdirSync, openSync, renameSync, rmSync, unlink, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { monotonic } from '../clock.js';
import type { Logger } from '../logger.js';
import type { FileGuard } from './guarded-files.js';

/** Bytes below which a file is not worth keeping, and the part of a segment's size that is enough if that is less. */
const SMALLEST = 4 * 1024 * 1024;
const SMALLEST_PART = 1 / 2;
/** Bytes of all spares together at most, and how many there may be. */
const LIMIT = 512 * 1024 * 1024;
const MOST = 128;
/** Age of a spare, ms, at which it is removed: by then the system may have dropped its pages from memory. */
const LONGEST = 30_000;

interface Spare {
  readonly path: string;
  readonly size: number;
  readonly since: number;
}

/**
 * Files of segments that were removed, for the next segments to be written over: a page of a file that is in memory costs
 * a third of a new one. What they hold counts for nothing, because the CRCs of a segment begin with its own seed.
 *
 * They are given up when they were not needed for half a minute, when the disk is full, and by the next start.
 */
export class SpareFiles {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #guard: FileGuard | undefined;
  #spares: Spare[] = [];
  #bytes = 0;
  #count = 0;
  readonly #smallest: number;

  /**
   * @param directory on the file system of the segments; removed if it is there, made when there is a first spare
   * @param segmentSize bytes that a segment file is to have
   * @param guard is asked before files are written over or moved
   */
  constructor(directory: string, logger: Logger, segmentSize = Number.POSITIVE_INFINITY, guard?: FileGuard) {
    this.#directory = directory;
    this.#smallest = Math.min(SMALLEST, segmentSize * SMALLEST_PART);
    this.#logger = logger;
    this.#guard = guard;
    this.#clean();
  }

  get length(): number {
    return this.#spares.length;
  }

  /** Takes a file away, to be written over or removed. @throws what the file system said when it can be neither */
  retire(path: string, size: number): void {
    this.#guard?.check(true);
    const kept = this.#setAside(path);
    if (kept === undefined) return unlinkSync(path);
    const { length } = this.#spares;
    if (size < this.#smallest || this.#bytes + size > LIMIT || length === MOST) return this.#remove(kept);
    this.#spares.push({ path: kept, size, since: monotonic() });
    this.#bytes += size;
  }

  /** Where the file is then; undefined if it cannot be moved: a full disk may have no room for a directory. */
  #setAside(path: string): string | undefined {
    try {
      if (this.#count === 0) mkdirSync(this.#directory, { mode: 0o700 });
      const kept = join(this.#directory, String(this.#count));
      renameSync(path, kept);
      this.#count++;
      return kept;
    } catch (error) {
      this.#logger.debug(`cannot keep ${path}`, { error });
      return undefined;
    }
  }

  /**
   * Moves a file to `path`, with another header: its descriptor, open for reading and writing; -1 if there is none.
   * Nobody finds the file there without that header.
   * @throws why nothing may be written
   */
  take(path: string, header: Buffer): number {
    this.#guard?.check(true);
    const spare = this.#spares.pop();
    if (!spare) return -1;
    this.#bytes -= spare.size;
    let fd = -1;
    try {
      fd = openSync(spare.path, 'r+');
      if (writeSync(fd, header, 0, header.length, 0) < header.length)
        throw new Error('write made no progress');
      renameSync(spare.path, path);
      this.#logger.debug(`written over: ${path}`);
      return fd;
    } catch (error) {
      this.#logger.debug(`cannot write over ${spare.path}`, { error });
      if (fd !== -1) closeSync(fd);
      this.#remove(spare.path);
      return -1;
    }
  }

  /** Gives up those that were not needed for long. */
  expire(): void {
    const oldest = monotonic() - LONGEST;
    while (this.#spares.length > 0 && this.#spares[0]!.since < oldest) {
      const spare = this.#spares.shift()!;
      this.#bytes -= spare.size;
      this.#remove(spare.path);
    }
  }

  /** Gives all of them up, and their room is free when this returns. */
  clear(): void {
    for (const { path } of this.#spares) {
      try {
        unlinkSync(path);
      } catch (error) {
        this.#logger.warn(`cannot remove ${path}`, { error });
      }
    }
    this.#spares = [];
    this.#bytes = 0;
  }

  /** The end: nothing is kept. */
  close(): void {
    this.#spares = [];
    this.#clean();
  }

  #clean(): void {
    try {
      rmSync(this.#directory, { recursive: true, force: true });
    } catch (error) {
      this.#logger.warn(`cannot remove ${this.#directory}`, { error });
    }
  }

  /** Off the event loop: it takes time to free a large file. */
  #remove(path: string): void {
    unlink(path, (error) => {
      if (error && error.code !== 'ENOENT') this.#logger.warn(`cannot remove ${path}`, { error });
    });
  }
}
