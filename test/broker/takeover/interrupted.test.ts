import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { SILENT } from '../../../src/broker/logger.js';
import { resolveOptions } from '../../../src/broker/options.js';
import { Store } from '../../../src/broker/store.js';
import { type Call, DyingFiles } from './support/dying-files.js';
import { contentOf, importFrom, newData } from './support/imports.js';
import { messages, type NsqdData } from './support/nsqd-data.js';

const TOPICS = join('nsq-data', 'topics');
/** Time (ms) for a test of some 80 imports on real files: 2 s, where other processes do not want the disk too. */
const MANY_IMPORTS = 60_000;

function nsqdData(): NsqdData {
  return newData()
    .metadata({ t: ['a', 'b!'], 'u!': ['x'], empty: [] })
    .queue('t:a', [...messages(2, 12), { id: 0, attempts: 3 }], { maxBytesPerFile: 200, read: 1 })
    .queue('t:b', messages(5, 15))
    .queue('t', messages(15, 17))
    .queue('u:x', messages(0, 2))
    .queue('u', messages(2, 4));
}

/** Imports as a process does that is killed after so many changes on disk. Returns what it changed. */
async function importUntil({ path }: NsqdData, last?: number): Promise<readonly Call[]> {
  const files = new DyingFiles(last);
  const store = new Store(resolveOptions({ dataPath: path, maxBytesPerFile: 300 }), SILENT, files);
  try {
    await store.open();
    await store.takeOver();
  } catch (error) {
    if (last === undefined) throw error;
  }
  await store.close();
  return files.calls;
}

test(
  'killed before every change on disk: the next start ends the import, each message is there once',
  async () => {
    const whole = nsqdData();
    const calls = await importUntil(whole);
    const expected = await contentOf(whole);
    expect(calls.length).toBeGreaterThan(60);
    for (let last = 1; last < calls.length; last++) {
      const data = nsqdData();
      await importUntil(data, last);
      const { report } = await importFrom(data);
      const at = `killed before ${JSON.stringify(calls[last])}`;
      expect(
        report.topics.filter(({ outcome }) => outcome === 'left'),
        at,
      ).toEqual([]);
      expect(await contentOf(data), at).toEqual(expected);
      const names = readdirSync(data.path);
      expect(names.filter((name) => name.startsWith('nsqd-imported-')).length, at).toBeLessThanOrEqual(2);
      expect(
        names.filter((name) => name !== 'nsq-data' && !name.startsWith('nsqd-imported-')),
        at,
      ).toEqual([]);
      expect(readdirSync(join(data.path, TOPICS)), at).toEqual(['empty.topic', 't.topic', 'u.topic']);
      for (const topic of ['t', 'u', 'empty']) {
        const inside = readdirSync(join(data.path, TOPICS, `${topic}.topic`)).join();
        expect(inside, at).not.toContain('nsqd');
      }
      rmSync(data.path, { recursive: true });
    }
  },
  MANY_IMPORTS,
);

test(
  'killed twice, at every pair of some places',
  async () => {
    const whole = nsqdData();
    const calls = await importUntil(whole);
    const expected = await contentOf(whole);
    for (let first = 5; first < calls.length; first += 17) {
      for (let second = 3; second < calls.length - first; second += 13) {
        const data = nsqdData();
        await importUntil(data, first);
        await importUntil(data, second);
        expect(await contentOf(data)).toEqual(expected);
        rmSync(data.path, { recursive: true });
      }
    }
  },
  MANY_IMPORTS,
);

test('all of a topic is on stable storage before it has its name, and its name before files of nsqd are moved', async () => {
  const data = nsqdData();
  const calls = await importUntil(data);
  const unsynced = new Set<string>();
  let named = 0;
  for (const { what, path, to } of calls) {
    if (what === 'write' || what === 'truncate') unsynced.add(path);
    else if (what === 'make') unsynced.add(dirname(path));
    else if (what === 'sync') unsynced.delete(path);
    else if (what === 'remove') unsynced.delete(path);
    if (what !== 'rename') continue;
    if (to?.endsWith('.topic')) {
      named++;
      expect([...unsynced].filter((it) => it.startsWith(path))).toEqual([]);
    } else {
      expect([...unsynced].filter((it) => it.endsWith('topics') || it.endsWith('.topic'))).toEqual([]);
    }
    unsynced.add(dirname(path));
    unsynced.add(dirname(to!));
  }
  expect(named).toBe(3);
});

/** A data path whose import ended when `t` had its name and its files were not moved yet. */
async function interruptedBeforeMove(): Promise<NsqdData> {
  const calls = await importUntil(nsqdData());
  const renamed = calls.findIndex(({ to }) => to !== undefined && basename(to) === 't.topic');
  const data = nsqdData();
  await importUntil(data, renamed + 1);
  return data;
}

test('nsqd ran in between and took more: what it has is not taken for imported', async () => {
  const data = await interruptedBeforeMove();
  data.queue('t:b', messages(5, 18));
  const { report } = await importFrom(data);
  expect(report.topics.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['t', 'left'],
    ['u', 'imported'],
    ['empty', 'imported'],
  ]);
  expect(data.has('t:b.diskqueue.000000.dat')).toBe(true);
});

test('a report of an import in two parts says all of it', async () => {
  const data = await interruptedBeforeMove();
  const { report } = await importFrom(data);
  const inOne = await importFrom(nsqdData());
  expect(report.topics).toEqual(inOne.report.topics);
});

test('files that are put back are another import: they do not get mixed with what is there', async () => {
  const data = nsqdData();
  const { report } = await importFrom(data);
  for (const name of readdirSync(report.movedTo))
    renameSync(join(report.movedTo, name), join(data.path, name));
  const copy = newData();
  cpSync(data.path, copy.path, { recursive: true });
  const again = await importFrom(copy);
  expect(again.report.topics.every(({ outcome }) => outcome === 'left')).toBe(true);
  rmSync(join(data.path, 'nsq-data'), { recursive: true });
  expect((await importFrom(data)).report.topics).toEqual(report.topics);
});
