import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokerError } from '../../../src/broker/errors.js';
import { BLOCK_HEADER_SIZE, BlockFlag, sealBlock } from '../../../src/broker/log/block.js';
import { SEGMENT_HEADER_SIZE } from '../../../src/broker/log/segment.js';
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
import { MemoryFiles } from './support/memory-files.js';

/** Time (ms) for a test of a thousand starts: a second, where other processes do not want the processor too. */
const MANY_STARTS = 60_000;

/** A stretch of a file that is written in one commit: what is whole by its end must be found by a start. */
interface Commit {
  path: string;
  end: number;
  endN: number;
}

interface Written {
  files: MemoryFiles;
  bodies: Map<number, string>;
  commits: Commit[];
  log: TopicLog;
}

/** A small log of several commits, with batches and deferred messages. */
async function write(commits: number, maxBytesPerFile: number): Promise<Written> {
  const files = new MemoryFiles();
  const log = openLog(files, { maxBytesPerFile });
  const bodies = new Map<number, string>();
  const ends: Commit[] = [];
  for (let i = 0; i < commits; i++) {
    const n = log.nextN;
    append(log, `single ${n}`);
    bodies.set(n, `single ${n}`);
    if (i % 3 === 1) {
      const batch = Array.from({ length: 4 }, (_, at) => `batch ${n + 1 + at}`);
      appendBatch(log, batch);
      for (const [at, body] of batch.entries()) bodies.set(n + 1 + at, body);
    }
    if (i % 4 === 2) appendDeferred(log, 'later', 1e13);
    await commit(log);
    const last = log.segments.last!;
    ends.push({ path: last.path, end: SEGMENT_HEADER_SIZE + last.size, endN: log.endN });
  }
  return { files, bodies, commits: ends, log };
}

test(
  'a log cut at any byte gives what was committed before, and goes on from there',
  async () => {
    const { files, bodies, commits } = await write(12, 1e6);
    const path = commits[0]!.path;
    const whole = Buffer.from(files.get(path));
    for (let size = 0; size <= whole.length; size++) {
      const cut = new MemoryFiles();
      cut.put(path, whole.subarray(0, size));
      const logger = new LoggerNotes();
      const log = openLog(cut, { logger });
      const { endN } = log;
      // A commit may be of several blocks; those that are whole may be kept although it was never confirmed.
      expect(endN).toBeGreaterThanOrEqual(commits.findLast(({ end }) => end <= size)?.endN ?? 0);
      expect(endN).toBeLessThanOrEqual(commits.find(({ end }) => end >= size)!.endN);
      expect(bodies.get(endN)?.startsWith('batch') && bodies.get(endN - 1)?.startsWith('batch')).not.toBe(
        true,
      );
      append(log, 'after');
      expect(await commit(log)).toBeUndefined();
      for (const it of size % 5 === 0 ? [log, openLog(cut.clone())] : [log]) {
        const { bodies: found, lost, stuck } = await readAll(it);
        expect({ lost, stuck }).toEqual({ lost: 0, stuck: false });
        const expected = [...bodies].filter(([n]) => n < endN);
        expect([...found]).toEqual([...expected, [endN, 'after']]);
      }
      expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    }
  },
  MANY_STARTS,
);

test('a batch of several blocks is kept whole or not at all, wherever it is cut', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, 'before');
  await commit(log);
  const before = SEGMENT_HEADER_SIZE + log.endPos;
  appendBatch(
    log,
    Array.from({ length: 9 }, (_, i) => String(i).repeat(30_000)),
  );
  await commit(log);
  const path = log.segments.last!.path;
  const whole = Buffer.from(files.get(path));
  for (let size = before; size <= whole.length; size += size < before + 200 ? 1 : 997) {
    const cut = new MemoryFiles();
    cut.put(path, whole.subarray(0, size));
    expect(openLog(cut).endN).toBe(size === whole.length ? 10 : 1);
  }
  const all = new MemoryFiles();
  all.put(path, whole);
  expect(openLog(all).endN).toBe(10);
});

test('zeros behind the end, as a file system may leave them, are cut off', async () => {
  const { files, commits } = await write(5, 1e6);
  const path = commits[0]!.path;
  files.put(path, Buffer.concat([files.get(path), Buffer.alloc(3_000_000)]));
  const log = openLog(files);
  expect(log.endN).toBe(commits.at(-1)!.endN);
  expect(files.get(path).length).toBeLessThan(10_000);
});

