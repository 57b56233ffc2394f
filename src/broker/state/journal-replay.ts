import { BrokerError } from '../errors.js';
import type { Logger } from '../logger.js';
import { areEntriesGood, batchHeaderAt, nextBatch } from './journal-batch.js';
import { readEntries } from './journal-entries.js';
import { TopicState } from './topic-state.js';

/**
 * What a journal begins with; batches follow. A later version must have other batches too: a journal of which only these
 * bytes are damaged is read all the same.
 */
export const JOURNAL_MAGIC = 'NSQJNL01';
const MAGIC_OF_ANY_VERSION = /^NSQJNL\d\d$/;

/**
 * Replays a journal; undefined if no snapshot of it is readable. A torn end is not counted.
 *
 * A damaged batch is left out and those after it count: positions and finished messages are said anew by later batches or
 * make messages come again at the worst, and what is about channels stands there twice.
 *
 * @throws BrokerError E_FORMAT if a later version wrote it
 */
export function replay({ path, buf }: { path: string; buf: Buffer }, logger: Logger): TopicState | undefined {
  const state = new TopicState();
  const damage = new Damage();
  let next = 0;
  for (let at = Math.min(JOURNAL_MAGIC.length, buf.length); at < buf.length; ) {
    const header = batchHeaderAt(buf, at);
    if (!header) {
      const found = nextBatch(buf, at + 1);
      damage.add(at, found);
      at = found;
      continue;
    }
    if (!areEntriesGood(buf, header)) damage.add(at, Math.min(header.to, buf.length));
    else if (header.sequence >= next) {
      // Without its snapshot a journal says nothing.
      if (next === 0 && header.sequence > 0) break;
      damage.passed(header.sequence - next);
      readEntries(buf.subarray(header.from, header.to), state);
      next = header.sequence + 1;
    } else damage.passed(0);
    at = Math.min(header.to, buf.length);
  }
  if (next === 0) {
    const magic = buf.toString('latin1', 0, JOURNAL_MAGIC.length);
    const isOurs =
      magic === JOURNAL_MAGIC || !MAGIC_OF_ANY_VERSION.test(magic) || nextBatch(buf, 0) < buf.length;
    if (isOurs) return undefined;
    throw new BrokerError('E_FORMAT', `${path} was written by a later version`);
  }
  damage.report(path, logger);
  return state;
}

/** Damaged stretches of a journal, and the batches that are missing for them. */
class Damage {
  #stretches: { at: number; bytes: number; missing: number }[] = [];
  /** How many of them have good batches behind them: what comes after the last of those is a torn end. */
  #inside = 0;

  add(from: number, to: number): void {
    this.#stretches.push({ at: from, bytes: to - from, missing: 0 });
  }

  /** A good batch follows, and so many before it are missing. */
  passed(missing: number): void {
    const last = this.#stretches.at(-1);
    if (last) last.missing += missing;
    this.#inside = this.#stretches.length;
  }

  report(path: string, logger: Logger): void {
    for (const { at, bytes, missing } of this.#stretches.slice(0, this.#inside)) {
      const what =
        missing === 0 ? 'nothing is missing for it' : 'messages that were finished then may come again';
      logger.error(`damaged part of a journal skipped: ${bytes} bytes at ${at} of ${path}; ${what}`);
    }
    const torn = this.#stretches.slice(this.#inside).reduce((sum, { bytes }) => sum + bytes, 0);
    if (torn > 0) logger.warn(`torn end not counted: ${torn} bytes of ${path}`);
  }
}
