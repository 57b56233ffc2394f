import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { holderOf, takeNsqdLock } from '../../../src/broker/takeover/nsqd-lock.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { importFrom, newData } from './support/imports.js';
import { dataName, messages } from './support/nsqd-data.js';

/** A line of /proc/locks for a directory on a device of small numbers. */
function lockLine(path: string, what: string, pid = 4711): string {
  const { dev, ino } = statSync(path);
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `7: ${what}  ADVISORY  WRITE ${pid} ${hex((dev >> 8) & 0xfff)}:${hex((dev & 0xff) | ((dev >> 12) & 0xfff00))}:${ino} 0 EOF`;
}

test('who holds a directory by flock, as nsqd does', () => {
  const path = tempDir();
  const other = tempDir();
  expect(holderOf(path, '')).toBeUndefined();
  expect(holderOf(path, lockLine(other, 'FLOCK'))).toBeUndefined();
  expect(holderOf(path, lockLine(path, 'POSIX'))).toBeUndefined();
  expect(holderOf(path, `${lockLine(other, 'FLOCK')}\n${lockLine(path, 'FLOCK')}\n`)).toBe(4711);
  expect(holderOf(path)).toBeUndefined();
});

const hasFlock = spawnSync('flock', ['--version']).status === 0;
/** As in a container, whose list of locks shows only those of its own processes. */
const UNSEEN = { locks: '' };

/** A process that locks the directory as nsqd does, until the test is over. */
async function lockAsNsqd(directory: string): Promise<void> {
  const child = spawn('flock', [directory, 'sh', '-c', 'echo locked; cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  cleanup(() => {
    const ended = once(child, 'exit');
    child.stdin.end();
    return ended;
  });
  await once(child.stdout, 'data');
}

describe.runIf(hasFlock)('the lock of an nsqd that cannot be seen', () => {
  it('shows in that it cannot be had', async () => {
    const path = tempDir();
    await lockAsNsqd(path);
    expect(takeNsqdLock(path, UNSEEN).holder).toBe(0);
  });

  it('is kept from nsqd while the import lasts', () => {
    const path = tempDir();
    const lock = takeNsqdLock(path);
    expect(lock.holder).toBe('free');
    expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(1);
    lock.release();
    expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(0);
  });

  it('keeps its files from being imported', async () => {
    const data = newData().metadata({ t: [] }).queue('t', messages(0, 3));
    await lockAsNsqd(data.path);
    await expect(importFrom(data)).rejects.toMatchObject({ code: 'E_LOCKED' });
    expect([data.has('nsqd.dat'), data.has(dataName('t'))]).toEqual([true, true]);
  });
});

describe('a program that is to take the lock', () => {
  const holderBy = (...scripts: string[]): unknown =>
    takeNsqdLock(tempDir(), { ...UNSEEN, programs: scripts.map((script) => ['sh', '-c', script]) }).holder;

  it.each([
    ['says nothing and ends with 1: it is held', ['exit 1'], 0],
    ['complains and ends with 1: nothing is known', ['echo no such descriptor >&2; exit 1'], 'unknown'],
    ['ends with another code: nothing is known', ['exit 66'], 'unknown'],
    ['is killed: nothing is known', ['kill -9 $$'], 'unknown'],
    ['does not know, but the next one does', ['exit 127', 'exit 0'], 'free'],
    ['knows: the next one is not asked', ['exit 1', 'exit 0'], 0],
  ])('%s', (_what, scripts, holder) => {
    expect(holderBy(...scripts)).toBe(holder);
  });

  it('is not there: nothing is known', () => {
    const programs = [['/nowhere/flock']];
    expect(takeNsqdLock(tempDir(), { ...UNSEEN, programs }).holder).toBe('unknown');
  });
});
