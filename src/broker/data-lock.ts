import {
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimes,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BrokerError, messageOf } from './errors.js';

/** Who holds a data path: a process is known by its id, when it was started, and where. */
interface Holder {
  pid: number;
  /** In the kernel's ticks since the boot; empty where the system does not tell. */
  started: string;
  /** The machine since its last start, and the processes that see each other there: a container has its own. */
  boot: string;
  processes: string;
  host: string;
}

const FILE = 'lock';
/** How often a holder touches its file (ms), and how long another looks whether it does. */
const TOUCH_INTERVAL = 1000;
const WATCH = 3500;
const WATCH_STEP = 100;

/**
 * Keeps a data path for one broker, by two locks:
 *
 * - a socket of Linux's abstract namespace that is named after the directory: the kernel lets only one process have it,
 *   and takes it back when the process dies, however it dies;
 * - a file that says who holds it, for systems without such sockets and for containers that share a volume. One whose
 *   process is dead does not hold; of a process that cannot be looked up from here, the file's time tells, which its
 *   holder renews.
 */
export class DataLock {
  readonly #path: string;
  readonly #socket: Server | undefined;
  readonly #touching: NodeJS.Timeout;

  private constructor(path: string, socket: Server | undefined) {
    this.#path = path;
    this.#socket = socket;
    this.#touching = setInterval(() => utimes(path, new Date(), new Date(), () => {}), TOUCH_INTERVAL);
    this.#touching.unref();
  }

  /**
   * @param directory where the lock file goes
   * @param dataPath what the error names
   * @throws BrokerError E_LOCKED if another broker holds it, E_DATA_PATH if the file cannot be written
   */
  static async take(directory: string, dataPath: string): Promise<DataLock> {
    const path = join(directory, FILE);
    const socket = await takeSocket(directory, () => heldError(dataPath, read(path)));
    try {
      await takeFile(path, dataPath);
      return new DataLock(path, socket);
    } catch (error) {
      socket?.close();
      throw error;
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#touching);
    // It may be gone with its directory.
    rmSync(this.#path, { force: true });
    await new Promise<void>((resolve) => (this.#socket ? this.#socket.close(() => resolve()) : resolve()));
  }
}

async function takeSocket(directory: string, held: () => BrokerError): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { dev, ino } = statSync(directory);
  const server = createServer();
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Any other trouble (a sandbox without such sockets) leaves the file to do the work.
      if (error.code === 'EADDRINUSE') reject(held());
      else resolve(undefined);
    });
    server.listen(`\0nsq-data-path:${dev}:${ino}`, () => resolve(server));
  });
}

async function takeFile(path: string, dataPath: string): Promise<void> {
  const own = JSON.stringify(describe(process.pid));
  for (;;) {
    try {
      writeFileSync(path, own, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      // A full disk leaves the file empty. It locks all the same, because its time is renewed.
      if (hasCode(error, 'ENOSPC') && existsSync(path)) return;
      if (!hasCode(error, 'EEXIST')) {
        throw new BrokerError('E_DATA_PATH', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
      }
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new BrokerError('E_DATA_PATH', `${path} is not a file: move it away`);
    }
    const holder = read(path);
    if (await isHeld(path, holder)) throw heldError(dataPath, holder);
    setAside(path, holder);
  }
}

/** Removes the file of a dead holder, but not one that another broker put in its place meanwhile. */
function setAside(path: string, holder: Holder | undefined): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = read(aside);
  if (JSON.stringify(moved) !== JSON.stringify(holder)) renameSync(aside, path);
  else unlinkSync(aside);
}

function heldError(dataPath: string, holder: Holder | undefined): BrokerError {
  const who = holder
    ? ` (process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`})`
    : '';
  return new BrokerError('E_LOCKED', `data path '${dataPath}' is held by another broker${who}`);
}

function describe(pid: number): Holder {
  return { pid, started: startOf(pid), boot: bootId(), processes: processSpace(), host: hostname() };
}

function read(path: string): Holder | undefined {
  try {
    const holder: Partial<Holder> | null = JSON.parse(readFileSync(path, 'utf8'));
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

async function isHeld(path: string, holder: Holder | undefined): Promise<boolean> {
  return holder && isNear(holder) ? isAlive(holder) : isTouched(path);
}

/**
 * Whether the holder's process could be seen from here. A name of the host does not tell: another machine, or another
 * container on this one, may have the same.
 */
function isNear({ boot, processes, host }: Holder): boolean {
  return boot === bootId() && processes === processSpace() && (boot !== '' || host === hostname());
}

/** Whether somebody renews the file's time. */
async function isTouched(path: string): Promise<boolean> {
  const before = timeOf(path);
  for (let waited = 0; waited < WATCH; waited += WATCH_STEP) {
    await wait(WATCH_STEP);
    if (timeOf(path) !== before) return true;
  }
  return false;
}

function timeOf(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
  // One that has ended stays a zombie for as long as its parent does not ask, which in a container may be for good.
  return holder.started === startOf(holder.pid) && !ENDED.has(statOf(holder.pid)[0] ?? '');
}

/** Marks of a process that has ended: zombie, dead. */
const ENDED: ReadonlySet<string> = new Set(['Z', 'X']);

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

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
