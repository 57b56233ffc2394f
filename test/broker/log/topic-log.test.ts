import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Slab } from '../../../src/broker/log/slab.js';
import {
  append,
  appendBatch,
  appendDeferred,
  batchBody,
  commit,
  openLog,
  readAll,
  STAMP,
} from './support/logs.js';
import { MemoryFiles } from './support/memory-files.js';

type Act =
  | { kind: 'append'; size: number }
  | { kind: 'batch'; sizes: number[] }
  | { kind: 'deferred'; size: number }
  | { kind: 'commit' }
  | { kind: 'reopen'; clean: boolean };

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 150_000 }) },
);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), size }),
  fc.record({ kind: fc.constant('batch' as const), sizes: fc.array(size, { minLength: 1, maxLength: 40 }) }),
  fc.record({ kind: fc.constant('deferred' as const), size: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ kind: fc.constant('commit' as const) }),
  fc.record({ kind: fc.constant('commit' as const) }),
  fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }),
);

/** A body that tells its number and shows any wrong byte. */
function body(n: number, length: number): string {
  return `${n}:`.padEnd(length, String.fromCharCode(97 + (n % 26)));
}

test('what is committed is read back whole and in order, over segments, restarts and a cache of any size', async () => {
  const options = fc.record({
    maxBytesPerFile: fc.constantFrom(1000, 100_000, 10_000_000),
    cacheSize: fc.constantFrom(0, 300_000, 100_000_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), options, async (acts, how) => {
      const files = new MemoryFiles();
      let log = openLog(files, how);
      let expected: (string | undefined)[] = [];
      let pending: (string | undefined)[] = [];
      for (const it of acts) {
        const n = expected.length + pending.length;
        if (it.kind === 'append') {
          pending.push(body(n, it.size));
          append(log, body(n, it.size));
        } else if (it.kind === 'batch') {
          const bodies = it.sizes.map((length, i) => body(n + i, length));
          pending.push(...bodies);
          appendBatch(log, bodies);
        } else if (it.kind === 'deferred') {
          pending.push(undefined);
          appendDeferred(log, body(n, it.size), 12345);
        } else if (it.kind === 'commit') {
          expect(await commit(log)).toBeUndefined();
          expected = [...expected, ...pending];
          pending = [];
        } else {
          if (it.clean) {
            await commit(log);
            expected = [...expected, ...pending];
            await log.close();
            expect(files.openCount).toBe(0);
          }
          // Without a clean end it is as after a kill: what was not committed is nowhere.
          log.abandon();
          while (files.pending.length > 0) await new Promise(setImmediate);
          pending = [];
          log = openLog(files, how);
        }
        expect(log.endN).toBe(expected.length);
      }
      const { bodies, lost, deferred, stuck, ids } = await readAll(log);
      expect({ lost, stuck }).toEqual({ lost: 0, stuck: false });
      const wanted = expected.flatMap((it, n) => (it === undefined ? [] : [[n, it]]));
      expect([...bodies]).toEqual(wanted);
      expect(deferred).toEqual(expected.flatMap((it, n) => (it === undefined ? [n] : [])));
      expect([...ids].sort()).toEqual(ids);
      expect([...log.segments.deferredBetween(0, log.endN)].map(({ n }) => n)).toEqual(deferred);
    }),
    { numRuns: 60 },
  );
});

test('a reader may begin at any message', async () => {
  const files = new MemoryFiles();
  const log = openLog(files, { maxBytesPerFile: 2000 });
  for (let n = 0; n < 60; n++) {
    append(log, body(n, 100));
    if (n % 7 === 0) await commit(log);
  }
  await commit(log);
  const again = openLog(files.clone(), { maxBytesPerFile: 2000 });
  for (let from = 0; from <= 60; from++) {
    const numbers = Array.from({ length: 60 - from }, (_, i) => from + i);
    for (const it of [log, again]) expect([...(await readAll(it, from)).bodies.keys()]).toEqual(numbers);
  }
});

test('what is not committed is not to be read', async () => {
  const log = openLog(new MemoryFiles());
  append(log, 'one');
  await commit(log);
  append(log, 'two');
  expect(log.endN).toBe(1);
  expect([...(await readAll(log)).bodies.values()]).toEqual(['one']);
  expect(log.uncommitted).toBeGreaterThan(0);
  await commit(log);
  expect([...(await readAll(log)).bodies.values()]).toEqual(['one', 'two']);
});

