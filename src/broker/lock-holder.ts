import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who holds a data path: a process is known by its id, when it was started, and where. */
export interface LockHolder {
  readonly pid: number;
  /** In the kernel's ticks since the boot; empty where the system does not tell. */
  readonly started: string;
  /** The machine since its last start, and the processes that see each other there: a container has its own. */
  readonly boot: string;
  readonly processes: string;
  readonly host: string;
}

/** Marks of a process that has ended: zombie, dead. */
const ENDED: ReadonlySet<string> = new Set(['Z', 'X']);

/** This process. */
export function ownHolder(): LockHolder {
  const { pid } = process;
  return { pid, started: startOf(pid), boot: bootId(), processes: processSpace(), host: hostname() };
}

/** What a lock file says; undefined if it is not there, or says nothing. */
export function readHolder(path: string): LockHolder | undefined {
  try {
    // Who reads a pipe waits for its writer.
    if (!lstatSync(path).isFile()) return undefined;
    const holder: Partial<LockHolder> | null = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof holder?.pid !== 'number') return undefined;
    return {
      pid: holder.pid,
      started: holder.started ?? '',
      boot: holder.boot ?? '',
      processes: holder.processes ?? '',
      host: holder.host ?? '',
    };
  } catch {
    return undefined;
  }
}

/**
 * Whether the holder's process could be seen from here. A name of the host does not tell: another machine, or another
 * container on this one, may have the same.
 */
export function isNear({ boot, processes, host }: LockHolder): boolean {
  return boot === bootId() && processes === processSpace() && (boot !== '' || host === hostname());
}

/** Whether a process that could be seen from here is there. */
export function isAlive(holder: LockHolder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // One that has ended stays a zombie for as long as its parent does not ask, which in a container may be for good.
  return holder.started === startOf(holder.pid) && !ENDED.has(statOf(holder.pid)[0] ?? '');
}

function startOf(pid: number): string {
  return statOf(pid)[19] ?? '';
}

/** What the kernel says of a process, from its state on; empty if it says nothing. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The process's name, in brackets, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Which processes this one can see; empty where the system does not tell. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
