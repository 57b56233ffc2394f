import fc from 'fast-check';
import { expect, test } from 'vitest';
import { append, appendBatch, appendDeferred, commit, openLog, readAll } from './support/logs.js';
import { type FaultableCall, fileError, MemoryFiles } from './support/memory-files.js';

/** Lets all that waits, and all that follows from it, come to its end. */
async function settle(files: MemoryFiles): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    while (files.step());
    await new Promise(setImmediate);
  }
}

/** The calls of the storage that a commit makes. */
const WRITING: readonly FaultableCall[] = ['open', 'write', 'writeAside', 'truncate', 'syncAside'];

interface Plan {
  rounds: { size: number; batch: number; deferred: boolean; together: boolean }[];
  /** The calls, counted from the first, that go wrong, and how. */
  faults: { at: number; how: 'EIO' | 'ENOSPC' | 'short' | 'none' }[];
  maxBytesPerFile: number;
  /** A sync to stable storage is under way: what is large is written off the event loop. */
  syncing: boolean;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  rounds: fc.array(
    fc.record({
      size: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 30_000, max: 90_000 })),
      batch: fc.nat(6),
      deferred: fc.boolean(),
      together: fc.boolean(),
    }),
    { minLength: 2, maxLength: 12 },
  ),
  faults: fc.array(
    fc.record({ at: fc.nat(40), how: fc.constantFrom('EIO', 'ENOSPC', 'short', 'none') }) as fc.Arbitrary<
      Plan['faults'][number]
    >,
    { minLength: 1, maxLength: 12 },
  ),
  maxBytesPerFile: fc.constantFrom(500, 100_000, 1e8),
  syncing: fc.boolean(),
});

test('of a commit that fails nothing is kept, later ones work, and a start finds what was confirmed', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async ({ rounds, faults, maxBytesPerFile, syncing }) => {
      const files = new MemoryFiles();
      let calls = 0;
      const how = new Map(faults.map((it) => [it.at, it.how]));
      const log = openLog(files, { maxBytesPerFile });
      const confirmed: string[] = [];
      const deferred = new Set<number>();
      files.fault = (call) => {
        if (!WRITING.includes(call)) return undefined;
        const fault = how.get(calls++);
        if (fault === 'short') return 1 + (calls % 100);
        return fault === 'EIO' || fault === 'ENOSPC' ? fileError(fault) : undefined;
      };
      const round = (it: Plan['rounds'][number], from: number): string[] => {
        const bodies = [`${from}:`.padEnd(it.size, 'x')];
        append(log, bodies[0]!);
        const batch = Array.from({ length: it.batch }, (_, i) => `${from + 1 + i}:`.padEnd(it.size, 'y'));
        if (batch.length > 0) appendBatch(log, batch);
        bodies.push(...batch);
        if (it.deferred) {
          deferred.add(from + bodies.length);
          appendDeferred(log, `${from + bodies.length}:`, 1e13);
          bodies.push(`${from + bodies.length}:`);
        }
        return bodies;
      };
      for (let i = 0; i < rounds.length; i++) {
        const synced = syncing ? new Promise((done) => log.sync(done)) : undefined;
        const start = log.endN;
        expect(start).toBe(confirmed.length);
        const first = round(rounds[i]!, start);
        let over = false;
        const done = commit(log).finally(() => {
          over = true;
        });
        await Promise.resolve();
        await Promise.resolve();
        // What is appended while the batch is being written goes with it if it fails, and else with the next.
        const second = rounds[i]!.together && !over ? round(rounds[i]!, log.nextN) : [];
        const error = await done;
        if (error) {
          for (const n of [...deferred]) if (n >= start) deferred.delete(n);
          expect([log.endN, log.nextN, log.uncommitted]).toEqual([start, start, 0]);
        } else {
          confirmed.push(...first);
          expect(log.endN).toBe(confirmed.length);
          if (second.length > 0 && log.nextN > log.endN) {
            const refused = await commit(log);
            if (!refused) confirmed.push(...second);
            for (const n of [...deferred]) if (n >= log.endN) deferred.delete(n);
          }
        }
        await synced;
      }
      files.fault = () => undefined;
      append(log, 'last');
      expect(await commit(log)).toBeUndefined();
      confirmed.push('last');
      const again = openLog(files.clone(), { maxBytesPerFile });
      for (const it of [log, again]) {
        expect(it.endN).toBe(confirmed.length);
        const { bodies, lost, stuck, deferred: seen } = await readAll(it);
        expect({ lost, stuck }).toEqual({ lost: 0, stuck: false });
        for (const [n, body] of bodies) expect(body === confirmed[n]).toBe(true);
        expect(bodies.size + seen.length).toBe(confirmed.length);
        expect(seen).toEqual([...deferred].sort((a, b) => a - b));
        expect([...it.segments.deferredBetween(0, it.endN)].map(({ n }) => n)).toEqual(seen);
      }
      await log.close();
      expect(files.openCount).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test('a disk that is full for a while takes messages again when it is not', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, 'before');
  await commit(log);
  files.fault = (call) => (call.startsWith('write') ? fileError('ENOSPC') : undefined);
  for (let i = 0; i < 5; i++) {
    append(log, 'refused');
    expect(await commit(log)).toMatchObject({ code: 'ENOSPC' });
  }
  files.fault = () => undefined;
  append(log, 'after');
  expect(await commit(log)).toBeUndefined();
  for (const it of [log, openLog(files.clone())]) {
    expect([...(await readAll(it)).bodies.values()]).toEqual(['before', 'after']);
  }
});

