import { readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BrokerError, messageOf } from './errors.js';

/** Who holds a data path: a process is known by its id, when it was started, and on which boot of which host. */
interface Holder {
  pid: number;
  started: string;
  boot: string;
  host: string;
}

const FILE = 'lock';

/** Keeps a data path for one broker: a file that says which process holds it. One left by a crash does not hold. */
export class DataLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * @param directory where the lock file goes
   * @param dataPath what the error names
   * @throws BrokerError E_LOCKED if a living process holds it
   */
  static async take(directory: string, dataPath: string): Promise<DataLock> {
    const path = join(directory, FILE);
    const own = JSON.stringify(describe(process.pid));
    for (let tries = 0; tries < 3; tries++) {
      try {
        writeFileSync(path, own, { flag: 'wx', mode: 0o600 });
        return new DataLock(path);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
          throw new BrokerError('E_DATA_PATH', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
        }
      }
      const holder = read(path);
      if (holder && isAlive(holder)) {
        throw new BrokerError(
          'E_LOCKED',
          `data path '${dataPath}' is held by another broker (process ${holder.pid})`,
        );
      }
      rmSync(path, { force: true });
    }
    throw new BrokerError('E_LOCKED', `data path '${dataPath}' is being taken by another broker`);
  }

  async release(): Promise<void> {
    unlinkSync(this.#path);
  }
}

function describe(pid: number): Holder {
  return { pid, started: startOf(pid), boot: bootId(), host: hostname() };
}

function read(path: string): Holder | undefined {
  try {
    const holder: Partial<Holder> = JSON.parse(readFileSync(path, 'utf8'));
    return typeof holder.pid === 'number'
      ? { started: '', boot: '', host: '', ...holder, pid: holder.pid }
      : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.boot !== bootId()) return false;
  if (holder.pid === process.pid)
    return holder.started === startOf(process.pid) && holder.host === hostname();
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return holder.started === startOf(holder.pid);
}

/** When a process was started, in the kernel's ticks; empty where the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
