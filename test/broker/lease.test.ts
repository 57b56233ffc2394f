import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataLock } from '../../src/broker/data-lock.js';
import type { BrokerError } from '../../src/broker/errors.js';
import { FoundLock } from '../../src/broker/found-lock.js';
import type { Lease } from '../../src/broker/lease.js';
import { cleanup, tempDir } from '../support/temp.js';
import { until } from './limits/support/limits.js';
import { LoggerNotes } from './log/support/logs.js';
import { replaceLock, STRANGERS_LOCK } from './support/lock-files.js';

/** A lock that is held, with clocks that the test moves. */
class Held {
  readonly directory = tempDir();
  readonly path = join(this.directory, 'lock');
  readonly logger = new LoggerNotes();
  readonly told: BrokerError[] = [];
  monotonic = 1000;
  wall = 1_700_000_000_000;
  #lock: DataLock | undefined;

  static async take(): Promise<Held> {
    const held = new Held();
    const { logger, told, directory } = held;
    held.#lock = await DataLock.take(directory, 'the path', {
      logger,
      onLost: (error) => told.push(error),
      clocks: [() => held.monotonic, () => held.wall],
    });
    cleanup(() => held.release());
    return held;
  }

  get lease(): Lease {
    return this.#lock!.lease;
  }

  /** Time goes by: on both clocks, or as much on each. */
  pass(monotonic: number, wall = monotonic): void {
    this.monotonic += monotonic;
    this.wall += wall;
  }

  async release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }
}

const TAKEN = {
  code: 'E_LOCKED',
  message: "data path 'the path' was taken over by process 4711 on host elsewhere",
};

describe('a lock that another broker took over', () => {
  it('is noticed within a tenth of a second, whichever clock says so', async () => {
    for (const last of [
      [1, 0],
      [0, 1],
      [0, -200],
    ] as const) {
      const held = await Held.take();
      replaceLock(held.path);
      held.pass(99);
      held.lease.check();
      held.pass(last[0], last[1]);
      expect(() => held.lease.check()).toThrow(TAKEN.message);
    }
  });

  it('is noticed at once where nothing that was seen before is to count', async () => {
    const held = await Held.take();
    held.lease.check(true);
    replaceLock(held.path);
    expect(() => held.lease.check(true)).toThrow(expect.objectContaining(TAKEN));
  });

  it('is told of once, stays lost, and is left alone at the end', async () => {
    const held = await Held.take();
    replaceLock(held.path);
    expect(held.lease.isHeld(true)).toBe(false);
    rmSync(held.path);
    replaceLock(held.path);
    expect([held.lease.isHeld(), held.lease.isHeld(true)]).toEqual([false, false]);
    expect(held.told).toEqual([held.lease.lost]);
    await held.release();
    expect(readdirSync(held.directory)).toEqual(['lock']);
    expect(readFileSync(held.path, 'utf8')).toBe(STRANGERS_LOCK);
  });

  it('is noticed where nobody asks', async () => {
    const held = await Held.take();
    replaceLock(held.path);
    await until(() => held.told.length > 0, 'it is noticed');
  });

  it('is left alone although it was not noticed before the end', async () => {
    const held = await Held.take();
    replaceLock(held.path);
    await held.release();
    expect(readFileSync(held.path, 'utf8')).toBe(STRANGERS_LOCK);
    expect(held.told).toEqual([]);
  });

  it.each([
    ['says nothing', (path: string) => replaceLock(path, ''), 'was taken over by another broker'],
    ['is a copy of its own', replaceByCopy, `was taken over by process ${process.pid} on host ${hostname()}`],
    [
      'was written over',
      (path: string) => writeFileSync(path, STRANGERS_LOCK),
      'was taken over by process 4711',
    ],
    ['is a directory', replaceByDirectory, 'was taken over by another broker'],
    ['is a pipe', replaceByPipe, 'was taken over by another broker'],
    ['is gone', (path: string) => rmSync(path), "is no longer this broker's"],
  ])('is lost where the file %s', async (_what, change, words) => {
    const held = await Held.take();
    change(held.path);
    expect(() => held.lease.check(true)).toThrow(words);
    expect(held.lease.lost?.code).toBe('E_LOCKED');
  });

  it('is lost where its directory was moved away', async () => {
    const held = await Held.take();
    renameSync(held.directory, `${held.directory}.old`);
    cleanup(() => rmSync(`${held.directory}.old`, { recursive: true }));
    expect(() => held.lease.check(true)).toThrow(`${held.path} was removed, or moved away`);
  });
});

