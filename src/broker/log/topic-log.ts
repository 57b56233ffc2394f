import { monotonic } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Batch } from './batch.js';
import { discardCompacted, writeCompacted } from './compaction.js';
import type { Files } from './files.js';
import { loadSlab } from './load.js';
import type { Stamp } from './record.js';
import type { Segment } from './segment.js';
import type { SegmentList } from './segment-list.js';
import { SegmentWriter } from './segment-writer.js';
import type { Slab } from './slab.js';
import type { SlabCache, SlabOwner } from './slab-cache.js';
import { SlabList } from './slab-list.js';
import type { SpareFiles } from './spare-files.js';
import { Tail } from './tail.js';

export interface LogContext {
  readonly files: Files;
  readonly cache: SlabCache;
  readonly logger: Logger;
  readonly maxBytesPerFile: number;
  /** Where the files of removed segments go, and those of new ones may come from. */
  readonly spares?: SpareFiles;
}

/** Bytes of a segment of a log in memory: what is let go together. */
const MEMORY_SEGMENT = 256 * 1024;

/** What the system says where a process or a file system has files of some size only: the next batch goes into another. */
const TOO_LARGE = 'EFBIG';

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
  readonly #writer: SegmentWriter;
  /** A batch is being written. */
  #writing = false;
  readonly #loading = new Map<number, LoadWaiter[]>();
  #closed = false;
  #lastRead: Segment | undefined;
  #unsynced = 0;
  #compactions = 0;

  constructor(context: LogContext, directory: string, segments: SegmentList) {
    this.#context = context;
    this.#directory = directory;
    this.#segments = segments;
    this.#endN = segments.last?.endN ?? 0;
    this.#endPos = segments.last?.endPos ?? 0;
    this.#writer = new SegmentWriter(context, (pos) => this.#slabs.at(pos));
    const limit = directory === '' ? MEMORY_SEGMENT : context.maxBytesPerFile;
    const first = segments.begin(this.#directory, this.#endN, this.#endPos);
    this.#tail = new Tail(first, limit, (firstN, basePos) => this.#nextSegment(firstN, basePos));
  }

  /** Gives the next message number `n` at least. Only before there is a first one. */
  beginAt(n: number): void {
    if (n <= this.#endN) return;
    this.#endN = n;
    this.#segments.remove(this.#tail.segment);
    this.#tail.nextN = n;
    this.#tail.moveTo(this.#segments.begin(this.#directory, n, this.#endPos));
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

  /** Messages committed since the last sync to stable storage began; at least one, too, where that failed. */
  get unsynced(): number {
    return this.#unsynced + (this.#writer.isInDoubt ? 1 : 0);
  }

  /** How often a segment was compacted: each time its blocks get other positions. */
  get compactions(): number {
    return this.#compactions;
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
   * kept, nor of what was appended since: so many messages are lost. To be called again only then.
   */
  commit(done: (error: Error | undefined, lost: number) => void): void {
    const batch = this.#tail.take();
    if (!batch) return done(undefined, 0);
    if (this.inMemory) {
      this.#accept(batch);
      return done(undefined, 0);
    }
    this.#writing = true;
    this.#writer.write(batch, (error) => {
      this.#writing = false;
      const lost = error ? this.#tail.nextN - batch.firstN : 0;
      if (this.#closed) batch.discard();
      else if (error) this.#takeBack(batch, error);
      else this.#accept(batch);
      done(error, lost);
    });
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
    if (this.#lastRead !== segment) this.#lastRead?.rest(this.#context.files);
    this.#lastRead = segment;
    try {
      segment.beginRead(this.#context.files);
    } catch (error) {
      this.#context.logger.error(`cannot open ${segment.path}`, { error });
      setImmediate(finish, undefined);
      return;
    }
    loadSlab(this.#context.files, segment, pos, this.#slabs.next(pos), (error, loaded) => {
      segment.endRead(this.#context.files);
      if (this.#closed) return finish(undefined);
      if (error || !loaded) {
        this.#context.logger.error(`cannot read ${segment.path}`, { error });
        return finish(undefined);
      }
      for (const { offset, bytes, messages } of loaded.damage) {
        if (!segment.reports(offset)) continue;
        const count = messages === -1 ? '' : `, ${messages} messages`;
        this.#context.logger.error(
          `damaged block skipped: ${bytes} bytes at ${offset} of ${segment.path}${count}`,
        );
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
    const { files, logger, spares } = this.#context;
    this.#segments.remove(segment);
    this.#dropSlabsOf(segment);
    if (segment.path === '') return;
    segment.removed = true;
    try {
      segment.close(files);
      if (spares && !segment.isBusy) spares.retire(segment.path, segment.size);
      else files.unlinkSync(segment.path);
    } catch (error) {
      logger.warn(`cannot remove ${segment.path}`, { error });
    }
  }

  /**
   * Leaves everything out of a finished segment's file but some messages. Nobody may read the others any more.
   * @param numbers those to keep, in order
   * @throws what the file system said; the segment is as it was then
   */
  async compact(segment: Segment, numbers: readonly number[]): Promise<void> {
    const { files, logger } = this.#context;
    const { segment: compacted, leftOut } = await writeCompacted(files, segment, numbers);
    while (segment.isBeingRead) await new Promise(setImmediate);
    if (this.#closed || segment.removed) {
      discardCompacted(files, compacted.path);
      return;
    }
    try {
      files.renameSync(compacted.path, segment.path);
    } catch (error) {
      discardCompacted(files, compacted.path);
      throw error;
    }
    for (const { offset, bytes, messages } of leftOut) {
      logger.error(
        `damaged block left out: ${bytes} bytes at ${offset} of ${segment.path}, ${messages} messages`,
      );
    }
    this.#dropSlabsOf(segment);
    segment.takeOver(compacted, files);
    this.#compactions++;
  }

  /** Ends the segment being written before its time, because it is to be removed. Nothing may be uncommitted. */
  seal(): void {
    const old = this.#tail.segment;
    old.sealed = true;
    this.#tail.moveTo(this.#segments.begin(this.#directory, this.#endN, this.#endPos));
  }

  /**
   * Finishes the files. Everything must be committed, and no sync under way. Resolves when they are on stable storage, or
   * with what hindered that.
   */
  async close(): Promise<Error | undefined> {
    if (this.#closed) return undefined;
    const { segment } = this.#tail;
    this.#writer.finish(segment);
    const sync = (): Promise<Error | null> => new Promise((resolve) => this.#writer.sync(segment, resolve));
    const error = (await sync()) && (await sync());
    this.abandon();
    return error ?? undefined;
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
    this.#unsynced += batch.endN - batch.firstN;
    batch.accept();
    this.#endN = batch.endN;
    this.#endPos = batch.segment.endPos;
    if (batch.segment !== this.#tail.segment) this.#finish(batch.segment);
  }

  #takeBack(batch: Batch, error: Error): void {
    const { segment } = batch;
    if (this.#tail.segment !== segment) this.#segments.remove(this.#tail.segment);
    this.#tail.revert(batch);
    this.#writer.cutBack(segment);
    if ('code' in error && error.code === TOO_LARGE && segment.size > 0) this.#endLast();
  }

  /** Goes on in another file than the one being written. Nothing may be uncommitted. */
  #endLast(): void {
    const { segment } = this.#tail;
    this.seal();
    this.#finish(segment);
  }

  /** The segment that follows the full one; that is finished once it is all written. */
  #nextSegment(firstN: number, basePos: number): Segment {
    const old = this.#segments.last!;
    const segment = this.#segments.begin(this.#directory, firstN, basePos);
    if (firstN === this.#endN) this.#finish(old);
    return segment;
  }

  #finish(segment: Segment): void {
    segment.sealed = true;
    segment.sealedAt = monotonic();
    if (!this.inMemory) this.#writer.finish(segment);
  }

  /** Lets go of what is in memory of a segment. */
  #dropSlabsOf(segment: Segment): void {
    for (const slab of [...this.#slabs]) {
      if (slab.pos < segment.basePos || slab.pos >= segment.endPos) continue;
      this.#slabs.remove(slab);
      this.#context.cache.remove(slab);
    }
  }

  /** A sync of the directory failed elsewhere: entries of new files count as not written. */
  doubtEntries(): void {
    this.#writer.doubtEntries();
  }

  /** Puts what is committed on stable storage, off the event loop. To be called again only when it is done. */
  sync(done: (error: Error | null) => void): void {
    this.#unsynced = 0;
    // The next segment may have been begun already, while what comes before is still being written.
    const last = this.#segments.of(this.#endN - 1) ?? this.#tail.segment;
    this.#writer.sync(last, (error) => {
      if (last.isLost && last === this.#tail.segment && !this.dirty && !this.#closed) this.#endLast();
      done(error);
    });
  }
}
