import { expect, test } from 'vitest';
import { BLOCK_HEADER_SIZE, BlockFlag, blockLength, sealBlock } from '../../../src/broker/log/block.js';
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
import { MemoryFiles } from './support/memory-files.js';

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

test('a batch whose end is damaged, and after which nothing is, counts as torn', async () => {
  const { files, path, blocks } = await twoBatches();
  for (const at of [blocks[5]! + 3, blocks[1]! + 60]) files.get(path)[at]! ^= 1;
  expect(await numbersIn(files)).toEqual([0, 2]);
});

test('a file that another one follows was finished: what is whole of its last batch counts, also without a footer', async () => {
  const { files, path, blocks } = await twoBatches();
  await openLog(files).close();
  const second = openLog(files);
  append(second, '6');
  await commit(second);
  const file = files.get(path);
  file[file.length - 1]! ^= 1;
  file[blocks[5]! + 2]! ^= 1;
  const logger = new LoggerNotes();
  expect(await numbersIn(files, logger)).toEqual([0, 1, 2, 3, 4, 6]);
  expect(logger.lines).toEqual([
    expect.stringMatching(/^error damaged block skipped: .* 1 messages/),
    expect.stringContaining('has no whole footer: made anew'),
  ]);
});

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
  expect(
    files
      .get(path)
      .subarray(-TRAILER_SIZE - 4 - 16)
      .equals(whole.subarray(-TRAILER_SIZE - 4 - 16)),
  ).toBe(false);

  file.set(whole);
  file[SEGMENT_HEADER_SIZE + size + 5]! ^= 1;
  expect(openLog(files).endN).toBe(4);
  expect(files.get(path).equals(whole)).toBe(true);
});

test('what a failed write left behind in a file is not counted when another one follows', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, '0');
  await commit(log);
  const { path, size, seed } = log.segments.last!;
  await log.close();
  const second = openLog(files);
  append(second, '1');
  await commit(second);
  const left = Buffer.alloc(BLOCK_HEADER_SIZE + 60);
  sealBlock(left, 0, left.length, 1, BlockFlag.BatchEnd, 1, 0, seed);
  files.put(path, Buffer.concat([files.get(path).subarray(0, SEGMENT_HEADER_SIZE + size), left]));
  const file = Buffer.from(files.get(path));
  const logger = new LoggerNotes();
  expect(await numbersIn(files, logger)).toEqual([0, 1]);
  // It may be a file that somebody put there which says otherwise: nothing is cut off for it.
  expect(files.get(path).equals(file)).toBe(true);
  expect(logger.lines).toEqual([
    expect.stringMatching(/goes on for 100 bytes after message 0, which .* goes on from/),
  ]);
});

test('a finished file of which no block is readable is set aside, not removed', async () => {
  const { files, path, blocks } = await twoBatches();
  await openLog(files).close();
  const second = openLog(files);
  append(second, '6');
  await commit(second);
  const file = files.get(path);
  file[file.length - 1]! ^= 1;
  for (const at of blocks) file[at]! ^= 1;
  const logger = new LoggerNotes();
  expect(await numbersIn(files, logger)).toEqual([6]);
  expect(files.paths()).toContain(`${path}.bad`);
  expect(logger.lines.at(-1)).toContain('has no readable message: set aside');
});
