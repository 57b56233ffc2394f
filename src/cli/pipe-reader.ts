import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { codeOf } from './errors.js';

const CHECK_MS = 100;
const OWNER_READ = 0o400;
const REFUSALS: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/**
 * Calls `leave` when the last reader of a pipe closes it, without waiting for the next write to fail: `nsq tail … |
 * head -1` has to end when `head` has its line, not when the next message comes.
 *
 * Node has no `poll` for a pipe's writing end, so this looks for the readers in /proc, once, and then only whether
 * those are still there. Where no reader can be seen (no Linux, another user's process) nothing happens.
 *
 * @returns what stops the watch
 */
export function watchPipeReader(descriptor: number, leave: () => void): () => void {
  const pipe = linkOf(`/proc/self/fd/${descriptor}`);
  if (!pipe?.startsWith('pipe:')) return () => {};
  let known = readersOf(pipe);
  if (known.length === 0) return () => {};
  const timer = setInterval(() => {
    if (known.some((path) => linkOf(path) === pipe)) return;
    // One that has become another user's, as `| sudo tee` does, may read on, unseen.
    const isHidden = known.some(isAnothers);
    known = readersOf(pipe);
    if (known.length > 0) return;
    clearInterval(timer);
    if (!isHidden) leave();
  }, CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The descriptors, as paths below /proc, that are open for reading from the pipe. */
function readersOf(pipe: string): string[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => entries(`/proc/${pid}/fd`).map((descriptor) => `/proc/${pid}/fd/${descriptor}`))
    .filter((path) => linkOf(path) === pipe && isReading(path));
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // gone by now, or another user's
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // gone by now, or another user's
  }
}

/** Also where /proc does not show other users' processes: a signal to one is refused, or finds what is not shown. */
function isAnothers(path: string): boolean {
  const pid = path.split('/')[2] ?? '';
  try {
    process.kill(Number(pid), 0);
    if (!existsSync(`/proc/${pid}`)) return true;
    readlinkSync(path);
    return false;
  } catch (error) {
    return error instanceof Error && REFUSALS.has(codeOf(error));
  }
}

/** The link's permissions are those that the descriptor was opened with. */
function isReading(path: string): boolean {
  try {
    return (lstatSync(path).mode & OWNER_READ) !== 0;
  } catch {
    return false;
  }
}
