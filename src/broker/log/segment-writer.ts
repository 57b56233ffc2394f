import { monotonic } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Batch } from './batch.js';
import { Doubts } from './doubts.js';
import { type Files, removal, writeFully } from './files.js';
import { writeFooter } from './footer.js';
import { NewEntries, openNew } from './new-entries.js';
import { SEGMENT_HEADER_SIZE, type Segment } from './segment.js';
import type { Slab } from './slab.js';
import type { SpareFiles } from './spare-files.js';

/** A commit of fewer bytes is always written on the event loop. */
const WRITE_ASIDE = 32 * 1024;
/** A write that took longer than this (ms) was held back by the system; for the pause (ms) it may be again. */
const SLOW_WRITE = 4;
const SLOW_PAUSE = 1000;

interface WriterContext {
  readonly files: Files;
  readonly logger: Logger;
  readonly spares?: SpareFiles;
}

/** Writes a topic's segment files: batches, the footer at the end, and when they are on stable storage. */
export class SegmentWriter {
  readonly #files: Files;
  readonly #logger: Logger;
  readonly #spares: SpareFiles | undefined;
  /** Until then, much is not written on the event loop. */
  #slowUntil = 0;
  /** Finished segments that are on their way to stable storage. */
  readonly #finishing = new Set<Promise<void>>();
  readonly #doubts: Doubts;
  /** A write off the event loop; resolves when it was told how that went. */
  #aside: Promise<void> | undefined;
  /** The file that `sync` is at, and whether it is to be closed then. */
  #syncingFd = -1;
  #closeLater = -1;
  readonly #newEntries: NewEntries;
  /** What to say of a finished file that somebody else removed. */
  #removed: Error | null = null;
  /** Behind its end stands what a failed write has left: blocks of messages that were refused. */
  #uncut: Segment | undefined;

  /** @param inMemory the slab in memory that holds a position */
  constructor({ files, logger, spares }: WriterContext, inMemory: (pos: number) => Slab | undefined) {
    this.#doubts = new Doubts(files, logger, inMemory);
    this.#newEntries = new NewEntries(files);
    this.#files = files;
    this.#logger = logger;
    this.#spares = spares;
  }

