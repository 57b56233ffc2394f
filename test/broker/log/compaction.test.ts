import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Held, HeldQueue } from '../../../src/broker/delivery/held.js';
import { COMPACTED_SUFFIX } from '../../../src/broker/log/compaction.js';
import { RECORD_OVERHEAD } from '../../../src/broker/log/record.js';
import type { Segment } from '../../../src/broker/log/segment.js';
import type { TopicLog } from '../../../src/broker/log/topic-log.js';
import {
  append,
  appendBatch,
  appendDeferred,
  commit,
  LoggerNotes,
  openLog,
  readAll,
} from './support/logs.js';
import { type Fault, type FaultableCall, fileError, MemoryFiles } from './support/memory-files.js';

interface Written {
  files: MemoryFiles;
  log: TopicLog;
  bodies: Map<number, string>;
  first: Segment;
}

/** A log of one finished segment and another one; `sizes` are those of the first one's bodies. */
async function write(
  sizes: readonly number[],
  cacheSize: number,
  logger = new LoggerNotes(),
): Promise<Written> {
  const files = new MemoryFiles();
  const writing = openLog(files);
  const bodies = new Map<number, string>();
  const bodyOf = (size: number): string => `${bodies.size} ${'x'.repeat(size)}`;
  for (const [i, size] of sizes.entries()) {
    const kind = i % 3;
    const batch = Array.from({ length: kind === 1 ? 5 : 1 }, (_, at) => {
      const body = bodyOf(size + at);
      bodies.set(writing.nextN + at, body);
      return body;
    });
    if (kind === 0) append(writing, batch[0]!);
    else if (kind === 1) appendBatch(writing, batch);
    else appendDeferred(writing, batch[0]!, 1e12 + i);
    if (i % 4 === 0) await commit(writing);
  }
  await commit(writing);
  await writing.close();
  const log = openLog(files, { cacheSize, logger });
  const first = log.segments.first!;
  append(log, 'of the next file');
  bodies.set(log.nextN - 1, 'of the next file');
  await commit(log);
  return { files, log, bodies, first };
}

/** Reads messages as a channel does that is to send them again. */
async function readHeld(log: TopicLog, numbers: readonly number[]): Promise<(string | undefined)[]> {
  let wake = (): void => {};
  const queue = new HeldQueue(
    log,
    () => wake(),
    ({ n }) => found.set(n, undefined),
  );
  const found = new Map<number, string | undefined>();
  for (const n of numbers) queue.push(new Held(n, 1, log.segments.of(n)!));
  while (queue.length > 0) {
    const loaded = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const it = queue.take();
    if (it) found.set(it.held.n, it.slab.buf.toString('latin1', it.start + RECORD_OVERHEAD, it.end));
    else if (queue.length > 0) await loaded;
  }
  queue.clear();
  return numbers.map((n) => found.get(n));
}

const sizes = fc.array(fc.oneof(fc.nat(50), fc.nat(30_000), fc.constantFrom(70_000, 300_000)), {
  minLength: 1,
  maxLength: 30,
});

test('what is kept of a segment is read as before, now and after a start, and the rest is gone', async () => {
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.infiniteStream(fc.nat(99)),
      fc.constantFrom(10, 50, 100),
      fc.constantFrom(0, 1e9),
      fc.boolean(),
      async (bodySizes, dice, percent, cacheSize, twice) => {
        const { files, log, bodies, first } = await write(bodySizes, cacheSize);
        const inFirst = [...bodies.keys()].filter((n) => n < first.endN);
        let keep = inFirst.filter(() => dice.next().value < percent);
        const deferred = [...log.segments.deferredBetween(0, log.endN)];
        await log.compact(first, keep);
        if (twice) {
          keep = keep.filter((_, i) => i % 2 === 0);
          await log.compact(first, keep);
        }
        expect(first.messages).toBe(keep.length);
        const kept = keep.map((n) => bodies.get(n));
        expect(await readHeld(log, keep)).toEqual(kept);
        expect(await readHeld(log, [...keep].reverse())).toEqual([...kept].reverse());

        const again = openLog(files.clone());
        expect(again.endN).toBe(log.endN);
        expect(await readHeld(again, keep)).toEqual(kept);
        expect([...again.segments.deferredBetween(0, again.endN)]).toEqual(
          deferred.filter(({ n }) => keep.includes(n)),
        );
        expect((await readAll(again, first.endN)).bodies).toEqual(
          new Map([[first.endN, 'of the next file']]),
        );
        const left = files.get(first.path).length;
        expect(left).toBeLessThan(kept.reduce((sum, body) => sum + body!.length + 100, 1000));
      },
    ),
    { numRuns: 40 },
  );
});

