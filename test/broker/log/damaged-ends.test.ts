import { expect, test } from 'vitest';
import { BLOCK_HEADER_SIZE, blockLength } from '../../../src/broker/log/block.js';
import { SEGMENT_HEADER_SIZE } from '../../../src/broker/log/segment.js';
import {
  append,
  appendBatch,
  appendDeferred,
  commit,
  LoggerNotes,
  openLog,
  readAll,
} from './support/logs.js';
import { fileError, MemoryFiles } from './support/memory-files.js';

/** Bytes of messages that each have a block. */
const LARGE = 40_000;
const TRAILER_SIZE = 36;
const bodies = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${from + i} `.padEnd(LARGE, '.'));

/** Offsets of a file's blocks. */
function blocksOf(file: Buffer, to: number): number[] {
  const found: number[] = [];
  for (let at = SEGMENT_HEADER_SIZE; at < to; at += blockLength(file, at)) found.push(at);
  return found;
}

/** Two batches of three messages, each with a block, in a file that is not finished. */
async function twoBatches(): Promise<{ files: MemoryFiles; path: string; blocks: number[] }> {
  const files = new MemoryFiles();
  const log = openLog(files);
  for (const from of [0, 3]) {
    appendBatch(log, bodies(from, 3));
    await commit(log);
  }
  const { path, size } = log.segments.last!;
  const blocks = blocksOf(files.get(path), SEGMENT_HEADER_SIZE + size);
  expect(blocks.length).toBe(6);
  return { files, path, blocks };
}

async function numbersIn(files: MemoryFiles, logger = new LoggerNotes()): Promise<number[]> {
  const { bodies: found, stuck } = await readAll(openLog(files, { logger }));
  expect(stuck).toBe(false);
  for (const [n, body] of found) expect(Number.parseInt(body, 10)).toBe(n);
  return [...found.keys()];
}

test.each(['header', 'records'])(
  'a batch whose end is damaged (%s) is kept where anything after it shows that it was complete',
  async (part) => {
    const { files, path, blocks } = await twoBatches();
    const within = part === 'header' ? 2 : BLOCK_HEADER_SIZE + 5;
    // The end of the first batch, and all that is good of the second is a block that is not its end: then its header only.
    for (const [block, at] of [
      [2, within],
      [3, BLOCK_HEADER_SIZE + 1],
      [4, 3],
      [5, 3],
    ] as const)
      files.get(path)[blocks[block]! + at]! ^= 1;
    const logger = new LoggerNotes();
    expect(await numbersIn(files, logger)).toEqual([0, 1]);
    expect(logger.lines[0]).toMatch(/^error damaged block skipped: .* 1 messages/);
  },
);

test('a batch whose end is damaged, and after which nothing is, counts as torn, and goes as a whole', async () => {
  const { files, path, blocks } = await twoBatches();
  for (const at of [blocks[5]! + 3, blocks[1]! + 60]) files.get(path)[at]! ^= 1;
  expect(await numbersIn(files)).toEqual([0, 2]);
});

test('so does one of which only the next header is whole, as a kill leaves it', async () => {
  const { files, path, blocks } = await twoBatches();
  const file = files.get(path);
  file[blocks[2]! + 60]! ^= 1;
  files.put(path, file.subarray(0, blocks[3]! + BLOCK_HEADER_SIZE + 100));
  expect(await numbersIn(files)).toEqual([0, 1]);
});

test('a start keeps to what the one before it took for torn, whatever was written since', async () => {
  const { files, path, blocks } = await twoBatches();
  const file = files.get(path);
  file[blocks[5]! + 60]! ^= 1;
  const second = openLog(files);
  append(second, String(second.nextN));
  await commit(second);
  await second.close();
  for (let starts = 0; starts < 2; starts++) expect(await numbersIn(files)).toEqual([0, 1, 2, 3]);
});

test.each([1, 2])(
  'a trailer stands there twice: what a batch at the end costs when %i are hit',
  async (hits) => {
    const { files, path, blocks } = await twoBatches();
    await openLog(files).close();
    const file = files.get(path);
    for (let copy = 1; copy <= hits; copy++) file[file.length - copy * TRAILER_SIZE + 10]! ^= 1;
    file[blocks[5]! + 60]! ^= 1;
    expect(await numbersIn(files)).toEqual(hits === 1 ? [0, 1, 2, 3, 4] : [0, 1, 2]);
  },
);

test('a file whose trailer is good was finished: its lists are made anew', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  appendBatch(log, bodies(0, 3));
  appendDeferred(log, '3', 1e13);
  await commit(log);
  await log.close();
  const { path, size } = log.segments.last!;
  const whole = Buffer.from(files.get(path));
  const blocks = blocksOf(whole, SEGMENT_HEADER_SIZE + size);
  const file = files.get(path);
  for (const at of [SEGMENT_HEADER_SIZE + size + 5, blocks.at(-2)! + 50, blocks.at(-1)! + 50]) file[at]! ^= 1;
  const logger = new LoggerNotes();
  const again = openLog(files, { logger });
  expect(again.endN).toBe(4);
  expect(again.segments.first!.size).toBe(size);
  expect([...(await readAll(again)).bodies.keys()]).toEqual([0, 1]);
  expect(logger.lines.map((line) => /, \d+ messages/.exec(line)?.[0]).slice(0, 2)).toEqual([
    ', 1 messages',
    ', 1 messages',
  ]);

  file.set(whole);
  file[SEGMENT_HEADER_SIZE + size + 5]! ^= 1;
  expect(openLog(files).endN).toBe(4);
  expect(files.get(path).equals(whole)).toBe(true);
});

test('a finished file without a message goes, and is in nobody’s way', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, 'refused');
  let writes = 0;
  files.fault = (call) => (call === 'write' && writes++ > 0 ? fileError('ENOSPC') : undefined);
  expect(await commit(log)).toBeDefined();
  files.fault = () => undefined;
  await log.close();
  expect(files.paths().length).toBe(1);
  // The seeds in their names say which of two files with the same number comes first.
  for (let starts = 0; starts < 8; starts++) {
    const copy = files.clone();
    const second = openLog(copy);
    append(second, '0');
    expect(await commit(second)).toBeUndefined();
    const logger = new LoggerNotes();
    expect(await numbersIn(copy, logger)).toEqual([0]);
    expect(logger.lines).toEqual([]);
  }
});