  /**
   * Writes a batch; `done` may be called before this returns, or later. Not to be called again before it was.
   *
   * A write into the system's cache is done sooner than it is handed to another thread. But the system holds writers back
   * while it syncs the same pages, or cannot keep up: then it is not the event loop that waits.
   */
  write(batch: Batch, done: (error: Error | undefined) => void): void {
    const { segment } = batch;
    const started = monotonic();
    try {
      if (segment.writeFd === -1) this.#create(segment);
      if (segment === this.#uncut) this.#cut(segment);
      const calm = this.#syncingFd === -1 && started > this.#slowUntil;
      if (batch.bytes >= WRITE_ASIDE && !calm) return this.#writeAside(batch, done);
      for (const { slab, from, to } of batch.pieces) {
        const offset = segment.fileOffset(slab.pos + from);
        writeFully(this.#files, segment.writeFd, slab.buf, from, to - from, offset);
      }
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)));
    }
    const now = monotonic();
    if (now - started > SLOW_WRITE) this.#slowUntil = now + SLOW_PAUSE;
    done(undefined);
  }

  /** Cuts off what a failed write may have left after the segment's end; if that fails, it is done before the next write. */
  cutBack(segment: Segment): void {
    if (segment.writeFd === -1) return;
    try {
      this.#cut(segment);
    } catch (error) {
      this.#uncut = segment;
      this.#logger.warn(`cannot cut ${segment.path} back`, { error });
    }
  }

  #cut(segment: Segment): void {
    this.#files.ftruncateSync(segment.writeFd, segment.fileOffset(segment.endPos));
    this.#uncut = undefined;
  }

  /** Ends a segment's file: nothing more is written to it. */
  finish(segment: Segment): void {
    if (segment.writeFd === -1 || segment.removed) return;
    try {
      writeFooter(this.#files, segment.writeFd, segment);
    } catch (error) {
      // The next start reads the file block by block.
      this.#logger.warn(`cannot finish ${segment.path}`, { error });
    }
    this.#syncLast(segment);
  }

  /** Resolves when every finished segment was synced, however that went. */
  async finished(): Promise<void> {
    await Promise.all(this.#finishing);
  }

  /** Something that was written may not be on stable storage although a sync has ended since. */
  get isInDoubt(): boolean {
    return this.#doubts.error !== undefined;
  }

  doubtEntries(): void {
    this.#newEntries.doubt();
  }

  /** Puts what is written on stable storage, off the event loop. To be called again only when it is done. */
  sync(segment: Segment, done: (error: Error | null) => void): void {
    try {
      this.#newEntries.restore();
    } catch (error) {
      setImmediate(done, error as Error);
      return;
    }
    if (!this.isInDoubt) this.#syncNow(segment, done);
    else this.#settleDoubts().then(() => this.#syncNow(segment, done), done);
  }

  /** What was being written when a sync failed is in doubt too. */
  async #settleDoubts(): Promise<void> {
    await this.#aside;
    await this.#doubts.settle();
  }

  #syncNow(segment: Segment, done: (error: Error | null) => void): void {
    const fd = segment.writeFd;
    const end = (error: Error | null): void => {
      // Of two syncs of one file, only one is told that something is wrong.
      this.finished().then(() => {
        const removed = this.#removed;
        this.#removed = null;
        done(error ?? this.#doubts.error ?? removed);
      });
    };
    const next = (error: Error | null): void => {
      if (error) end(error);
      else this.#newEntries.sync(end);
    };
    if (fd === -1) return next(null);
    this.#syncingFd = fd;
    segment.beginWrite();
    const { endPos } = segment;
    this.#files.fdatasync(fd, (error) => {
      this.#syncingFd = -1;
      const gone = error ? null : this.#removal(segment, fd);
      if (this.#closeLater === fd) this.#files.closeSync(fd);
      this.#closeLater = -1;
      segment.endWrite(this.#files);
      if (error) this.#doubts.add(segment, error);
      else if (gone) segment.lose(endPos);
      else if (segment.compactions === 0) segment.syncedPos = endPos;
      next(error ?? gone);
    });
  }

  #writeAside(batch: Batch, done: (error: Error | undefined) => void): void {
    const files = this.#files;
    const { segment, pieces } = batch;
    let ended = (): void => {};
    this.#aside = new Promise((resolve) => {
      ended = resolve;
    });
    const finish = (error: Error | undefined): void => {
      this.#aside = undefined;
      segment.endWrite(files);
      done(error);
      ended();
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
    segment.writeFd = this.#open(segment);
    this.#newEntries.add(segment);
  }

  #open(segment: Segment): number {
    const files = this.#files;
    if (this.#spares && this.#spares.length > 0) {
      segment.inUsedFile = true;
      const fd = this.#spares.take(segment.path, segment.header());
      if (fd !== -1) return fd;
      segment.inUsedFile = false;
    }
    const fd = openNew(files, segment.path, 'w+');
    try {
      writeFully(files, fd, segment.header(), 0, SEGMENT_HEADER_SIZE, 0);
    } catch (error) {
      files.closeSync(fd);
      throw error;
    }
    return fd;
  }

  /** What to say if somebody else removed the file. */
  #removal(segment: Segment, fd: number): Error | null {
    return segment.removed || segment.compactions > 0 ? null : removal(this.#files, fd, segment.path);
  }

  /** Syncs a file that nothing more is written to, and closes it. */
  #syncLast(segment: Segment): void {
    const files = this.#files;
    const fd = segment.writeFd;
    segment.writeFd = -1;
    const finished = new Promise<void>((resolve) => {
      files.fdatasync(fd, (error) => {
        this.#finishing.delete(finished);
        const gone = error || segment.isLossKnown ? null : this.#removal(segment, fd);
        if (gone) segment.lose(segment.endPos);
        this.#removed ??= gone;
        if (this.#syncingFd === fd) this.#closeLater = fd;
        else files.closeSync(fd);
        if (error) {
          this.#doubts.add(segment, error);
          this.#logger.warn(`cannot sync ${segment.path}`, { error });
        }
        resolve();
      });
    });
    this.#finishing.add(finished);
  }
}
