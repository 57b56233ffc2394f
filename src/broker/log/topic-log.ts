import { join } from 'node:path';
import { monotonic } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Batch } from './batch.js';
import { type Files, syncDirectory, writeFully } from './files.js';
import { writeFooter } from './footer.js';
import { loadSlab } from './load.js';
import { Preparer } from './preparer.js';
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

/** Bytes of a commit from which on it is written off the event loop: less is done sooner than it is handed over. */
const WRITE_ASIDE = 32 * 1024;
/** A write on the event loop that took longer than this (ms) was held back by the system. */
const SLOW_WRITE = 4;
const SLOW_PAUSE = 1000;

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
  readonly #segments: SegmentList;
  readonly #slabs = new SlabList();
  readonly #tail: Tail;
  #endN: number;
  #endPos: number;
  readonly #preparer: Preparer;
  /** Until then, much is not written on the event loop. */
  #slowUntil = 0;
  /** A batch is being written off the event loop. */
  #writing = false;
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
    this.#endN = segments.last?.endN ?? 0;
    this.#endPos = segments.last?.endPos ?? 0;
    this.#preparer = new Preparer(context.files, context.maxBytesPerFile);
    const limit = directory === '' ? MEMORY_SEGMENT : context.maxBytesPerFile;
    const first = segments.begin(this.#pathOf(this.#endN), this.#endN, this.#endPos);
    this.#tail = new Tail(first, limit, (firstN, basePos) => this.#nextSegment(firstN, basePos));
  }

  get inMemory(): boolean {
    return this.#directory === '';
  }

  get segments(): SegmentList {
    return this.#segments;
  }

  /** Number after the last committed message. */
  get endN(): number {
    return this.#endN;
  }

  /** Position after the last committed block. */
  get endPos(): number {
    return this.#endPos;
  }

  /** Number of the next message, those that are not committed counted. */
  get nextN(): number {
    return this.#tail.nextN;
  }

  /** Messages from this number to the end are in memory. */
  get inMemoryFrom(): number {
    return this.#slabs.contiguousFrom(this.#endPos) ?? this.#endN;
  }

  /** Something was appended that is not committed. */
  get dirty(): boolean {
    return this.#tail.dirty || this.#writing;
  }

  /** Bytes that were appended and are not committed. */
  get uncommitted(): number {
    return this.#tail.pos - this.#endPos;
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
   * Writes all that was appended to the segment file; it may be read when `done` is called. A little is written at once,
   * much of it off the event loop: `done` may be called before this returns, or later. With an error, nothing of it is
   * kept, nor of what was appended since. To be called again only then.
   */
  commit(done: (error: Error | undefined) => void): void {
    const batch = this.#tail.take();
    if (!batch) return done(undefined);
    if (this.inMemory) {
      this.#accept(batch);
      return done(undefined);
    }
    const finish = (error: Error | undefined): void => {
      if (this.#closed) batch.discard();
      else if (error) this.#takeBack(batch);
      else this.#accept(batch);
      done(error);
    };
    const end = batch.segment.fileOffset(this.#tail.pos);
    if (this.#preparer.conflicts(batch.segment, end)) {
      this.#writing = true;
      this.#preparer.whenIdle(() => {
        this.#writing = false;
        this.#write(batch, end, finish);
      });
    } else this.#write(batch, end, finish);
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
    if (this.inMemory || this.#tail.isWriting(slab)) return;
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
    segment.removed = true;
    try {
      segment.close(files);
      files.unlinkSync(segment.path);
    } catch (error) {
      logger.warn(`cannot remove ${segment.path}`, { error });
    }
  }

  /** Ends the segment being written before its time, because it is to be removed. Nothing may be uncommitted. */
  seal(): void {
    const old = this.#tail.segment;
    old.sealed = true;
    this.#tail.moveTo(this.#segments.begin(this.#pathOf(this.#endN), this.#endN, this.#endPos));
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
    await new Promise<void>((resolve) => this.#preparer.whenIdle(resolve));
    this.#tryFinish(this.#tail.segment);
    this.abandon();
    await Promise.all(this.#finishing).catch(() => {});
  }

  /** Lets go of everything without another write. */
  abandon(): void {
    this.#closed = true;
    for (const slab of this.#slabs.clear()) this.#context.cache.remove(slab);
    for (const segment of this.#segments) segment.close(this.#context.files);
  }

  #accept(batch: Batch): void {
    for (const { slab } of batch.pieces) {
      if (slab.listed) continue;
      this.#slabs.add(slab);
      if (!this.inMemory) this.#context.cache.add(slab, this);
    }
    this.unsynced += batch.endN - batch.firstN;
    batch.accept();
    this.#endN = batch.endN;
    this.#endPos = batch.segment.endPos;
    if (!this.inMemory) this.#preparer.advance(batch.segment);
    if (batch.segment !== this.#tail.segment) this.#seal(batch.segment);
  }

  #write(batch: Batch, end: number, done: (error: Error | undefined) => void): void {
    const { segment } = batch;
    if (this.#closed) return done(undefined);
    const started = monotonic();
    try {
      if (segment.writeFd === -1) this.#create(segment);
      const atOnce = this.#preparer.covers(segment, end) && started > this.#slowUntil;
      if (batch.bytes >= WRITE_ASIDE && !atOnce) return this.#writeAside(batch, done);
      for (const { slab, from, to } of batch.pieces) {
        const offset = segment.fileOffset(slab.pos + from);
        writeFully(this.#context.files, segment.writeFd, slab.buf, from, to - from, offset);
      }
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)));
    }
    // The system holds writers back when it cannot keep up: then they had better not be the event loop.
    const now = monotonic();
    if (now - started > SLOW_WRITE) this.#slowUntil = now + SLOW_PAUSE;
    done(undefined);
  }

  #writeAside(batch: Batch, done: (error: Error | undefined) => void): void {
    const { files } = this.#context;
    const { segment, pieces } = batch;
    this.#writing = true;
    const finish = (error: Error | undefined): void => {
      this.#writing = false;
      segment.endWrite(files);
      done(error);
    };
    const next = (index: number, from: number): void => {
      const piece = pieces[index];
      if (!piece) return finish(undefined);
      if (from === piece.to) return next(index + 1, pieces[index + 1]?.from ?? 0);
      const { slab, to } = piece;
      files.write(
        segment.writeFd,
        slab.buf,
        from,
        to - from,
        segment.fileOffset(slab.pos + from),
        (error, bytes) => {
          if (error || bytes === 0) return finish(error ?? new Error('write made no progress'));
          next(index, from + bytes);
        },
      );
    };
    segment.beginWrite();
    next(0, pieces[0]!.from);
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

  #takeBack(batch: Batch): void {
    const { segment } = batch;
    if (this.#tail.segment !== segment) this.#segments.remove(this.#tail.segment);
    this.#tail.revert(batch);
    this.#preparer.reset();
    if (segment.writeFd === -1) return;
    try {
      this.#context.files.ftruncateSync(segment.writeFd, segment.fileOffset(segment.endPos));
    } catch (error) {
      // The next commit writes over the same bytes; until then a start would cut them off as a torn end.
      this.#context.logger.warn(`cannot cut ${segment.path} back`, { error });
    }
  }

  /** The segment that follows the full one; that is finished once it is all written. */
  #nextSegment(firstN: number, basePos: number): Segment {
    const old = this.#segments.last!;
    const segment = this.#segments.begin(this.#pathOf(firstN), firstN, basePos);
    if (firstN === this.#endN) this.#seal(old);
    return segment;
  }

  #seal(segment: Segment): void {
    segment.sealed = true;
    this.#preparer.whenIdle(() => this.#tryFinish(segment));
  }

  #tryFinish(segment: Segment): void {
    if (segment.writeFd === -1 || segment.removed) return;
    try {
      this.#finish(segment);
    } catch (error) {
      this.#context.logger.warn(`cannot finish ${segment.path}`, { error });
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
