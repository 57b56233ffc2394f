import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { holderOf } from '../../../src/broker/takeover/nsqd-lock.js';
import { tempDir } from '../../support/temp.js';

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
