import { readFileSync, statSync } from 'node:fs';

/** Advisory locks of the system, a line each: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:2179482 0 EOF`. */
const LOCK = /^\d+: FLOCK\s+\S+\s+WRITE\s+(\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/;

/**
 * The id of the process that holds the directory by flock, as nsqd does while it runs; undefined if there is none, or where
 * the system does not tell.
 */
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
