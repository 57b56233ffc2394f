import { join } from 'node:path';
import type { Logger } from '../logger.js';
import { type Files, syncDirectory, writeFully } from './files.js';
import { writeFooter } from './footer.js';
import { loadSlab } from './load.js';
import type { Stamp } from './record.js';
import { SEGMENT_HEADER_SIZE, type Segment, segmentFileName } from './segment.js';
import type { SegmentList } from './segment-list.js';
import type { Slab } from './slab.js';
import type { SlabCache, SlabOwner } from './slab-cache.js';
import { SlabList } from './slab-list.js';
import { Tail } from './tail.js';

export interface LogContext {
  readonly files: Files;
  readonly cache: SlabCache;
  readonly logger: Logger;
  readonly maxBytesPerFile: number;
}

/** Bytes of a segment of a log in memory: what is let go together. */
const MEMORY_SEGMENT = 256 * 1024;

type LoadWaiter = (slab: Slab | undefined) => void;

/**
 * A topic's messages: an append-only log of records in segment files, the recent and the just read parts of it in
 * memory. Messages are numbered from 0 without gaps; a position counts the bytes of all blocks before it.
 * A log without a directory is in memory only.
 */
export class TopicLog implements SlabOwner {
  readonly #context: LogContext;
  /** Empty for a log in memory. */
  readonly #directory: string;
  readonly #segmentLimit: number;
  readonly #segments: SegmentList;
  readonly #slabs = new SlabList();
  readonly #tail: Tail;
  readonly #loading = new Map<number, LoadWaiter[]>();
  /** Finished segments that are on their way to stable storage. */
  readonly #finishing = new Set<Promise<void>>();
  /** The file that `sync` is at, and whether it is to be closed then. */
  #syncingFd = -1;
  #closeLater = -1;
  #closed = false;
  /** Messages committed since the last sync to stable storage began. */
  unsynced = 0;