test('a footer that is cut, or has zeros behind it, is made again', async () => {
  const { files, commits, log, bodies } = await write(8, 1e6);
  await log.close();
  const path = commits[0]!.path;
  const whole = Buffer.from(files.get(path));
  const { end, endN } = commits.at(-1)!;
  for (let size = end; size <= whole.length; size++) {
    const cut = new MemoryFiles();
    cut.put(path, Buffer.concat([whole.subarray(0, size), Buffer.alloc(size % 3 === 0 ? 100 : 0)]));
    const again = openLog(cut);
    expect(again.endN).toBe(endN);
    expect([...(await readAll(again)).bodies.keys()]).toEqual([...bodies.keys()]);
    expect(cut.get(path).equals(whole)).toBe(true);
  }
});

test('what looks like a block within a message is none, also where the header before it is damaged', async () => {
  const files = new MemoryFiles();
  const log = openLog(files);
  append(log, 'first');
  await commit(log);
  const at = SEGMENT_HEADER_SIZE + log.endPos;
  const forged = Buffer.alloc(BLOCK_HEADER_SIZE + 40);
  sealBlock(forged, 0, forged.length, 1, BlockFlag.BatchEnd, 1, 0, 0);
  append(log, Buffer.concat([forged, Buffer.alloc(100)]));
  await commit(log);
  append(log, 'last');
  await commit(log);
  const path = log.segments.last!.path;
  files.get(path)[at + 5]! ^= 1;
  const logger = new LoggerNotes();
  const opened = openLog(files, { logger });
  expect(logger.lines).toEqual([expect.stringMatching(/^error damaged block skipped: .* 1 messages/)]);
  const { bodies, lost } = await readAll(opened);
  expect([...bodies]).toEqual([
    [0, 'first'],
    [2, 'last'],
  ]);
  expect(lost).toBe(1);
});

test(
  'bits flipped anywhere cost their blocks and nothing else',
  async () => {
    const logs = [await write(30, 1e6), await write(30, 700)];
    await logs[1]!.log.close();
    // Where each message's block lies is known from how it was committed: a commit is never spread over two files.
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1),
        fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        async (which, at) => {
          const { files, bodies, commits } = logs[which]!;
          const flipped = files.clone();
          const paths = flipped.paths();
          const sizes = paths.map((path) => flipped.get(path).length);
          const total = sizes.reduce((sum, it) => sum + it, 0);
          const damaged = new Set<string>();
          const headers = new Set<string>();
          for (const where of at) {
            let offset = Math.floor(where / 8) % total;
            const index = sizes.findIndex((it) => {
              if (offset < it) return true;
              offset -= it;
              return false;
            });
            const path = paths[index]!;
            const bytes = flipped.get(path);
            bytes[offset] = bytes[offset]! ^ (1 << (where & 7));
            if (offset < SEGMENT_HEADER_SIZE) headers.add(`${path} ${offset < SEGMENT_HEADER_SIZE / 2}`);
            const hit = commits.findIndex((it) => it.path === path && offset < it.end);
            damaged.add(`${hit === -1 ? path : hit}`);
          }
          const log = openLog(flipped);
          const { bodies: found, stuck } = await readAll(log);
          expect(stuck).toBe(false);
          // An `expect` for each message would take more time than all the rest.
          const wrong = [...found].filter(([n, body]) => body !== bodies.get(n));
          const whole = [...bodies.keys()].filter((n) => {
            const index = commits.findIndex(({ endN }) => n < endN);
            // The header stands there twice.
            const isHeadless = [true, false].every((copy) => headers.has(`${commits[index]!.path} ${copy}`));
            return !damaged.has(String(index)) && !isHeadless;
          });
          expect({ wrong, missing: whole.filter((n) => !found.has(n)) }).toEqual({ wrong: [], missing: [] });
          append(log, 'after');
          expect(await commit(log)).toBeUndefined();
          const last = log.endN - 1;
          expect((await readAll(openLog(flipped.clone()), last)).bodies.get(last)).toBe('after');
        },
      ),
      { numRuns: 1500 },
    );
  },
  MANY_STARTS,
);

