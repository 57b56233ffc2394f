import { closeSync, lstatSync, openSync, rmSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BrokerError, messageOf } from './errors.js';
import { FoundLock } from './found-lock.js';
import { Lease, type LeaseOptions } from './lease.js';
import { type LockHolder, ownHolder, readHolder } from './lock-holder.js';
import { SILENT } from './logger.js';

const FILE = 'lock';
const ALONE: LeaseOptions = { logger: SILENT, onLost: () => {} };

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
  readonly #lease: Lease;

  private constructor(path: string, socket: Server | undefined, lease: Lease) {
    this.#path = path;
    this.#socket = socket;
    this.#lease = lease;
  }

  /**
   * @param directory where the lock file goes
   * @param dataPath what errors name
   * @throws BrokerError E_LOCKED if another broker holds it, E_DATA_PATH if the file cannot be written
   */
  static async take(directory: string, dataPath: string, options: LeaseOptions = ALONE): Promise<DataLock> {
    const path = join(directory, FILE);
    const socket = await takeSocket(directory, () => heldError(dataPath, readHolder(path)));
    try {
      const { fd, text } = await takeFile(path, dataPath);
      return new DataLock(path, socket, new Lease(fd, text, path, dataPath, options));
    } catch (error) {
      socket?.close();
      throw error;
    }
  }

  /** See {@link Lease}. */
  get lease(): Lease {
    return this.#lease;
  }

  async release(): Promise<void> {
    if (this.#lease.end()) rmSync(this.#path, { force: true });
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

async function takeFile(path: string, dataPath: string): Promise<{ fd: number; text: Buffer }> {
  const text = Buffer.from(JSON.stringify(ownHolder()));
  for (;;) {
    try {
      const fd = openSync(path, 'wx', 0o600);
      return { fd, text: text.subarray(0, fill(fd, text, path)) };
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) {
        throw new BrokerError('E_DATA_PATH', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
      }
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new BrokerError('E_DATA_PATH', `${path} is not a file: move it away`);
    }
    const found = new FoundLock(path);
    if (await found.isHeld()) throw heldError(dataPath, found.holder);
    found.remove();
  }
}

/** Bytes written. A full disk leaves the file empty: it locks all the same, because its time is renewed. */
function fill(fd: number, text: Buffer, path: string): number {
  try {
    return writeSync(fd, text);
  } catch (error) {
    if (hasCode(error, 'ENOSPC')) return 0;
    closeSync(fd);
    unlinkSync(path);
    throw error;
  }
}

function heldError(dataPath: string, holder: LockHolder | undefined): BrokerError {
  const who = holder
    ? ` (process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`})`
    : '';
  return new BrokerError('E_LOCKED', `data path '${dataPath}' is held by another broker${who}`);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