test('a segment that is removed takes its file and its memory with it, and is passed by', async () => {
  const files = new MemoryFiles();
  const log = openLog(files, { maxBytesPerFile: 500 });
  for (let n = 0; n < 20; n++) {
    append(log, body(n, 100));
    await commit(log);
  }
  const first = log.segments.first!;
  const slab = log.slabAt(first.basePos);
  expect(slab).toBeDefined();
  log.removeSegment(first);
  expect(log.slabAt(first.basePos)).toBeUndefined();
  expect(files.paths()).not.toContain(first.path);
  const { bodies, lost } = await readAll(log);
  expect(lost).toBe(first.endN);
  expect([...bodies.keys()][0]).toBe(first.endN);
});

test('a log in memory keeps no file', async () => {
  const { TopicLog } = await import('../../../src/broker/log/topic-log.js');
  const { SegmentList } = await import('../../../src/broker/log/segment-list.js');
  const { IdSource } = await import('../../../src/broker/log/id-source.js');
  const { SlabCache } = await import('../../../src/broker/log/slab-cache.js');
  const { LoggerNotes } = await import('./support/logs.js');
  const files = new MemoryFiles();
  const context = { files, cache: new SlabCache(0), logger: new LoggerNotes(), maxBytesPerFile: 1 };
  const log = new TopicLog(context, '', new SegmentList(new IdSource(1), []));
  for (let n = 0; n < 3000; n++) append(log, body(n, 200));
  await commit(log);
  append(log, 'last');
  await commit(log);
  expect((await readAll(log)).bodies.size).toBe(3001);
  expect([...log.segments].length).toBeGreaterThan(1);
  log.removeSegment(log.segments.first!);
  expect((await readAll(log)).lost).toBe(3000);
  expect(files.paths()).toEqual([]);
});

test('two readers of one place share one read', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, 'one');
  await commit(log);
  const again = openLog(files);
  let reads = 0;
  files.fault = (call) => {
    if (call === 'readAside') reads++;
    return undefined;
  };
  const slabs = await Promise.all(
    [0, 0].map((pos) => new Promise<Slab | undefined>((done) => again.load(pos, done))),
  );
  expect(slabs[0]).toBe(slabs[1]);
  expect(reads).toBe(1);
});

test('an MPUB of any shape stands in the log as its messages do one by one', async () => {
  const shapes = fc.array(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 30 }),
    {
      minLength: 1,
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(shapes, async (batches) => {
      const [together, single] = [openLog(new MemoryFiles()), openLog(new MemoryFiles())];
      for (const bodies of batches) {
        const parts = bodies.map((it) => Buffer.from(it));
        // The command's bytes lie somewhere in what was received.
        const received = Buffer.concat([Buffer.from('xx'), batchBody(parts), Buffer.from('y')]);
        together!.appendBatch(STAMP, received, 2, received.length - 1, bodies.length);
        for (const part of parts) append(single!, part);
      }
      await Promise.all([commit(together!), commit(single!)]);
      const [one, other] = [await readAll(together!), await readAll(single!)];
      expect([...one.bodies]).toEqual([...other.bodies]);
    }),
    { numRuns: 50 },
  );
});

test('few files are open, however many were read', async () => {
  const files = new MemoryFiles();
  const log = openLog(files, { maxBytesPerFile: 100, cacheSize: 0 });
  for (let n = 0; n < 50; n++) {
    append(log, body(n, 200));
    await commit(log);
  }
  while (files.pending.length > 0) await new Promise(setImmediate);
  expect((await readAll(log)).bodies.size).toBe(50);
  expect(files.openCount).toBeLessThan(5);
  await log.close();
  expect(files.openCount).toBe(0);
});

test('where numbers begin anew past some that were lost, ids do not continue those that may have been given', async () => {
  const files = new MemoryFiles();
  const first = openLog(files);
  for (let i = 0; i < 10; i++) append(first, 'kept');
  await commit(first);
  await first.close();
  const before = files.clone();
  const second = openLog(files);
  for (let i = 0; i < 10; i++) append(second, 'lost with the power');
  await commit(second);
  const given = new Set((await readAll(second)).ids);
  expect(given.size).toBe(20);
  for (const from of [12, 20, 25]) {
    const third = openLog(before.clone());
    third.beginAt(from);
    for (let i = 0; i < 10; i++) append(third, 'new');
    await commit(third);
    const { ids } = await readAll(third, from);
    expect(ids.filter((id) => given.has(id))).toEqual([]);
    expect(ids).toHaveLength(10);
  }
});
