import type { Files } from './files.js';
import { SEGMENT_HEADER_SIZE, type Segment } from './segment.js';

/** Bytes that are prepared at once, and where such stretches begin. */
const STRETCH = 1024 * 1024;
/** A segment is prepared once it has this many bytes: a topic of little traffic stays small. */
const WORTHWHILE = STRETCH;
/** So much is kept ready ahead of the end. */
const AHEAD = 2 * STRETCH;
const ZEROS = Buffer.alloc(STRETCH);

/**
 * Fills the file ahead of a busy log's end with zeros, off the event loop. Writing over pages that are there already
 * costs a quarter of making new ones, so that a commit can be written at once, on the event loop. A start cuts the zeros
 * off with the torn end.
 *
 *     file  [ blocks ......... | zeros ........ | being filled |
 *                        end ──┘     prepared ──┘
 */
export class Preparer {
  readonly #files: Files;
  readonly #limit: number;
  #segment: Segment | undefined;
  /** File offset up to which the file is filled. */
  #prepared = 0;
  /** File offset from which it is being filled; Infinity if it is not. */
  #busyFrom = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];

  /** @param limit bytes of a segment after which no more is prepared */
  constructor(files: Files, limit: number) {
    this.#files = files;
    this.#limit = limit;
  }

  /** Whether the file is ready up to this offset. */
  covers(segment: Segment, end: number): boolean {
    return segment === this.#segment && end <= this.#prepared;
  }

  /** Whether a write up to this offset must wait, lest zeros come to lie over it. */
  conflicts(segment: Segment, end: number): boolean {
    return segment === this.#segment && end > this.#busyFrom;
  }

  /** Calls back when nothing is being filled. */
  whenIdle(done: () => void): void {
    if (this.#busyFrom === Number.POSITIVE_INFINITY) done();
    else this.#waiting.push(done);
  }

  /** What was ready may not be any more. */
  reset(): void {
    this.#prepared = 0;
  }

  /** The segment was written up to its end: fills the next stretch if it is time to. */
  advance(segment: Segment): void {
    if (this.#busyFrom !== Number.POSITIVE_INFINITY || segment.size < WORTHWHILE || segment.writeFd === -1)
      return;
    if (segment !== this.#segment) {
      this.#segment = segment;
      this.#prepared = 0;
    }
    const end = SEGMENT_HEADER_SIZE + segment.size;
    if (this.#prepared - end >= AHEAD) return;
    const from = Math.max(this.#prepared, Math.ceil(end / STRETCH) * STRETCH);
    if (from >= this.#limit) return;
    this.#busyFrom = from;
    segment.beginWrite();
    this.#files.write(segment.writeFd, ZEROS, 0, STRETCH, from, (error, bytes) => {
      this.#busyFrom = Number.POSITIVE_INFINITY;
      if (!error && bytes === STRETCH) this.#prepared = from + STRETCH;
      segment.endWrite(this.#files);
      for (const done of this.#waiting.splice(0)) done();
    });
  }
}