  constructor(context: LogContext, directory: string, segments: SegmentList) {
    this.#context = context;
    this.#directory = directory;
    this.#segments = segments;
    this.#segmentLimit = directory === '' ? MEMORY_SEGMENT : context.maxBytesPerFile;
    const first = segments.begin(this.#pathOf(segments.endN));
    this.#tail = new Tail(first, first.firstN, first.basePos);
  }

  get inMemory(): boolean {
    return this.#directory === '';
  }

  get segments(): SegmentList {
    return this.#segments;
  }

  /** Number after the last committed message. */
  get endN(): number {
    return this.#segments.endN;
  }

  /** Number of the next message, those that are not committed counted. */
  get nextN(): number {
    return this.#tail.nextN;
  }

  /** Messages from this number to the end are in memory. */
  get inMemoryFrom(): number {
    return this.#slabs.contiguousFrom(this.endPos) ?? this.endN;
  }

  /** Position after the last committed block. */
  get endPos(): number {
    return this.#tail.segment.endPos;
  }

  get dirty(): boolean {
    return this.#tail.dirty;
  }

  append(stamp: Stamp, body: Buffer, start: number, end: number): void {
    this.#tail.append(stamp, body, start, end);
  }

  appendBatch(stamp: Stamp, body: Buffer, start: number, end: number, count: number): void {
    this.#tail.appendBatch(stamp, body, start, end, count);
  }

  /** @param due ms since 1970 */
  appendDeferred(stamp: Stamp, body: Buffer, start: number, end: number, due: number): void {
    this.#tail.appendDeferred(stamp, body, start, end, due);
  }

  /**
   * Writes all that was appended to the segment file. Only then may it be read.
   * @throws what the file system said; then nothing of it is kept.
   */
  commit(): void {
    const tail = this.#tail;
    const before = tail.segment.endN;
    tail.finishBlock();
    if (!this.inMemory) {
      try {
        this.#write();
      } catch (error) {
        this.#takeBack();
        throw error;
      }
    }
    for (const slab of tail.pending) {
      if (slab.listed) continue;
      this.#slabs.add(slab);
      if (!this.inMemory) this.#context.cache.add(slab, this);
    }
    tail.accept();
    this.unsynced += tail.segment.endN - before;
    if (tail.segment.size >= this.#segmentLimit) this.#roll();
  }

  /** The slab in memory that holds `pos`. */
  slabAt(pos: number): Slab | undefined {
    return this.#slabs.at(pos);
  }

  /** The slab in memory that holds message `n`. */
  slabOf(n: number): Slab | undefined {
    return this.#slabs.of(n);
  }

  /**
   * Reads the slab that begins at `pos` back into memory. `done` gets it, or nothing if it cannot be read (the log is
   * closed, the segment is gone, or an error that was logged). Loads of one place are made once.
   */
  load(pos: number, done: LoadWaiter): void {
    const waiting = this.#loading.get(pos);
    if (waiting) {
      waiting.push(done);
      return;
    }
    const waiters = [done];
    this.#loading.set(pos, waiters);
    const finish = (slab: Slab | undefined): void => {
      this.#loading.delete(pos);
      for (const waiter of waiters) waiter(slab);
    };
    const segment = this.#segments.at(pos);
    if (!segment || this.inMemory || this.#closed) {
      setImmediate(finish, undefined);
      return;
    }
    try {
      segment.beginRead(this.#context.files);
    } catch (error) {
      this.#context.logger.error(`cannot open ${segment.path}`, { error });
      setImmediate(finish, undefined);
      return;
    }
    loadSlab(this.#context.files, segment, pos, this.#slabs.nextStart(pos), (error, loaded) => {
      segment.endRead(this.#context.files);
      if (this.#closed) return finish(undefined);
      if (error || !loaded) {
        this.#context.logger.error(`cannot read ${segment.path}`, { error });
        return finish(undefined);
      }
      for (const { path, offset, bytes } of loaded.damage) {
        this.#context.logger.error(`damaged block skipped: ${bytes} bytes at ${offset} of ${path}`);
      }
      this.#slabs.add(loaded.slab);
      this.#context.cache.add(loaded.slab, this);
      finish(loaded.slab);
      loaded.slab.letGo();
    });
  }

  /** Lets a slab go that nobody reads any more, or that there is no room for. */
  dropSlab(slab: Slab): void {
    this.#slabs.remove(slab);
  }

  /** Lets a slab go whose messages all readers have passed. The one being written stays. */
  releaseSlab(slab: Slab): void {
    if (this.inMemory || slab.end === this.#tail.segment.endPos) return;
    this.#slabs.remove(slab);
    this.#context.cache.remove(slab);
  }

  /** Removes a finished segment, and what is in memory of it. */
  removeSegment(segment: Segment): void {
    const { files, cache, logger } = this.#context;
    this.#segments.remove(segment);
    for (const slab of [...this.#slabs]) {
      if (slab.pos < segment.basePos || slab.pos >= segment.endPos) continue;
      this.#slabs.remove(slab);
      cache.remove(slab);
    }
    if (segment.path === '') return;
    try {
      segment.close(files);
      files.unlinkSync(segment.path);
    } catch (error) {
      logger.warn(`cannot remove ${segment.path}`, { error });
    }
  }

  /** Ends the segment being written before its time, because it is to be removed. Everything must be committed. */
  seal(): void {
    const old = this.#tail.segment;
    old.sealed = true;
    this.#tail.moveTo(this.#segments.begin(this.#pathOf(old.endN)));
  }

  /** Puts what is committed on stable storage, off the event loop. To be called again only when it is done. */
  sync(done: (error: Error | null) => void): void {
    this.unsynced = 0;
    const fd = this.#tail.segment.writeFd;
    const finished = Promise.all(this.#finishing);
    if (fd === -1) {
      finished.then(() => done(null), done);
      return;
    }
    this.#syncingFd = fd;
    this.#context.files.fdatasync(fd, (error) => {
      this.#syncingFd = -1;
      if (this.#closeLater === fd) this.#context.files.closeSync(fd);
      this.#closeLater = -1;
      finished.then(() => done(error), done);
    });
  }

  /** Finishes the files. Everything must be committed. Resolves when they are on stable storage. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const { segment } = this.#tail;
    if (!this.inMemory && segment.writeFd !== -1) {
      try {
        this.#finish(segment);
      } catch (error) {
        this.#context.logger.warn(`cannot finish ${segment.path}`, { error });
      }
    }
    this.abandon();
    await Promise.all(this.#finishing).catch(() => {});
  }

  /** Lets go of everything without another write. */
  abandon(): void {
    this.#closed = true;
    for (const slab of this.#slabs.clear()) this.#context.cache.remove(slab);
    for (const segment of this.#segments) segment.close(this.#context.files);
  }

  #write(): void {
    const { files } = this.#context;
    const tail = this.#tail;
    const segment = tail.segment;
    if (segment.writeFd === -1) this.#create(segment);
    for (let i = 0; i < tail.pending.length; i++) {
      const slab = tail.pending[i]!;
      const offset = segment.fileOffset(slab.pos + slab.length);
      writeFully(files, segment.writeFd, slab.buf, slab.length, tail.appended(i) - slab.length, offset);
    }
  }

  #create(segment: Segment): void {
    const { files } = this.#context;
    const fd = files.openSync(segment.path, 'w+');
    try {
      writeFully(files, fd, segment.header(), 0, SEGMENT_HEADER_SIZE, 0);
    } catch (error) {
      files.closeSync(fd);
      throw error;
    }
    segment.writeFd = fd;
  }

  #takeBack(): void {
    const segment = this.#tail.segment;
    this.#tail.revert();
    if (segment.writeFd === -1) return;
    try {
      this.#context.files.ftruncateSync(segment.writeFd, segment.fileOffset(segment.endPos));
    } catch (error) {
      // The next commit writes over the same bytes; until then a start would cut them off as a torn end.
      this.#context.logger.warn(`cannot cut ${segment.path} back`, { error });
    }
  }

  #roll(): void {
    const old = this.#tail.segment;
    this.seal();
    if (this.inMemory || old.writeFd === -1) return;
    try {
      this.#finish(old);
    } catch (error) {
      this.#context.logger.warn(`cannot finish ${old.path}`, { error });
    }
  }

  #finish(segment: Segment): void {
    const { files, logger } = this.#context;
    writeFooter(files, segment.writeFd, segment);
    const fd = segment.writeFd;
    segment.writeFd = -1;
    const finished = new Promise<void>((resolve, reject) => {
      files.fdatasync(fd, (error) => {
        this.#finishing.delete(finished);
        if (this.#syncingFd === fd) this.#closeLater = fd;
        else files.closeSync(fd);
        if (!error) return resolve();
        logger.warn(`cannot sync ${segment.path}`, { error });
        reject(error);
      });
    });
    finished.catch(() => {});
    this.#finishing.add(finished);
  }

  #pathOf(firstN: number): string {
    return this.inMemory ? '' : join(this.#directory, segmentFileName(firstN));
  }

  /** Makes the directory's entries durable. */
  syncDirectory(): void {
    if (!this.inMemory) syncDirectory(this.#context.files, this.#directory);
  }
}