function replaceByCopy(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}

function replaceByDirectory(path: string): void {
  rmSync(path);
  mkdirSync(path);
}

function replaceByPipe(path: string): void {
  rmSync(path);
  execFileSync('mkfifo', [path]);
}

describe('a lock that is held', () => {
  const age = (path: string): number => Date.now() - statSync(path).mtimeMs;
  const makeOld = (path: string): void => utimesSync(path, 1000, 1000);

  it('is renewed at once when that is late, by either clock', async () => {
    const held = await Held.take();
    for (const time of [
      [1500, 1500],
      [1500, 0],
      [0, 1500],
    ] as const) {
      makeOld(held.path);
      held.pass(time[0], time[1]);
      held.lease.check();
      expect(age(held.path)).toBeLessThan(10_000);
    }
    makeOld(held.path);
    held.pass(499);
    held.lease.check();
    expect(age(held.path)).toBeGreaterThan(10_000);
  });

  it('is renewed off the event loop before that, since a sync of other files may hold it up', async () => {
    const held = await Held.take();
    makeOld(held.path);
    held.pass(500);
    held.lease.check();
    await until(() => age(held.path) < 10_000, 'it is renewed');
  });

  it('is renewed while other files keep all threads waiting', async () => {
    const pipe = join(tempDir(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const opened = Array.from(
      { length: 8 },
      () => new Promise<void>((resolve) => open(pipe, 'r', (_error, fd) => resolve(closeSync(fd)))),
    );
    // A writer lets them go.
    const letGo = async (): Promise<void> => {
      const writer = openSync(pipe, 'r+');
      await Promise.all(opened);
      closeSync(writer);
    };
    try {
      const directory = tempDir();
      const lock = await DataLock.take(directory, directory);
      makeOld(join(directory, 'lock'));
      await until(() => age(join(directory, 'lock')) < 10_000, 'it is renewed');
      await lock.release();
    } finally {
      await letGo();
    }
  });

  it('is not given up where the system does not tell, but for no longer than two seconds', async () => {
    const held = await Held.take();
    const whileHidden = (run: () => void): void => withoutAccess(held.directory, run);
    held.pass(1900);
    whileHidden(() => held.lease.check());
    held.pass(100);
    whileHidden(() => {
      expect(() => held.lease.check()).toThrow(
        "cannot tell whether data path 'the path' is still this broker's",
      );
      expect(held.lease.isHeld()).toBe(true);
    });
    held.lease.check();
    expect(held.told).toEqual([]);
  });
});

/** Runs it as a user who may not look into the directory. */
function withoutAccess(directory: string, run: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  chmodSync(directory, 0);
  if (isRoot) process.seteuid!(65_534);
  try {
    run();
  } finally {
    if (isRoot) process.seteuid!(0);
    chmodSync(directory, 0o700);
  }
}

describe('a lock file that is to be removed because nobody renewed it', () => {
  it.each([
    ['was renewed after all', (path: string) => utimesSync(path, 2000, 2000), STRANGERS_LOCK],
    ['is another one’s by now', (path: string) => replaceLock(path, '{"pid":1}'), '{"pid":1}'],
  ])('stays if it %s', (_what, change, content) => {
    const path = join(tempDir(), 'lock');
    writeFileSync(path, STRANGERS_LOCK);
    const found = new FoundLock(path);
    change(path);
    found.remove();
    expect(readFileSync(path, 'utf8')).toBe(content);
    expect(readdirSync(join(path, '..'))).toEqual(['lock']);
  });

  it('goes else', () => {
    const path = join(tempDir(), 'lock');
    writeFileSync(path, STRANGERS_LOCK);
    new FoundLock(path).remove();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });
});