test.each([0, 1e9])(
  'what is damaged and so left out is told of once, with file, offset and messages',
  async (cacheSize) => {
    const logger = new LoggerNotes();
    const { files, log, bodies, first } = await write([70_000, 10, 20, 70_000, 30, 40], cacheSize, logger);
    // Commits end after message 0 and after the batch of 11 to 15: 7 is a block of its own, too large for others.
    const bytes = files.get(first.path);
    const at = bytes.indexOf(`7 ${'x'.repeat(100)}`);
    bytes[at]! ^= 1;
    const all = [...bodies.keys()].filter((n) => n < first.endN);
    const lost = new Set([7]);
    files.fault = (call) => (call === 'rename' ? fileError('EIO') : undefined);
    await expect(log.compact(first, all)).rejects.toThrow('EIO');
    expect(logger.lines).toEqual([]);
    files.fault = () => undefined;
    await log.compact(first, all);
    expect(logger.lines).toEqual([
      expect.stringMatching(
        new RegExp(`^error damaged block left out: \\d+ bytes at \\d+ of ${first.path}, 1 messages`),
      ),
    ]);
    expect(first.messages).toBe(all.length - 1);
    await log.compact(first, all);
    expect(logger.lines).toHaveLength(1);
    expect(await readHeld(log, all)).toEqual(all.map((n) => (lost.has(n) ? undefined : bodies.get(n))));
  },
);

test('a compacted file without its footer is read block by block', async () => {
  const { files, log, bodies, first } = await write([10, 20, 30, 40_000, 50, 60], 0);
  const keep = [0, 2, 3, 6, 8];
  await log.compact(first, keep);
  const bytes = files.get(first.path);
  files.put(first.path, bytes.subarray(0, bytes.length - 1));
  const again = openLog(files);
  expect(await readHeld(again, keep)).toEqual(keep.map((n) => bodies.get(n)));
});

test('an error at any call leaves the segment as it was, and no other file', async () => {
  for (let at = 0; ; at++) {
    const { files, log, bodies, first } = await write([10, 20_000, 30, 300_000, 50, 60], 0);
    const keep = [...bodies.keys()].filter((n) => n < first.endN && n % 3 !== 1);
    let calls = 0;
    let failed: FaultableCall | undefined;
    files.fault = (call: FaultableCall): Fault => {
      if (call === 'close' || call === 'unlink' || failed || calls++ < at) return undefined;
      failed = call;
      return fileError('EIO');
    };
    const error = await log.compact(first, keep).then(
      () => undefined,
      (it: unknown) => it,
    );
    files.fault = () => undefined;
    expect(error === undefined).toBe(failed === undefined);
    expect(files.paths().filter((path) => path.endsWith(COMPACTED_SUFFIX))).toEqual([]);
    const wanted = failed ? [...bodies.keys()] : keep;
    expect(await readHeld(log, wanted)).toEqual(wanted.map((n) => bodies.get(n)));
    expect(await readHeld(openLog(files), wanted)).toEqual(wanted.map((n) => bodies.get(n)));
    if (failed) continue;
    expect(at).toBeGreaterThan(8);
    return;
  }
});

test('what a crash left half written is removed by the next start', async () => {
  const { files, log, bodies, first } = await write([10, 20, 30], 0);
  files.put(`${first.path}${COMPACTED_SUFFIX}`, Buffer.from('half'));
  const again = openLog(files);
  expect(files.paths()).toEqual([...log.segments].map(({ path }) => path));
  expect((await readAll(again)).lost).toBe(0);
  expect(await readHeld(again, [6])).toEqual([bodies.get(6)]);
});

test('a log that is closed meanwhile keeps the file that it has', async () => {
  const { files, log, bodies, first } = await write([10, 20, 30], 0);
  const compacting = log.compact(first, [0]);
  log.abandon();
  await compacting;
  expect(files.paths()).toEqual([...log.segments].map(({ path }) => path));
  expect(await readHeld(openLog(files), [6])).toEqual([bodies.get(6)]);
});
