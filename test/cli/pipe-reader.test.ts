import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchPipeReader } from '../../src/cli/pipe-reader.js';

const PIPE = 'pipe:[1]';
const OWN = '/proc/self/fd/1';
const READER = '/proc/7/fd/0';
const OTHER = '/proc/8/fd/0';

/** What /proc has: where descriptors lead, or the code of the error of who looks. */
const proc = vi.hoisted(() => new Map<string, string>());

vi.mock('node:fs', () => ({
  readlinkSync: (path: string) => {
    const link = proc.get(path) ?? 'ENOENT';
    if (!/^E[A-Z]+$/.test(link)) return link;
    throw Object.assign(new Error(link), { code: link });
  },
  readdirSync: (path: string) =>
    [...proc.keys()]
      .filter((one) => one.startsWith(`${path}/`))
      .map((one) => one.slice(path.length + 1).split('/')[0]),
  existsSync: (path: string) => [...proc.keys()].some((one) => one.startsWith(`${path}/`)),
  lstatSync: () => ({ mode: 0o400 }),
}));

const leave = vi.fn();
const kill = vi.spyOn(process, 'kill');
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  proc.clear();
  proc.set(OWN, PIPE);
  proc.set(READER, PIPE);
  leave.mockClear();
  kill.mockReturnValue(true);
  stop = watchPipeReader(1, leave);
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

function refuse(code: string): void {
  kill.mockImplementation(() => {
    throw Object.assign(new Error(code), { code });
  });
}

test('the last reader that goes is noticed, also if it had the pipe from another', () => {
  vi.advanceTimersByTime(1000);
  expect(leave).not.toHaveBeenCalled();
  proc.set(OTHER, PIPE);
  proc.delete(READER);
  vi.advanceTimersByTime(1000);
  expect(leave).not.toHaveBeenCalled();
  proc.set(OTHER, 'pipe:[2]');
  vi.advanceTimersByTime(1000);
  expect(leave).toHaveBeenCalledOnce();
});

test('a process that is no more is gone', () => {
  proc.delete(READER);
  refuse('ESRCH');
  vi.advanceTimersByTime(1000);
  expect(leave).toHaveBeenCalledOnce();
});

test("a reader that has become another user's may read on", () => {
  proc.set(READER, 'EACCES');
  vi.advanceTimersByTime(1000);
  expect(leave).not.toHaveBeenCalled();
});

test.each([true, false])(
  "so may one in a /proc that does not show other users' processes (signals: %s)",
  (taken) => {
    proc.delete(READER);
    if (!taken) refuse('EPERM');
    vi.advanceTimersByTime(1000);
    expect(leave).not.toHaveBeenCalled();
  },
);

test('a process that goes on without the pipe has left it', () => {
  proc.delete(READER);
  proc.set('/proc/7/fd/2', '/dev/null');
  vi.advanceTimersByTime(1000);
  expect(leave).toHaveBeenCalledOnce();
});
