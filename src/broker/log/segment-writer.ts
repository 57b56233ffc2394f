import { dirname } from 'node:path';
import { monotonic } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Batch } from './batch.js';
import { Doubts } from './doubts.js';
import { type Files, writeFully } from './files.js';
import { writeFooter } from './footer.js';
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
  /** A directory that has a new file since the last sync; empty if none has. */
  #newIn = '';

  /** @param inMemory the slab in memory that holds a position */
  constructor({ files, logger, spares }: WriterContext, inMemory: (pos: number) => Slab | undefined) {
    this.#doubts = new Doubts(files, logger, inMemory);
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

  /** Cuts off what a failed write may have left after the segment's end. */
  cutBack(segment: Segment): void {
    if (segment.writeFd === -1) return;
    try {
      this.#files.ftruncateSync(segment.writeFd, segment.fileOffset(segment.endPos));
    } catch (error) {
      // The next commit writes over the same bytes; until then a start would cut them off as a torn end.
      this.#logger.warn(`cannot cut ${segment.path} back`, { error });
    }
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

  /** Puts what is written on stable storage, off the event loop. To be called again only when it is done. */
  sync(segment: Segment, done: (error: Error | null) => void): void {
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
    const directory = this.#newIn;
    this.#newIn = '';
    const end = (error: Error | null): void => {
      if (error && directory !== '') this.#newIn = directory;
      // Of two syncs of one file, only one is told that something is wrong.
      this.finished().then(() => done(error ?? this.#doubts.error ?? null));
    };
    const next = (error: Error | null): void => {
      if (error || directory === '') end(error);
      else this.#syncDirectory(directory, end);
    };
    if (fd === -1) return next(null);
    this.#syncingFd = fd;
    segment.beginWrite();
    const { endPos } = segment;
    this.#files.fdatasync(fd, (error) => {
      this.#syncingFd = -1;
      if (this.#closeLater === fd) this.#files.closeSync(fd);
      this.#closeLater = -1;
      segment.endWrite(this.#files);
      if (error) this.#doubts.add(segment, error);
      else if (segment.compactions === 0) segment.syncedPos = endPos;
      next(error);
    });
  }

  /** Makes the entries of a topic's directory durable, and its own in the directory above. */
  #syncDirectory(path: string, done: (error: Error | null) => void): void {
    const one = (at: string, then: (error: Error | null) => void): void => {
      let fd: number;
      try {
        fd = this.#files.openSync(at, 'r');
      } catch (error) {
        return then(error instanceof Error ? error : new Error(String(error)));
      }
      this.#files.fdatasync(fd, (error) => {
        this.#files.closeSync(fd);
        then(error);
      });
    };
    one(path, (error) => (error ? done(error) : one(dirname(path), done)));
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
    const files = this.#files;
    this.#newIn = dirname(segment.path);
    if (this.#spares && this.#spares.length > 0) {
      segment.inUsedFile = true;
      segment.writeFd = this.#spares.take(segment.path, segment.header());
      if (segment.writeFd !== -1) return;
      segment.inUsedFile = false;
    }
    const fd = files.openSync(segment.path, 'w+');
    try {
      writeFully(files, fd, segment.header(), 0, SEGMENT_HEADER_SIZE, 0);
    } catch (error) {
      files.closeSync(fd);
      throw error;
    }
    segment.writeFd = fd;
  }

  /** Syncs a file that nothing more is written to, and closes it. */
  #syncLast(segment: Segment): void {
    const files = this.#files;
    const fd = segment.writeFd;
    segment.writeFd = -1;
    const finished = new Promise<void>((resolve) => {
      files.fdatasync(fd, (error) => {
        this.#finishing.delete(finished);
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
