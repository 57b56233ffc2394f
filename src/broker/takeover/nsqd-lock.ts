import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';

/** Advisory locks of the system, a line each: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:2179482 0 EOF`. */
const LOCK = /^\d+: FLOCK\s+\S+\s+WRITE\s+(\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/;
/** What can lock a descriptor, that of util-linux and that of busybox; where it is in the child; how long it may take (ms). */
const PROGRAMS: readonly (readonly string[])[] = [['flock'], ['busybox', 'flock']];
const CHILD_FD = 3;
const TIMEOUT = 1000;

/**
 * What is known of nsqd's lock on a directory: its holder's process id, 0 where only that there is one; `free`, where it is
 * kept from nsqd until `release`; or `unknown`, because there is no program that says more than the kernel's list of locks.
 */
export interface NsqdLock {
  readonly holder: number | 'free' | 'unknown';
  release(): void;
}

/**
 * Takes the lock that nsqd has on its data path while it runs. The kernel's list names the processes that can be seen from
 * here; that of another container shows only in that the lock cannot be had, and Node has no call for it.
 */
export function takeNsqdLock(
  directory: string,
  { locks = systemLocks(), programs = PROGRAMS } = {},
): NsqdLock {
  const pid = holderOf(directory, locks);
  if (pid !== undefined) return { holder: pid, release: () => {} };
  const fd = openSync(directory, 'r');
  const holder = programs.reduce<NsqdLock['holder']>(
    (known, program) => (known === 'unknown' ? lockBy(program, fd) : known),
    'unknown',
  );
  return { holder, release: () => closeSync(fd) };
}

/**
 * Has a program lock our own descriptor, which keeps the lock when the program has ended. All of them exit with 1 when it
 * is held, and only then say nothing: what else they cannot do they complain about.
 */
function lockBy([program = '', ...args]: readonly string[], fd: number): NsqdLock['holder'] {
  const { status, stderr } = spawnSync(program, [...args, '-n', String(CHILD_FD)], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    timeout: TIMEOUT,
    killSignal: 'SIGKILL',
  });
  if (status === 0) return 'free';
  return status === 1 && stderr.length === 0 ? 0 : 'unknown';
}

/** The id of the process that holds the directory by flock, where it can be seen from here. */
export function holderOf(directory: string, locks: string = systemLocks()): number | undefined {
  const { dev, ino } = statSync(directory, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  for (const line of locks.split('\n')) {
    const match = LOCK.exec(line);
    if (!match) continue;
    const [, pid, lockMajor, lockMinor, inode] = match;
    const same = BigInt(`0x${lockMajor}`) === major && BigInt(`0x${lockMinor}`) === minor;
    if (same && inode === String(ino)) return Number(pid);
  }
  return undefined;
}

function systemLocks(): string {
  try {
    return readFileSync('/proc/locks', 'utf8');
  } catch {
    return '';
  }
}
