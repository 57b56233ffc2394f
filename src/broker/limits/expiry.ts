import { TIMESTAMP_OFFSET } from '../../protocol/message.js';
import { monotonic } from '../clock.js';
import { Cursor, type CursorOwner } from '../delivery/cursor.js';
import { Deadline } from '../scheduler.js';
import type { Topic } from '../topic.js';

/** Messages are dropped at most this part of their age late, and it is looked after them this often (ms). */
const FINENESS = 256;
const SHORTEST_TICK = 5;
const LONGEST_TICK = 1000;
/** Records that are looked at in one turn. */
const STRIDE = 5000;
const TWO_32 = 2 ** 32;
const NS_PER_MS = 1e6;

/** Messages below number `n` were published at `at` (monotonic, ms) or before. */
interface Mark {
  readonly n: number;
  readonly at: number;
}

/**
 * Finds out which messages of a topic are too old. Those published since the start show by the time of their commit; of
 * those that were there before, the records are read one after the other as they expire.
 *
 *     log   [ expired | found at the start, read | published since: marks ]
 *                     ▲ expiredN                 ▲ startN
 */
export class Expiry {
  /** Messages below this number were published too long ago. */
  expiredN = 0;
  readonly #topic: Topic;
  readonly #age: number;
  readonly #expired: () => void;
  readonly #tick: number;
  readonly #deadline = new Deadline(() => this.#check());
  #marks: Mark[] = [];
  /** What was committed last: the mark of all that there is. */
  #last: Mark;
  #startN: number;
  #reader: Cursor | undefined;

  /**
   * @param age ms from publication on; of a deferred message, from its due time on
   * @param expired is told from time to time that there may be something to drop
   */
  constructor(topic: Topic, age: number, expired: () => void) {
    this.#topic = topic;
    this.#age = age;
    this.#expired = expired;
    this.#tick = Math.min(Math.max(age / FINENESS, SHORTEST_TICK), LONGEST_TICK);
    this.#startN = topic.log.endN;
    this.#last = { n: topic.log.endN, at: monotonic() };
  }

  /** Looks at the messages that were found at the start. Those of whole segments that are too old go at once. */
  begin(): void {
    const { segments, endN } = this.#topic.log;
    this.#last = { n: endN, at: monotonic() };
    const oldest = Date.now() - this.#age;
    let before = segments.first;
    for (const segment of segments) {
      // The one that the next messages go to may begin later: numbers that were lost are not given again.
      if (segment.endN > segment.firstN) this.#startN = segment.endN;
      // All that stands before a segment was published before it was begun.
      if (before && segment !== before && segment.created <= oldest) this.expiredN = before.endN;
      before = segment;
    }
    if (segments.first && segments.first.firstN < this.#startN) this.#check();
  }

  /** Messages were committed. */
  published(): void {
    const now = monotonic();
    const last = this.#last;
    const lastMarkAt = this.#marks.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
    if (last.n > this.#startN && last.at - lastMarkAt >= this.#tick) this.#marks.push(last);
    this.#last = { n: this.#topic.log.endN, at: now };
    if (this.#deadline.index === -1) this.#arm(now + this.#age);
  }

  /** Whether a message is not to be delivered any more; `attempts` says how often it was, `due` when it is, if known. */
  isExpired(n: number, attempts: number, due?: number): boolean {
    if (n >= this.expiredN) return false;
    if (attempts > 0) return true;
    const begin = due ?? this.#topic.log.segments.of(n)?.deferred.dueOf(n);
    return begin === undefined || begin + this.#age <= Date.now();
  }

  close(): void {
    this.#topic.scheduler.disarm(this.#deadline);
    this.#stopReading();
  }

  #check(): void {
    if (this.#topic.closed) return;
    if (this.expiredN < this.#startN) this.#read();
    else this.#advance();
    this.#expired();
  }

  #advance(): void {
    const oldest = monotonic() - this.#age;
    let passed = 0;
    while (passed < this.#marks.length && this.#marks[passed]!.at <= oldest) passed++;
    if (passed > 0) this.expiredN = this.#marks[passed - 1]!.n;
    this.#marks.splice(0, passed);
    if (this.#last.at <= oldest) this.expiredN = this.#last.n;
    const next = this.#marks[0] ?? (this.#last.n > this.expiredN ? this.#last : undefined);
    if (next) this.#arm(next.at + this.#age);
    else if (this.#isSomethingHeld()) this.#arm(0);
  }

  /** A deferred message is too old some time after it is due only. */
  #isSomethingHeld(): boolean {
    for (const { depth, deferredCount } of this.#topic.channels.values()) {
      if (depth + deferredCount > 0) return true;
    }
    return false;
  }

  /** Reads records of before the start, up to the first one that is not too old. */
  #read(): void {
    this.#reader ??= this.#newReader();
    const reader = this.#reader;
    const now = Date.now();
    let left = STRIDE;
    let isYoung = false;
    while (left > 0 && reader.open(this.#startN)) {
      const due = timeOf(reader.buf, reader.at) + this.#age;
      if (due > now) {
        this.#arm(monotonic() + due - now);
        isYoung = true;
        break;
      }
      reader.advance(1, reader.endOf(1));
      left--;
    }
    this.expiredN = reader.n;
    if (left === 0) {
      this.#stopReading();
      setImmediate(() => this.#check());
    } else if (reader.n >= this.#startN) {
      this.#stopReading();
      this.#advance();
    } else if (isYoung) this.#stopReading();
  }

  #newReader(): Cursor {
    const { log, retention } = this.#topic;
    const owner: CursorOwner = {
      passedDeferred: () => {},
      passedLost: () => {},
      leftSlab: (slab) => retention.slabPassed(slab),
      loaded: (found) => {
        if (found) this.#check();
        else this.#arm(monotonic() + LONGEST_TICK);
      },
    };
    return new Cursor(log, owner, Math.max(this.expiredN, log.segments.first?.firstN ?? 0));
  }

  /** What it has read is let go of: it may be a long time until the next message is too old. */
  #stopReading(): void {
    this.#reader?.release();
    this.#reader = undefined;
  }

  #arm(at: number): void {
    if (this.#topic.closed) return;
    const soonest = monotonic() + this.#tick;
    this.#topic.scheduler.arm(this.#deadline, Math.max(at, soonest));
  }
}

/** When a record was published, ms since 1970. */
function timeOf(buf: Buffer, at: number): number {
  const hi = buf.readUInt32BE(at + TIMESTAMP_OFFSET);
  const lo = buf.readUInt32BE(at + TIMESTAMP_OFFSET + 4);
  return (hi * TWO_32 + lo) / NS_PER_MS;
}
