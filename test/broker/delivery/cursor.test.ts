import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Cursor } from '../../../src/broker/delivery/cursor.js';
import { recordLength } from '../../../src/broker/log/record.js';
import type { TopicLog } from '../../../src/broker/log/topic-log.js';
import { append, appendBatch, appendDeferred, commit, LoggerNotes, openLog } from '../log/support/logs.js';
import { fileError, MemoryFiles } from '../log/support/memory-files.js';
import { bodyAt, type DiskLogOptions, diskLog } from './support/disk-log.js';

/** A cursor, and what it said. */
class Reader {
  readonly cursor: Cursor;
  readonly deferred: number[] = [];
  readonly lost: [number, number][] = [];
  readonly #log: TopicLog;
  #loaded: (found: boolean) => void = () => {};

  constructor(log: TopicLog, from = 0) {
    this.#log = log;
    this.cursor = new Cursor(
      log,
      {
        passedDeferred: (n) => this.deferred.push(n),
        passedLost: (first, to) => this.lost.push([first, to]),
        leftSlab: () => {},
        loaded: (found) => this.#loaded(found),
      },
      from,
    );
  }

  /** Resolves when a read that is under way ends. */
  loading(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#loaded = resolve;
    });
  }

  /** As `cursor.open`, waiting for what must be read. */
  async open(limit = this.#log.endN): Promise<boolean> {
    for (;;) {
      const loaded = this.loading();
      if (this.cursor.open(limit)) return true;
      if (this.cursor.n >= limit) return false;
      expect(await loaded).toBe(true);
    }
  }

  /** Takes the next message: its number and body. */
  async next(limit?: number): Promise<[number, string] | undefined> {
    if (!(await this.open(limit))) return undefined;
    const { cursor } = this;
    const { n, at, buf } = cursor;
    cursor.advance(1, at + recordLength(buf, at));
    return [n, bodyAt(buf, at)];
  }

  async rest(): Promise<string[]> {
    const bodies: string[] = [];
    for (let it = await this.next(); it; it = await this.next()) bodies.push(it[1]);
    return bodies;
  }
}

const LARGE = 'x'.repeat(20_000);

/** Commits of one message, of batches within and over a block, and of deferred ones. What is to be handed out. */
async function fill(log: TopicLog): Promise<Map<number, string>> {
  const bodies = new Map<number, string>();
  for (let round = 0; round < 12; round++) {
    const small = Array.from({ length: 5 }, (_, i) => `small ${round}.${i}`);
    const large = Array.from({ length: 6 }, (_, i) => `${LARGE} ${round}.${i}`);
    let n = log.nextN;
    for (const body of [...small, ...large]) bodies.set(n++, body);
    appendBatch(log, small);
    appendBatch(log, large);
    appendDeferred(log, 'later', Date.now() + 1e6);
    if (round % 3 === 0) appendDeferred(log, 'later too', Date.now() + 1e6);
    bodies.set(log.nextN, `single ${round}`);
    append(log, `single ${round}`);
    expect(await commit(log)).toBeUndefined();
  }
  return bodies;
}

const LOGS: [string, DiskLogOptions][] = [
  ['in memory', {}],
  ['in small files', { maxBytesPerFile: 50_000 }],
  ['read back from disk', { cacheSize: 0 }],
  ['read back from small files', { cacheSize: 0, maxBytesPerFile: 50_000 }],
];