test('damage in the middle is told of with its place and how many messages it held', async () => {
  const { files, commits } = await write(6, 1e6);
  const path = commits[0]!.path;
  const at = commits[1]!.end + BLOCK_HEADER_SIZE + 3;
  files.get(path)[at] = files.get(path)[at]! ^ 1;
  const logger = new LoggerNotes();
  const log = openLog(files, { logger });
  const count = 1;
  expect(logger.lines.filter((line) => line.startsWith('error')).length).toBe(1);
  expect(logger.lines[0]).toContain(`at ${commits[1]!.end} of ${path}, ${count} messages`);
  const { lost } = await readAll(log);
  expect(lost).toBe(count);
});

test('a block in a damaged block’s body is not taken for a block', async () => {
  const inner = new MemoryFiles();
  const innerLog = openLog(inner);
  for (let n = 0; n < 3; n++) append(innerLog, `inner ${n}`);
  await commit(innerLog);
  const blockBytes = inner.get(innerLog.segments.last!.path).subarray(SEGMENT_HEADER_SIZE);
  for (const lastSize of [0, 10]) {
    const files = new MemoryFiles();
    const log = openLog(files);
    append(log, Buffer.concat([blockBytes, Buffer.from('end')]));
    await commit(log);
    const path = log.segments.last!.path;
    const end = SEGMENT_HEADER_SIZE + log.endPos;
    if (lastSize > 0) {
      append(log, 'x'.repeat(lastSize));
      await commit(log);
    }
    // The last byte of the outer block is wrong, or missing.
    const bytes = Buffer.from(files.get(path));
    bytes[end - 1] = bytes[end - 1]! ^ 1;
    files.put(path, lastSize > 0 ? bytes : bytes.subarray(0, end - 1));
    const again = openLog(files);
    expect([...(await readAll(again)).bodies.values()]).toEqual(lastSize > 0 ? ['x'.repeat(lastSize)] : []);
  }
});

test('a file without a readable header is set aside; what is around it is delivered', async () => {
  const { files, commits, log, bodies } = await write(30, 700);
  await log.close();
  const paths = files.paths();
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) {
    const broken = files.clone();
    for (const copy of [0, SEGMENT_HEADER_SIZE / 2]) broken.get(path)[copy + 3] = 0;
    const logger = new LoggerNotes();
    const again = openLog(broken, { logger });
    expect(broken.paths()).toContain(`${path}.bad`);
    expect(logger.lines.join()).toContain('set aside');
    const { bodies: found, stuck } = await readAll(again);
    expect(stuck).toBe(false);
    const expected = [...bodies.keys()].filter((n) => commits.find(({ endN }) => n < endN)!.path !== path);
    expect([...found.keys()]).toEqual(expected);
    append(again, 'after');
    expect(await commit(again)).toBeUndefined();
    expect((await readAll(again)).bodies.get(again.endN - 1)).toBe('after');
  }
});

/** The bytes of a segment that begins with message 3, and its file's name. */
async function fromThird(): Promise<{ path: string; bytes: Buffer }> {
  const files = new MemoryFiles();
  const first = openLog(files);
  appendBatch(first, ['a', 'b', 'c']);
  await commit(first);
  await first.close();
  const log = openLog(files);
  append(log, 'other');
  await commit(log);
  const { path } = log.segments.last!;
  return { path, bytes: files.get(path) };
}

test('a file that overlaps the one before it is set aside', async () => {
  const { files, log } = await write(10, 1e6);
  await log.close();
  const { path, bytes } = await fromThird();
  files.put(path, bytes);
  const logger = new LoggerNotes();
  const again = openLog(files, { logger });
  expect(again.endN).toBe(log.endN);
  expect(files.paths()).toContain(`${path}.bad`);
  expect(logger.lines.join()).toContain('overlaps');
});

test('a file that holds another segment than its name says is set aside', async () => {
  const files = new MemoryFiles();
  const { path, bytes } = await fromThird();
  const { path: other } = await fromThird();
  files.put(other, bytes);
  const logger = new LoggerNotes();
  expect(openLog(files, { logger }).endN).toBe(0);
  expect(path).not.toBe(other);
  expect(files.paths()).toEqual([`${other}.bad`]);
  expect(logger.lines.join()).toContain('not the segment that its name says');
});

test('a file of a later version stops the start', async () => {
  const { files, commits } = await write(2, 1e6);
  const { crc32 } = await import('node:zlib');
  const bytes = files.get(commits[0]!.path);
  bytes.write('NSQSEG02', 0, 'latin1');
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 60)), 60);
  expect(() => openLog(files)).toThrow(BrokerError);
});
