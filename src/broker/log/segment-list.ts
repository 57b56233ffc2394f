import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { IdHalves, IdSource } from './id-source.js';
import type { DeferredMark } from './marks.js';
import { Segment, segmentFileName } from './segment.js';

/** A stretch of messages whose ids follow each other. */
interface IdRun {
  firstN: number;
  idHi: number;
  idLo: number;
}

const TWO_32 = 2 ** 32;

/** The segments of one topic's log, in order, and what their headers say about ids. */
export class SegmentList {
  readonly #ids: IdSource;
  readonly #segments: Segment[];
  readonly #runs: IdRun[] = [];
  /** Segments that were removed although some of their messages were in flight: those may still be finished, by their ids. */
  #leaving: Segment[] = [];
  /** The one that was begun last since the start: the next one's ids go on from it. */
  #begun: Segment | undefined;

  /** @param segments those found on disk, in order */
  constructor(ids: IdSource, segments: Segment[]) {
    this.#ids = ids;
    this.#segments = segments;
    for (const segment of segments) this.#addRun(segment);
  }

  get first(): Segment | undefined {
    return this.#segments[0];
  }

  get last(): Segment | undefined {
    return this.#segments.at(-1);
  }

  [Symbol.iterator](): IterableIterator<Segment> {
    return this.#segments[Symbol.iterator]();
  }

  /** Begins the next segment, after all that there are: its first message is to be `firstN`, at `basePos`. No directory: in memory only. */
  begin(directory: string, firstN: number, basePos: number): Segment {
    const last = this.#segments.at(-1);
    const after = last && idOf(last, firstN);
    const { hi, lo } = after && last === this.#begun ? after : this.#ids.next(after);
    const seed = randomInt(2 ** 32);
    const path = directory === '' ? '' : join(directory, segmentFileName(firstN, seed));
    const segment = new Segment(path, firstN, basePos, hi, lo, Date.now(), seed);
    this.#begun = segment;
    this.#segments.push(segment);
    this.#addRun(segment);
    return segment;
  }

  remove(segment: Segment): void {
    const at = this.#segments.indexOf(segment);
    if (at !== -1) this.#segments.splice(at, 1);
    if (segment.outstanding > 0) this.#leaving.push(segment);
    if (at === 0) {
      this.#leaving = this.#leaving.filter(({ outstanding }) => outstanding > 0);
      const first = this.#leaving[0] ?? this.#segments[0];
      const keep = first?.firstN ?? Number.POSITIVE_INFINITY;
      while (this.#runs.length > 1 && this.#runs[1]!.firstN <= keep) this.#runs.shift();
    }
  }

  /** The segment that holds the block at `pos`. */
  at(pos: number): Segment | undefined {
    const segment = this.#find((it) => it.basePos <= pos);
    return segment && pos < segment.endPos ? segment : undefined;
  }

  /** The segment that holds message `n`; undefined if it is gone. */
  of(n: number): Segment | undefined {
    const segment = this.#find((it) => it.firstN <= n);
    return segment && n < segment.endN ? segment : undefined;
  }

  /** The first segment that ends after message `n`. */
  from(n: number): Segment | undefined {
    for (const segment of this.#segments) if (segment.endN > n) return segment;
    return undefined;
  }

  /** Message `n`, or the first one after it whose segment is there; the end if there is none. */
  nextFrom(n: number): number {
    const segment = this.from(n);
    return segment ? Math.max(n, segment.firstN) : (this.last?.endN ?? 0);
  }

  /** The deferred messages from number `from` up to before `to`, in order. */
  *deferredBetween(from: number, to: number): IterableIterator<DeferredMark> {
    let first = this.#segments.length;
    while (first > 0 && this.#segments[first - 1]!.endN > from) first--;
    for (let i = first; i < this.#segments.length; i++) {
      const { deferred } = this.#segments[i]!;
      const end = deferred.indexFrom(to);
      for (let at = deferred.indexFrom(from); at < end; at++) yield deferred.at(at);
    }
  }

  /** The number of the message with this id, -1 if no message here can have it. */
  numberOf(hi: number, lo: number): number {
    // Node ids change: an id that lies far past the last run's may well be of an earlier one.
    let limit = this.#segments.at(-1)?.endN ?? 0;
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i]!;
      const distance = (hi - run.idHi) * TWO_32 + (lo - run.idLo);
      if (distance >= 0 && run.firstN + distance < limit) return run.firstN + distance;
      limit = run.firstN;
    }
    return -1;
  }

  /** The last segment for which `before` holds; it must hold for a first part of them only. */
  #find(before: (segment: Segment) => boolean): Segment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.#segments[middle]!)) low = middle + 1;
      else high = middle;
    }
    return this.#segments[low - 1];
  }

  #addRun(segment: Segment): void {
    const last = this.#runs.at(-1);
    if (last) {
      const distance = (segment.idHi - last.idHi) * TWO_32 + (segment.idLo - last.idLo);
      if (distance === segment.firstN - last.firstN) return;
    }
    this.#runs.push({ firstN: segment.firstN, idHi: segment.idHi, idLo: segment.idLo });
  }
}

/** The id that message `n` has if its ids go on from a segment's. */
function idOf(segment: Segment, n: number): IdHalves {
  const lo = segment.idLo + (n - segment.firstN);
  return { hi: segment.idHi + Math.floor(lo / TWO_32), lo: lo % TWO_32 };
}