test('what a refused batch left behind is not found behind a later one', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, 'before'.padEnd(600_000));
  await commit(log);
  // Two blocks of three are written, and the file cannot be cut back.
  let writes = 0;
  files.fault = (call) => {
    if (call === 'write' && writes++ === 0) return 90_000;
    return call === 'truncate' || call === 'write' ? fileError('EIO') : undefined;
  };
  for (let i = 0; i < 3; i++) append(log, 'refused'.padEnd(40_000));
  expect(await commit(log)).toMatchObject({ code: 'EIO' });
  append(log, 'refused, too');
  expect(await commit(log)).toMatchObject({ code: 'EIO' });
  files.fault = () => undefined;
  append(log, 'after');
  expect(await commit(log)).toBeUndefined();
  const { bodies } = await readAll(openLog(files.clone()));
  expect([...bodies.values()].map((body) => body.trimEnd())).toEqual(['before', 'after']);
});

test('a sync waits for the segments that were finished before it', async () => {
  const files = new MemoryFiles();
  files.manual = true;
  const log = openLog(files, { maxBytesPerFile: 100 });
  append(log, 'x'.repeat(200));
  log.commit(() => {});
  append(log, 'next segment');
  log.commit(() => {});
  let synced = false;
  const done = new Promise<void>((resolve) =>
    log.sync(() => {
      synced = true;
      resolve();
    }),
  );
  const finished = files.pending.shift();
  await settle(files);
  expect(synced).toBe(false);
  finished?.();
  await done;
});

test('a finished segment that could not be synced fails each sync until it can be', async () => {
  const files = new MemoryFiles();
  const log = openLog(files, { maxBytesPerFile: 100 });
  append(log, 'x'.repeat(200));
  await commit(log);
  files.fault = (call) => (call === 'syncAside' ? fileError('EIO') : undefined);
  append(log, 'next segment');
  await commit(log);
  await settle(files);
  const sync = (): Promise<unknown> => new Promise((done) => log.sync(done));
  for (let i = 0; i < 2; i++) expect(await sync()).toMatchObject({ code: 'EIO' });
  files.fault = () => undefined;
  expect(await sync()).toBeNull();
});

test('a segment that is removed while it is being synced stays open until then', async () => {
  const files = new MemoryFiles();
  files.manual = true;
  const log = openLog(files);
  append(log, 'one');
  log.commit(() => {});
  const segment = log.segments.last!;
  const result = new Promise((done) => log.sync(done));
  log.seal();
  log.removeSegment(segment);
  await settle(files);
  expect(await result).toBeNull();
  expect(files.openCount).toBe(0);
});

test('where files may only have some size, the next batch goes into another one', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  const most = 50_000;
  files.fault = (call, path) =>
    call === 'write' && path.endsWith('.log') && files.get(path).length > most
      ? fileError('EFBIG')
      : undefined;
  const kept: string[] = [];
  for (let i = 0; i < 30; i++) {
    const body = `${i}`.padEnd(9000);
    append(log, body);
    if ((await commit(log)) === undefined) kept.push(body);
  }
  expect(kept.length).toBeGreaterThan(20);
  expect([...(await readAll(log)).bodies.values()]).toEqual(kept);
  const again = openLog(files.clone());
  expect([...(await readAll(again)).bodies.values()]).toEqual(kept);
  await log.close();
  expect(files.openCount).toBe(0);
});
