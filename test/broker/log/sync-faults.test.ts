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

/** Syncs until that works; how often it did not. */
async function settled(log: TopicLog): Promise<number> {
  for (let failures = 0; failures < 5; failures++) if (!(await sync(log))) return failures;
  throw new Error('it never works');
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
    for (let at = 0; at < 6; at++) {
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

  it('a directory that could not get its name back has it before what is in doubt is written again', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'message');
    files.failingDirectories = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    files.fault = (call, path) => (call === 'rename' && path === '/t.anew' ? fileError('EIO') : undefined);
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    files.failing = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    files.fault = () => undefined;
    await settled(log);
    expect(await found(files.afterPowerFailure())).toEqual(['message']);
  });

  it('a file that was to be made and could not be is no hindrance', async () => {
    const files = new UnsureFiles();
    const log = openLog(files, { maxBytesPerFile: 4 * KIB });
    await put(log, 'first'.padEnd(5 * KIB));
    files.fault = (call, path) =>
      call === 'open' && path.endsWith('.log') ? fileError('ENOSPC') : undefined;
    append(log, 'no room');
    expect(await commit(log)).toMatchObject({ code: 'ENOSPC' });
    files.failingDirectories = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['first']);
  });

  it('the next file’s entries are made anew, though the first is gone meanwhile', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'first');
    files.failingDirectories = 1;
    expect(await sync(log)).toMatchObject({ code: 'EIO' });
    log.seal();
    log.removeSegment(log.segments.first!);
    expect(await sync(log)).toBeNull();
    const renamed: string[] = [];
    files.fault = (call, path) => {
      if (call === 'rename') renamed.push(path);
      return undefined;
    };
    await put(log, 'second');
    expect(await sync(log)).toBeNull();
    expect(renamed).toContain('/t');
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

describe('a file that somebody else removed', () => {
  it('is told of once; what goes into the next one is well', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'lost');
    files.contents.delete(files.paths()[0]!);
    expect(String(await sync(log))).toContain('was removed by somebody else');
    await put(log, 'kept');
    expect(await sync(log)).toBeNull();
    expect(await found(files.afterPowerFailure())).toEqual(['kept']);
  });

  it('is told of again for what was written to it meanwhile', async () => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'lost');
    files.contents.delete(files.paths()[0]!);
    const first = sync(log);
    await put(log, 'lost too');
    expect(String(await first)).toContain('was removed by somebody else');
    await put(log, 'kept');
    expect(String(await sync(log))).toContain('was removed by somebody else');
    await put(log, 'kept too');
    expect(await sync(log)).toBeNull();
  });

  it('is not one that the log itself replaced or removed while it was being synced', async () => {
    for (const replace of [true, false]) {
      const files = new UnsureFiles();
      const log = openLog(files, { maxBytesPerFile: 4 * KIB });
      await put(log, 'first'.padEnd(5 * KIB));
      files.manual = true;
      append(log, 'second');
      const second = commit(log);
      const syncing = files.pending.splice(0);
      expect(syncing).toHaveLength(1);
      files.manual = false;
      expect(await second).toBeUndefined();
      const first = log.segments.first!;
      if (replace) await log.compact(first, [0]);
      else log.removeSegment(first);
      for (const end of syncing) end();
      expect(await sync(log)).toBeNull();
      expect(await sync(log)).toBeNull();
    }
  });

  it.each([
    ['a sync of it', 'failing'],
    ['a sync of its directory', 'failingDirectories'],
  ] as const)('after %s that failed is no hindrance for the next ones', async (_what, failing) => {
    for (const size of [1, 5 * KIB]) {
      const files = new UnsureFiles();
      const log = openLog(files, { maxBytesPerFile: 4 * KIB });
      await put(log, 'lost'.padEnd(size));
      files[failing] = 1;
      expect(await sync(log)).toMatchObject({ code: 'EIO' });
      files.contents.delete(files.paths()[0]!);
      await put(log, 'in between');
      expect(await settled(log)).toBeGreaterThan(0);
      await put(log, 'kept');
      expect(await settled(log)).toBeLessThan(2);
      expect(await found(files.afterPowerFailure())).toContain('kept');
    }
  });
});

describe('a file system', () => {
  it('that counts no links is believed that a file is there', async () => {
    const files = new UnsureFiles();
    files.links = () => 0;
    const log = openLog(files);
    await put(log, 'message');
    expect(await sync(log)).toBeNull();
    files.contents.delete(files.paths()[0]!);
    await put(log, 'lost');
    expect(String(await sync(log))).toContain('was removed by somebody else');
  });

  it.each([
    ['ESTALE', 'was removed by somebody else'],
    ['EIO', 'null'],
  ])('that says %s of a file ends no process', async (code, said) => {
    const files = new UnsureFiles();
    const log = openLog(files);
    await put(log, 'message');
    files.links = () => {
      throw fileError(code);
    };
    expect(String(await sync(log))).toContain(said);
    files.links = (count) => count;
    await put(log, 'next');
    expect(await sync(log)).toBeNull();
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
