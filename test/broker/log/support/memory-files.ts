import type { Files } from '../../../../src/broker/log/files.js';

type Content = { bytes: Buffer; size: number; readonly ino: number };

let nextIno = 1;
type Done = (error: Error | null, bytes: number) => void;

/** What is to go wrong with a call: an error, or only so many bytes of it done. */
export type Fault = Error | number | undefined;

/** The calls that a fault can be put in the way of. */
export type FaultableCall =
  | 'open'
  | 'close'
  | 'write'
  | 'writeAside'
  | 'read'
  | 'readAside'
  | 'truncate'
  | 'sync'
  | 'syncAside'
  | 'rename'
  | 'unlink';

/** A file error as the system gives it. */
export function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: put in the way`), { code });
}

/** A file system in memory, to cut, flip, clone and fail at will. Directories need not be made; their
 * names have no dot. */
export class MemoryFiles implements Files {
  readonly contents = new Map<string, Content>();
  readonly #open = new Map<number, { path: string; content: Content }>();
  #nextFd = 100;
  readonly #closed: number[] = [];
  /** Numbers of closed descriptors are given again. */
  reuse = false;
  /** Asked before every call. */
  fault: (call: FaultableCall, path: string) => Fault = () => undefined;
  /** What is said of how many names a file has. */
  links: (count: number) => number = (count) => count;
  /** Calls off the event loop that were not called back yet; with `manual` they wait for `step`. */
  readonly pending: (() => void)[] = [];
  manual = false;

  /** Open file descriptors. */
  get openCount(): number {
    return this.#open.size;
  }

  paths(): string[] {
    return [...this.contents.keys()].sort();
  }

  get(path: string): Buffer {
    const content = this.contents.get(path);
    if (!content) throw fileError('ENOENT');
    return content.bytes.subarray(0, content.size);
  }

  put(path: string, bytes: Buffer): void {
    this.contents.set(path, { bytes: Buffer.from(bytes), size: bytes.length, ino: nextIno++ });
  }

  /** What a process that starts now would find. */
  clone(): MemoryFiles {
    const copy = new MemoryFiles();
    for (const path of this.contents.keys()) copy.put(path, this.get(path));
    return copy;
  }

  /** Ends the oldest call off the event loop; false if there is none. */
  step(): boolean {
    const next = this.pending.shift();
    next?.();
    return next !== undefined;
  }

  openSync(path: string, flags: string | number): number {
    this.#check('open', path);
    let content = this.contents.get(path);
    const isDirectory = !content && !path.includes('.');
    const makes = typeof flags === 'string' && flags.startsWith('w');
    if (!content && !makes && !isDirectory) throw fileError('ENOENT');
    if (!content) {
      content = { bytes: Buffer.alloc(0), size: 0, ino: nextIno++ };
      if (!isDirectory) this.contents.set(path, content);
    } else if (makes) content.size = 0;
    const fd = (this.reuse && this.#closed.pop()) || this.#nextFd++;
    this.#open.set(fd, { path, content });
    return fd;
  }

  closeSync(fd: number): void {
    const { path } = this.#file(fd);
    this.#open.delete(fd);
    this.#closed.push(fd);
    this.#check('close', path);
  }

  writeSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    return this.#write(fd, buf, offset, this.#part('write', fd, length), position);
  }

  readSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    return this.#read(fd, buf, offset, this.#part('read', fd, length), position);
  }

  read(fd: number, buf: Buffer, offset: number, length: number, position: number, done: Done): void {
    this.#later(done, () => this.#read(fd, buf, offset, this.#part('readAside', fd, length), position));
  }

  write(fd: number, buf: Buffer, offset: number, length: number, position: number, done: Done): void {
    this.#later(done, () => this.#write(fd, buf, offset, this.#part('writeAside', fd, length), position));
  }

  ftruncateSync(fd: number, length: number): void {
    const { path, content } = this.#file(fd);
    this.#check('truncate', path);
    this.#resize(content, length);
  }

  fdatasyncSync(fd: number): void {
    this.#check('sync', this.#file(fd).path);
  }

  fdatasync(fd: number, done: (error: Error | null) => void): void {
    this.#later(done, () => {
      this.#check('syncAside', this.#file(fd).path);
      return 0;
    });
  }

  fstatSync(fd: number): { size: number; nlink: number; ino: number } {
    const { content } = this.#file(fd);
    const nlink = this.links([...this.contents.values()].includes(content) ? 1 : 0);
    return { size: content.size, nlink, ino: content.ino };
  }

  renameSync(from: string, to: string): void {
    this.#check('rename', from);
    const inside = [...this.contents.keys()].filter((it) => it.startsWith(`${from}/`));
    for (const it of inside) this.renameSync(it, to + it.slice(from.length));
    if (inside.length > 0) return;
    const content = this.contents.get(from);
    if (!content) throw fileError('ENOENT');
    this.contents.delete(from);
    this.contents.set(to, content);
  }

  unlinkSync(path: string): void {
    this.#check('unlink', path);
    if (!this.contents.delete(path)) throw fileError('ENOENT');
  }

  mkdirSync(): void {}

  readdirSync(path: string): string[] {
    const inside = [...this.contents.keys()].filter((it) => it.startsWith(`${path}/`));
    return inside.map((it) => it.slice(path.length + 1));
  }

  isFileSync(path: string): boolean {
    return this.contents.has(path);
  }

  rmSync(path: string): void {
    for (const it of [...this.contents.keys()]) {
      if (it === path || it.startsWith(`${path}/`)) this.contents.delete(it);
    }
  }

  #file(fd: number): { path: string; content: Content } {
    const file = this.#open.get(fd);
    if (!file) throw fileError('EBADF');
    return file;
  }

  #check(call: FaultableCall, path: string): void {
    const fault = this.fault(call, path);
    if (fault instanceof Error) throw fault;
  }

  /** How much of a read or write is done. */
  #part(call: FaultableCall, fd: number, length: number): number {
    const fault = this.fault(call, this.#file(fd).path);
    if (fault instanceof Error) throw fault;
    return fault === undefined ? length : Math.min(fault, length);
  }

  #write(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    const { content } = this.#file(fd);
    if (position + length > content.size) this.#resize(content, position + length);
    buf.copy(content.bytes, position, offset, offset + length);
    return length;
  }

  #read(fd: number, buf: Buffer, offset: number, length: number, position: number): number {
    const { content } = this.#file(fd);
    const end = Math.min(position + length, content.size);
    return end <= position ? 0 : content.bytes.copy(buf, offset, position, end);
  }

  #resize(content: Content, size: number): void {
    if (size > content.bytes.length) {
      const grown = Buffer.alloc(Math.max(size, content.bytes.length * 2));
      content.bytes.copy(grown, 0, 0, content.size);
      content.bytes = grown;
    } else if (size > content.size) content.bytes.fill(0, content.size, size);
    content.size = size;
  }

  #later(done: Done | ((error: Error | null) => void), act: () => number): void {
    const run = (): void => {
      let bytes = 0;
      try {
        bytes = act();
      } catch (error) {
        done(error as Error, 0);
        return;
      }
      done(null, bytes);
    };
    this.pending.push(run);
    if (!this.manual) setImmediate(() => this.step());
  }
}
