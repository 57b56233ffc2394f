import { expect, test } from 'vitest';
import { BLOCK_HEADER_SIZE } from '../../../src/broker/log/block.js';
import { LOAD_SIZE } from '../../../src/broker/log/load.js';
import { SEGMENT_HEADER_SIZE } from '../../../src/broker/log/segment.js';
import type { Slab } from '../../../src/broker/log/slab.js';
import type { TopicLog } from '../../../src/broker/log/topic-log.js';
import { append, commit, LoggerNotes, openLog, readAll } from './support/logs.js';
import { fileError, MemoryFiles } from './support/memory-files.js';

const load = (log: TopicLog, pos: number): Promise<Slab | undefined> =>
  new Promise((resolve) => log.load(pos, resolve));

/** A log on disk of messages of these sizes, one commit each, and where their blocks begin. */
async function written(sizes: readonly number[]): Promise<{ files: MemoryFiles; positions: number[] }> {
  const files = new MemoryFiles();
  const log = openLog(files);
  const positions: number[] = [];
  for (const [n, size] of sizes.entries()) {
    positions.push(log.endPos);
    append(log, `${n}:`.padEnd(size, 'x'));
    await commit(log);
  }
  await log.close();
  return { files, positions };
}

function damage(files: MemoryFiles, pos: number): void {
  const bytes = files.get(files.paths()[0]!);
  bytes[SEGMENT_HEADER_SIZE + pos]! ^= 1;
}

test('a block larger than what is read at once is read whole', async () => {
  const { files, positions } = await written([10, LOAD_SIZE * 3, 20]);
  const log = openLog(files);
  const slab = await load(log, positions[1]!);
  expect(slab?.length).toBeGreaterThanOrEqual(LOAD_SIZE * 3);
  const sizes = [...(await readAll(log)).bodies.values()].map((it) => it.length);
  expect(sizes).toEqual([10, LOAD_SIZE * 3, 20]);
});

test('a damaged block larger than what is read at once is passed by', async () => {
  for (const where of [2, BLOCK_HEADER_SIZE + 100]) {
    const { files, positions } = await written([10, LOAD_SIZE * 3, 20]);
    damage(files, positions[1]! + where);
    const logger = new LoggerNotes();
    const { bodies, lost, stuck } = await readAll(openLog(files, { logger }));
    expect({ lost, stuck }).toEqual({ lost: 1, stuck: false });
    expect([...bodies.keys()]).toEqual([0, 2]);
    expect(logger.lines.join()).toContain('damaged block skipped');
  }
});

test('a damaged stretch that reaches what is in memory ends there', async () => {
  for (const where of [2, BLOCK_HEADER_SIZE + 5]) {
    const { files, positions } = await written([100, 100, 100, 100]);
    damage(files, positions[1]! + where);
    const log = openLog(files);
    await load(log, positions[2]!);
    const { bodies, lost, stuck } = await readAll(log, 1);
    expect({ lost, stuck }).toEqual({ lost: 1, stuck: false });
    expect([...bodies.keys()]).toEqual([2, 3]);
  }
});

test('a slab without a good block stands before what follows it', async () => {
  const { files, positions } = await written([100, 100, 100, 100]);
  damage(files, positions[1]! + 2);
  const log = openLog(files);
  await load(log, positions[2]!);
  const slab = await load(log, positions[1]!);
  expect(slab?.first).toBe(2);
  expect(log.slabOf(2)?.pos).toBe(positions[2]);
  expect(log.slabOf(3)?.pos).toBe(positions[2]);
});

test('damage at the very end of the log is passed by', async () => {
  for (const where of [2, BLOCK_HEADER_SIZE + 5]) {
    const { files, positions } = await written([100, 100]);
    damage(files, positions[1]! + where);
    const log = openLog(files);
    const { bodies, lost, stuck } = await readAll(log);
    expect({ lost, stuck }).toEqual({ lost: 1, stuck: false });
    expect([...bodies.keys()]).toEqual([0]);
    append(log, 'after');
    await commit(log);
    expect((await readAll(log)).bodies.get(2)).toBe('after');
  }
});

test('a read that fails is told of, and works again later', async () => {
  const { files } = await written([10]);
  const logger = new LoggerNotes();
  const log = openLog(files, { logger });
  for (const call of ['open', 'readAside'] as const) {
    files.fault = (it) => (it === call ? fileError('EIO') : undefined);
    expect(await load(log, 0)).toBeUndefined();
    expect(logger.lines.at(-1)).toContain('EIO');
  }
  files.fault = () => undefined;
  expect((await load(log, 0))?.first).toBe(0);
});

test('a read that comes in small pieces gives the same', async () => {
  const { files } = await written([1000, 2000]);
  files.fault = (call) => (call === 'readAside' ? 77 : undefined);
  expect((await readAll(openLog(files))).bodies.size).toBe(2);
});

test('a place that is gone, or a log that is closed, gives nothing', async () => {
  const { files } = await written([10]);
  const log = openLog(files);
  expect(await load(log, 99_999)).toBeUndefined();
  log.removeSegment(log.segments.first!);
  expect(await load(log, 0)).toBeUndefined();
  await log.close();
  expect(await load(log, 0)).toBeUndefined();
});

test.each([
  ['its header', 2],
  ['its records', BLOCK_HEADER_SIZE + 5],
])('a block that is damaged in %s is told of once, with its messages', async (_name, where) => {
  const { files, positions } = await written([100, 100, 100, 100]);
  damage(files, positions[1]! + where);
  const logger = new LoggerNotes();
  const log = openLog(files, { cacheSize: 0, logger });
  for (let round = 0; round < 3; round++) expect((await readAll(log)).lost).toBe(1);
  const [line, ...more] = logger.lines;
  const offset = SEGMENT_HEADER_SIZE + positions[1]!;
  expect(line).toContain(
    `${positions[2]! - positions[1]!} bytes at ${offset} of ${files.paths()[0]}, 1 messages`,
  );
  expect(more).toEqual([]);
});
