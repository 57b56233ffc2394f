import { BrokerError } from '../errors.js';
import { BLOCK_HEADER_SIZE, BLOCK_TARGET } from '../log/block.js';
import { RECORD_OVERHEAD } from '../log/record.js';
import type { Segment } from '../log/segment.js';
import type { Logger } from '../logger.js';
import type { BrokerSettings } from '../settings.js';
import type { Topic } from '../topic.js';
import { CommitTicket } from '../turn.js';
import { Expiry } from './expiry.js';
import { OccasionalLog } from './occasional-log.js';

/** With a limit of bytes, a segment has this part of them, since a whole one goes at a time. */
const SEGMENTS = 8;

/** Bytes of a segment file before the next one is begun. */
export function segmentSize({ maxBytesPerFile, maxTopicBytes }: BrokerSettings): number {
  if (maxTopicBytes === 0) return maxBytesPerFile;
  return Math.min(maxBytesPerFile, Math.ceil(maxTopicBytes / SEGMENTS));
}

/**
 * Bytes that messages published together take in a file at the most. Of two blocks in a row only one may be less than half
 * of what a block is to have, but for those that a buffer's end cut.
 */
function sizeInFile(count: number, bytes: number): number {
  const records = bytes + count * RECORD_OVERHEAD;
  const blocks = Math.min(count, 16 + Math.ceil((3 * records) / BLOCK_TARGET));
  return records + blocks * BLOCK_HEADER_SIZE;
}

/**
 * Whether a message that a channel holds is given up; `attempts` says how often it was delivered, `due`, where it is known,
 * when it is to be (ms since 1970).
 */
export type IsGone = (n: number, attempts: number, due?: number) => boolean;

/**
 * How much a topic may hold, and how old its messages may become.
 *
 * What a publish costs to be checked is one comparison: the log may grow up to a position, the ceiling, which is found
 * anew only when it is reached.
 */
export class TopicLimits {
  /** Messages that were dropped: once for each channel that had yet to finish them, or because none was there. */
  droppedCount = 0;
  readonly #topic: Topic;
  readonly #maxBytes: number;
  readonly #expiry: Expiry | undefined;
  #ceiling = Number.POSITIVE_INFINITY;
  #diskFull: BrokerError | undefined;
  #journalBehind: BrokerError | undefined;
  readonly #refused: OccasionalLog;
  readonly #dropped: OccasionalLog;
  readonly #outdated: OccasionalLog;

