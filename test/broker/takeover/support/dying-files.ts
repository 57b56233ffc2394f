import { type Files, REAL_FILES } from '../../../../src/broker/log/files.js';

/** A call that changes something on disk, or makes it durable. */
export interface Call {
  readonly what: 'make' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove';
  readonly path: string;
  readonly to?: string;
}

class Killed extends Error {
  override readonly name = 'Killed';
}

/** The real file system, up to the moment the process is killed: from then on, nothing is changed any more. */
export class DyingFiles implements Files {
  readonly calls: Call[] = [];
  readonly #last: number;
  readonly #paths = new Map<number, string>();

  /** @param last how many changes are let through; a write that comes next is done by half */
  constructor(last = Number.POSITIVE_INFINITY) {
    this.#last = last;
  }

  openSync(path: string, flags: string | number): number {
    if (flags === 'w' || flags === 'w+') this.#change({ what: 'make', path });
    const fd = REAL_FILES.openSync(path, flags);
    this.#paths.set(fd, path);
    return fd;
  }

  closeSync(fd: number): void {
    REAL_FILES.closeSync(fd);
  }

  writeSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    this.#change({ what: 'write', path: this.#paths.get(fd)! }, () =>
      REAL_FILES.writeSync(fd, buf, offset, length >> 1, position),
    );
    return REAL_FILES.writeSync(fd, buf, offset, length, position);
  }

  isFileSync(path: string): boolean {
    return REAL_FILES.isFileSync(path);
  }

  readSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    return REAL_FILES.readSync(fd, buf, offset, length, position);
  }

  read: Files['read'] = REAL_FILES.read;

  write: Files['write'] = (fd, buf, offset, length, position, done) => {
    try {
      this.#change({ what: 'write', path: this.#paths.get(fd)! });
    } catch (error) {
      setImmediate(done, error as Error, 0);
      return;
    }
    REAL_FILES.write(fd, buf, offset, length, position, done);
  };

  ftruncateSync(fd: number, length: number): void {
    this.#change({ what: 'truncate', path: this.#paths.get(fd)! });
    REAL_FILES.ftruncateSync(fd, length);
  }

  fdatasyncSync(fd: number): void {
    this.#change({ what: 'sync', path: this.#paths.get(fd)! });
  }

  fdatasync(fd: number, done: (error: Error | null) => void): void {
    try {
      this.#change({ what: 'sync', path: this.#paths.get(fd)! });
    } catch (error) {
      setImmediate(done, error as Error);
      return;
    }
    setImmediate(done, null);
  }

  fstatSync(fd: number): ReturnType<Files['fstatSync']> {
    return REAL_FILES.fstatSync(fd);
  }

  renameSync(from: string, to: string): void {
    this.#change({ what: 'rename', path: from, to });
    REAL_FILES.renameSync(from, to);
  }

  unlinkSync(path: string): void {
    this.#change({ what: 'remove', path });
    REAL_FILES.unlinkSync(path);
  }

  mkdirSync(path: string): void {
    this.#change({ what: 'make', path });
    REAL_FILES.mkdirSync(path);
  }

  readdirSync(path: string): string[] {
    return REAL_FILES.readdirSync(path);
  }

  rmSync(path: string): void {
    this.#change({ what: 'remove', path });
    REAL_FILES.rmSync(path);
  }

  #change(call: Call, half = (): unknown => undefined): void {
    if (this.calls.length === this.#last) half();
    this.calls.push(call);
    if (this.calls.length > this.#last) throw new Killed(`killed before ${call.what} ${call.path}`);
  }
}