describe.each(LOGS)('Cursor over a log %s', (_name, options) => {
  it('hands out every message in order, and passes the deferred ones', async () => {
    const log = diskLog(options);
    const bodies = await fill(log);
    const reader = new Reader(log);
    expect(await reader.rest()).toEqual([...bodies.values()]);
    const all = Array.from({ length: log.endN }, (_, n) => n);
    expect(reader.deferred).toEqual(all.filter((n) => !bodies.has(n)));
    expect(reader.lost).toEqual([]);
  });

  it('follows the log as it grows', async () => {
    const log = diskLog(options);
    const reader = new Reader(log);
    expect(await reader.next()).toBeUndefined();
    for (let i = 0; i < 50; i++) {
      append(log, i % 10 === 0 ? LARGE : `body ${i}`);
      await commit(log);
      expect(await reader.next()).toEqual([i, i % 10 === 0 ? LARGE : `body ${i}`]);
      expect(await reader.next()).toBeUndefined();
    }
  });

  it('goes to any message ahead, and stops at any limit', async () => {
    const log = diskLog(options);
    const bodies = await fill(log);
    const step = fc.record({
      jump: fc.nat({ max: 30 }),
      limit: fc.nat({ max: 12 }),
      take: fc.nat({ max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.nat({ max: log.endN }), async (steps, start) => {
        const reader = new Reader(log, start);
        let n = start;
        for (const { jump, limit, take } of steps) {
          if (jump > 20 && n + jump - 20 <= log.endN) {
            n += jump - 20;
            reader.cursor.seek(n);
            expect(reader.cursor.n).toBe(n);
          }
          const end = Math.min(n + limit, log.endN);
          for (let i = 0; i < take; i++) {
            while (n < end && !bodies.has(n)) n++;
            const got = await reader.next(end);
            expect(got).toEqual(n < end ? [n, bodies.get(n)] : undefined);
            if (got) n++;
          }
        }
        reader.cursor.release();
      }),
      { numRuns: 25 },
    );
  });
});

describe('Cursor', () => {
  it('takes several messages of a block at once, up to its end', async () => {
    const log = diskLog();
    appendBatch(log, ['a', 'bb', 'ccc', 'dddd']);
    await commit(log);
    const { cursor } = new Reader(log);
    expect(cursor.open(4)).toBe(true);
    expect(cursor.left).toBe(4);
    const two = cursor.endOf(2);
    expect([bodyAt(cursor.buf, cursor.at), bodyAt(cursor.buf, two)]).toEqual(['a', 'ccc']);
    cursor.advance(2, two);
    expect([cursor.n, cursor.left, bodyAt(cursor.buf, cursor.at)]).toEqual([2, 2, 'ccc']);
    cursor.advance(2, cursor.endOf(2));
    expect([cursor.n, cursor.open(4)]).toEqual([4, false]);
  });

  it('sees nothing of what is not committed', async () => {
    const log = diskLog();
    append(log, 'a');
    const reader = new Reader(log);
    expect(await reader.next()).toBeUndefined();
    await commit(log);
    append(log, 'b');
    expect(await reader.rest()).toEqual(['a']);
    await commit(log);
    expect(await reader.rest()).toEqual(['b']);
  });

  it('says what is lost with a segment that is gone, and goes on after it', async () => {
    const log = diskLog({ maxBytesPerFile: 1 });
    for (const body of ['a', 'b', 'c', 'd']) {
      append(log, body);
      await commit(log);
    }
    const [, second, third] = log.segments;
    log.removeSegment(second!);
    log.removeSegment(third!);
    const reader = new Reader(log, 1);
    expect(await reader.rest()).toEqual(['d']);
    expect(reader.lost).toEqual([[1, 3]]);
  });

  it('reads on from the slab it holds although that is gone from memory', async () => {
    const log = diskLog();
    appendBatch(log, ['a', 'b']);
    await commit(log);
    const reader = new Reader(log);
    expect(await reader.next()).toEqual([0, 'a']);
    log.dropSlab(reader.cursor.slab);
    expect(await reader.next()).toEqual([1, 'b']);
  });

  it('leaves a slab for good once', async () => {
    const log = diskLog();
    append(log, 'a');
    await commit(log);
    let left = 0;
    const owner = { passedDeferred() {}, passedLost() {}, leftSlab: () => left++, loaded() {} };
    const cursor = new Cursor(log, owner, 0);
    expect(cursor.open(1)).toBe(true);
    cursor.release();
    cursor.release();
    expect(left).toBe(1);
  });
});

test('a segment of which nothing could be kept is passed', async () => {
  const files = new MemoryFiles();
  const writing = openLog(files);
  appendBatch(writing, ['a', 'b', 'c']);
  await commit(writing);
  await writing.close();
  const log = openLog(files);
  append(log, 'last');
  await commit(log);
  const first = log.segments.first!;
  const reader = new Reader(log);
  expect(await reader.next()).toEqual([0, 'a']);
  await log.compact(first, []);
  expect(await reader.rest()).toEqual(['b', 'c', 'last']);
  const late = new Reader(log, 1);
  expect(await late.rest()).toEqual(['last']);
  expect(late.lost).toEqual([[1, 3]]);
});

test('a compaction under a cursor that is not where a channel reads hides nothing from it', async () => {
  const sizes = fc.array(fc.constantFrom(10, 3000, 70_000, 300_000), { minLength: 5, maxLength: 25 });
  const keeps = fc.infiniteStream(fc.boolean());
  const stops = fc.array(fc.nat(12), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(sizes, keeps, stops, fc.boolean(), async (list, keep, steps, fails) => {
      const files = new MemoryFiles();
      const writing = openLog(files);
      for (const [i, size] of list.entries()) {
        if (i % 5 === 4) appendDeferred(writing, `${i}`.padEnd(size), 1e12);
        else append(writing, `${i}`.padEnd(size));
        if (i % 3 === 0) await commit(writing);
      }
      await commit(writing);
      await writing.close();
      const logger = new LoggerNotes();
      const log = openLog(files, { cacheSize: 0, logger });
      append(log, `${list.length}`);
      await commit(log);
      const first = log.segments.first!;
      const reader = new Reader(log);
      const seen: number[] = [];
      let kept = list.map((_, n) => n);
      for (const step of steps) {
        for (let i = 0; i < step; i++) {
          const next = await reader.next();
          if (next) seen.push(Number(next[1]));
        }
        files.fault = (call) => (fails && call === 'readAside' ? fileError('EIO') : undefined);
        if (!reader.cursor.open(log.endN) && reader.cursor.n < log.endN) await reader.loading();
        files.fault = () => undefined;
        kept = kept.filter((n) => n >= reader.cursor.n || keep.next().value);
        kept = kept.filter((n) => n % 4 === 0 || keep.next().value);
        await log.compact(first, kept);
      }
      for (const body of await reader.rest()) seen.push(Number(body));
      const passed = new Set([...seen, ...reader.deferred, list.length]);
      expect(kept.filter((n) => !passed.has(n))).toEqual([]);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect(logger.lines.filter((line) => line.includes('damaged'))).toEqual([]);
      reader.cursor.release();
    }),
    { numRuns: 150 },
  );
});