  constructor(topic: Topic, logger: Logger) {
    const { maxTopicBytes, maxTopicAge } = topic.settings;
    this.#topic = topic;
    this.#maxBytes = topic.ephemeral || maxTopicBytes === 0 ? Number.POSITIVE_INFINITY : maxTopicBytes;
    if (maxTopicAge > 0) this.#expiry = new Expiry(topic, maxTopicAge, () => this.#dropExpired());
    const note = (what: string) => (count: number) => logger.warn(`TOPIC(${topic.name}): ${what}`, { count });
    this.#refused = new OccasionalLog((count) => {
      const why = this.#blocked?.message ?? 'the topic is full';
      logger.warn(`TOPIC(${topic.name}): messages refused: ${why}`, { count });
    });
    this.#dropped = new OccasionalLog(note('oldest messages dropped, the topic or the disk is full'));
    this.#outdated = new OccasionalLog((count) =>
      logger.info(`TOPIC(${topic.name}): messages dropped, older than --max-topic-age`, { count }),
    );
    this.#recount();
  }

  /** The topic has its messages of before the start. */
  begin(): void {
    this.#recount();
    this.#expiry?.begin();
  }

  /** Why nothing is taken, whatever its size: the disk is too full. Undefined if it is not. */
  set diskFull(error: BrokerError | undefined) {
    if (this.#topic.ephemeral) return;
    this.#diskFull = error;
    this.#recount();
  }

  /** Why nothing is taken: the journal could not be told of a channel, which after a crash would lack its messages. */
  set journalBehind(cause: Error | undefined) {
    if (!cause && !this.#journalBehind) return;
    const words = `the journal of topic '${this.#topic.name}' cannot be written: ${cause?.message}`;
    this.#journalBehind = cause && new BrokerError('E_STORAGE', words, { cause });
    this.#recount();
  }

  /** Messages that had an OK already could not be written. */
  lost(count: number): void {
    this.droppedCount += count;
  }

  /**
   * What becomes of messages that may not be taken, `bytes` of bodies: a ticket that says why. Undefined if they may.
   */
  refuse(count: number, bytes: number): CommitTicket | undefined {
    if (this.#ceiling === Number.POSITIVE_INFINITY) return undefined;
    const size = sizeInFile(count, bytes);
    const error = this.#fits(size) ? undefined : this.#overflow(size);
    if (!error) return undefined;
    this.#refused.add(count);
    const ticket = new CommitTicket();
    ticket.settle(error);
    return ticket;
  }

  /** Messages were written. */
  committed(): void {
    this.#expiry?.published();
    const { log, settings } = this.#topic;
    if (log.endPos <= this.#ceiling || this.#blocked || settings.onLimit === 'reject') return;
    for (;;) {
      this.#recount();
      const { segments, endPos } = this.#topic.log;
      const { first } = segments;
      if (endPos <= this.#ceiling || !first?.sealed || first === segments.last) return;
      this.dropSegment(first);
    }
  }

  /** Whether a message that is given back is not to be delivered again. */
  isGone(n: number, attempts: number, segment: Segment): boolean {
    return segment.removed || (this.#expiry?.isExpired(n, attempts) ?? false);
  }

  /** Counts messages that a channel gave up by itself because `isGone` said so. */
  count(dropped: number): void {
    this.droppedCount += dropped;
  }

  /** Drops all messages up to the end of a finished segment, and its file. What of them is in flight may still be finished. */
  dropSegment(segment: Segment): void {
    const { endN } = segment;
    this.#dropped.add(this.#drop(endN, (n) => n < endN));
    if (!segment.removed) this.#topic.log.removeSegment(segment);
  }

  close(): void {
    this.#expiry?.close();
  }

  /** Why nothing is taken, whatever its size. */
  get #blocked(): BrokerError | undefined {
    return this.#diskFull ?? this.#journalBehind;
  }

  #fits(size: number): boolean {
    const { log } = this.#topic;
    return log.endPos + log.uncommitted + size <= this.#ceiling;
  }

  /** Why a publish of this size cannot be taken; undefined if there is room for it, or room will be made. */
  #overflow(size: number): BrokerError | undefined {
    if (this.#blocked) return this.#blocked;
    const { name, settings, retention } = this.#topic;
    const rejects = settings.onLimit === 'reject';
    if (rejects) {
      retention.reclaim();
      this.#recount();
      if (this.#fits(size)) return undefined;
    } else if (size <= this.#maxBytes) return undefined;
    const what =
      size > this.#maxBytes ? `${size} bytes do not fit` : `topic '${name}' is full, ${this.#used()} bytes`;
    const words = `${what}: --max-topic-bytes is ${this.#maxBytes}`;
    return new BrokerError('E_LIMIT', words);
  }

  #used(): number {
    let used = 0;
    for (const { size } of this.#topic.log.segments) used += size;
    return used;
  }

  #recount(): void {
    if (this.#blocked) this.#ceiling = -1;
    else if (this.#maxBytes === Number.POSITIVE_INFINITY) this.#ceiling = this.#maxBytes;
    else this.#ceiling = this.#topic.log.endPos + this.#maxBytes - this.#used();
  }

  #dropExpired(): void {
    const expiry = this.#expiry!;
    this.#outdated.add(this.#drop(this.#expiredTo(expiry), (...message) => expiry.isExpired(...message)));
    this.#topic.retention.trim();
  }

  /** Of what no channel has got yet, nothing is dropped from the first deferred message on that may still come. */
  #expiredTo(expiry: Expiry): number {
    const { log, pumped } = this.#topic;
    if (expiry.expiredN <= pumped) return expiry.expiredN;
    for (const { n } of log.segments.deferredBetween(pumped, expiry.expiredN)) {
      if (!expiry.isExpired(n, 0)) return n;
    }
    return expiry.expiredN;
  }

  /** Drops what waits below number `to`, and of what channels hold that which is gone; how many messages. */
  #drop(to: number, isGone: IsGone): number {
    const topic = this.#topic;
    let dropped = 0;
    for (const channel of topic.channels.values())
      dropped += channel.drop(Math.min(to, topic.pumped), isGone);
    if (to > topic.pumped) {
      dropped += to - topic.pumped;
      topic.empty(to);
    }
    this.droppedCount += dropped;
    if (dropped > 0) topic.writeJournal();
    return dropped;
  }
}
