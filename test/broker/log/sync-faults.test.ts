import { describe, expect, it } from 'vitest';
import type { TopicLog } from '../../../src/broker/log/topic-log.js';
import { append, commit, openLog, readAll } from './support/logs.js';
import { fileError, type MemoryFiles } from './support/memory-files.js';
import { UnsureFiles } from './support/unsure-files.js';

const KIB = 1024;

function sync(log: TopicLog): Promise<Error | null> {
  return new Promise((resolve) => log.sync(resolve));
}

async function put(log: TopicLog, body: string): Promise<void> {
  append(log, body);
  expect(await commit(log)).toBeUndefined();
}

/** The messages of a log that another start finds, by their first word. */
async function found(files: MemoryFiles): Promise<string[]> {
  const { bodies } = await readAll(openLog(files));
  return [...bodies.values()].map((body) => body.split(' ')[0]!);
}

describe('after a sync that failed', () => {
  it('the next one that works has put everything on the disk, not only what came since', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'first'.padEnd(5 * KIB));
    expect(await sync(log)).toBeNull();
    await put(log, 'second'.padEnd(300 * KIB));
    files.failing = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    await put(log, 'third'.padEnd(5 * KIB));
    expect(await found(files.afterPowerFailure())).toEqual(['first']);
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['first', 'second', 'third']);
  });

  it('it is tried again until it works, also if nothing else is written', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'message');
    files.failing = 3;
    for (let i = 0; i < 3; i++) {
      expect(await sync(log)).toMatchObject({ code: 'EIO' });
      expect(log.unsynced).toBeGreaterThan(0);
    }
    expect(await sync(log)).toBeNull();
    expect(log.unsynced).toBe(0);
    expect(await found(files.afterPowerFailure())).toEqual(['message']);
  });

  it('what is in memory is written again, whatever the system has kept', async () => {
    const files = new UnsureFiles();
    files.forgetful = true;
    const log = openLog(files);
    await put(log, 'first'.padEnd(5 * KIB));
    await put(log, 'second'.padEnd(5 * KIB));
    files.failing = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['first', 'second']);
  });

  it('what neither memory nor the system has kept is not said to be there', async () => {
    const files = new UnsureFiles();
    files.forgetful = true;
    const log = openLog(files, { cacheSize: 1 });
    await put(log, 'first'.padEnd(20 * KIB));
    await put(log, 'second'.padEnd(20 * KIB));
    await put(log, 'third'.padEnd(20 * KIB));
    files.failing = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    expect(await sync(log)).not.toBeNull();
    await put(log, 'fourth');
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toContain('fourth');
  });

  it('a finished file is synced again as well, and its descriptors are closed', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 4 * KIB });
    await put(log, 'first'.padEnd(5 * KIB));
    files.failing = 1;
    // The next file is begun, and so this one finished.
    await put(log, 'second'.padEnd(5 * KIB));
    while (files.failing > 0) await new Promise(setImmediate);
    expect(log.unsynced).toBeGreaterThan(0);
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['first', 'second']);
    await log.close();
    expect(files.openCount).toBe(0);
  });

  it('a file that is gone meanwhile is no hindrance', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 4 * KIB });
    await put(log, 'first'.padEnd(5 * KIB));
    files.failing = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    await put(log, 'second');
    log.removeSegment(log.segments.first!);
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['second']);
  });
});

describe('after a sync of a directory that failed', () => {
  it('nothing is said to be there that is in a new file, until its entry was made anew and synced', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 4 * KIB });
    await put(log, 'first'.padEnd(5 * KIB));
    expect(await sync(log)).toBeNull();
    await put(log, 'second');
    files.failingDirectories = 3;
    for (let i = 0; i < 3; i++) {
      expect(await sync(log)).toMatchObject({ code: 'EIO' });
      expect(await found(files.afterPowerFailure())).toEqual(['first']);
    }
    await put(log, 'third');
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['first', 'second', 'third']);
    await log.close();
    expect(files.openCount).toBe(0);
  });

  it('a segment that is gone meanwhile is no hindrance', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 4 * KIB });
    await put(log, 'first'.padEnd(5 * KIB));
    files.failingDirectories = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    await put(log, 'second');
    log.removeSegment(log.segments.first!);
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['second']);
  });

  it('a rename that fails too is tried again, wherever it left the file', async () => {
    for (let at = 0; at < 4; at++) {
      const files = new UnsureFiles();
      const log = openLog(files);
      await put(log, 'message');
      files.failingDirectories = 1;
      expect(await sync(log)).toMatchObject({ code: 'EIO' });
      let renames = 0;
      files.fault = (call, path) =>
        call === 'rename' && (path.includes('.log') || path.includes('/t')) && renames++ === at
          ? fileError('EIO')
          : undefined;
      expect(await sync(log)).toMatchObject({ code: 'EIO' });
      files.fault = () => undefined;
      expect(await sync(log)).toBeNull();
      expect(await found(files.afterPowerFailure())).toEqual(['message']);
      expect((await readAll(log)).bodies.size).toBe(1);
    }
  });

  it('a crash between two renames costs nothing', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'message');
    const [path] = files.paths();
    files.renameSync(path!, `${path}.anew`);
    expect(await found(files.clone())).toEqual(['message']);
  });

  it('a log does not close as if all were well', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'message');
    files.failingDirectories = 5;
    expect(await log.close()).toMatchObject({ code: 'EIO' });
    expect(files.openCount).toBe(0);
  });
});

describe('a sync', () => {
  it('is of what was committed, though the next file is begun and what comes first is still being written', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 100 * KIB });
    files.manual = true;
    await put(log, 'zero');
    const before = sync(log);
    await put(log, 'first'.padEnd(5 * KIB));
    // Large ones are written off the event loop while a sync is under way.
    append(log, 'second'.padEnd(120 * KIB));
    const second = commit(log);
    append(log, 'third');
    const third = second.then(() => commit(log));
    files.step();
    // The write stays away while the sync and its followers end.
    const write = files.pending.shift()!;
    while (files.step()) await new Promise(setImmediate);
    await before;
    const next = sync(log);
    while (files.step()) await new Promise(setImmediate);
    expect(await next).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['zero', 'first']);
    files.manual = false;
    write();
    while (files.step()) await new Promise(setImmediate);
    expect(await second).toBeUndefined();
    while (files.step()) await new Promise(setImmediate);
    expect(await third).toBeUndefined();
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['zero', 'first', 'second', 'third']);
  });

  it('is of a file, too, whose end could not be written', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 4 * KIB });
    await put(log, 'first'.padEnd(5 * KIB));
    let isFull = true;
    files.fault = (call) => (isFull && call === 'write' ? fileError('ENOSPC') : undefined);
    append(log, 'second');
    expect(await commit(log)).toMatchObject({ code: 'ENOSPC' });
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['first']);
    isFull = false;
    await put(log, 'third');
    await log.close();
    expect(files.openCount).toBe(0);
  });
});
