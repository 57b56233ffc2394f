import fs from 'node:fs';
import { dirname } from 'node:path';

/**
 * The file calls that storage makes, so that a test can put faults in their way. Everything is as in `node:fs`; short
 * writes and reads are dealt with by the callers below.
 */
export interface Files {
  openSync(path: string, flags: string | number): number;
  closeSync(fd: number): void;
  writeSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number;
  readSync(fd: number, buf: Buffer, offset: number, length: number, position: number): number;
  read(
    fd: number,
    buf: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytes: number) => void,
  ): void;
  write(
    fd: number,
    buf: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, bytes: number) => void,
  ): void;
  ftruncateSync(fd: number, length: number): void;
  fdatasyncSync(fd: number): void;
  fdatasync(fd: number, done: (error: Error | null) => void): void;
  /** `nlink` is 0 once the file was removed, on most file systems. */
  fstatSync(fd: number): { size: number; nlink: number; ino: number };
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string): void;
  readdirSync(path: string): string[];
  /** Whether there is a regular file, also by way of a link: nothing else may be opened, a pipe would hold it up. */
  isFileSync(path: string): boolean;
  rmSync(path: string): void;
}

export const REAL_FILES: Files = {
  openSync: (path, flags) => fs.openSync(path, flags, 0o600),
  closeSync: close,
  writeSync: (fd, buf, offset, length, position) => fs.writeSync(fd, buf, offset, length, position),
  readSync: (fd, buf, offset, length, position) => fs.readSync(fd, buf, offset, length, position),
  read: (fd, buf, offset, length, position, done) => fs.read(fd, buf, offset, length, position, done),
  write: (fd, buf, offset, length, position, done) => fs.write(fd, buf, offset, length, position, done),
  ftruncateSync: (fd, length) => fs.ftruncateSync(fd, length),
  fdatasyncSync: (fd) => fs.fdatasyncSync(fd),
  fdatasync: (fd, done) => fs.fdatasync(fd, done),
  fstatSync: (fd) => fs.fstatSync(fd),
  renameSync: (from, to) => fs.renameSync(from, to),
  unlinkSync: (path) => fs.unlinkSync(path),
  mkdirSync: makeDirectory,
  readdirSync: (path) => fs.readdirSync(path),
  isFileSync: (path) => isKind(path, (stats) => stats.isFile()),
  rmSync: (path) => fs.rmSync(path, { recursive: true, force: true }),
};

/** The descriptor is gone in any case; what an error says of what was written, a sync has said before. */
function close(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') throw error;
  }
}

/**
 * Makes a directory and those above it, unless it is there. Not Node's own `recursive`: where a file system takes no
 * directories (`/proc`), that never returns.
 */
function makeDirectory(path: string): void {
  if (fs.existsSync(path) && fs.statSync(path).isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path && !fs.existsSync(parent)) makeDirectory(parent);
  fs.mkdirSync(path, { mode: 0o700 });
}

/** Whether there is such a thing. A link that leads nowhere, or in a circle, is none. */
export function isKind(path: string, test: (stats: fs.Stats) => boolean): boolean {
  try {
    return test(fs.statSync(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return false;
    throw error;
  }
}

/** Writes all of `buf[offset, offset + length)`, over as many calls as it takes. */
export function writeFully(
  files: Files,
  fd: number,
  buf: Buffer,
  offset: number,
  length: number,
  position: number,
): void {
  while (length > 0) {
    const written = files.writeSync(fd, buf, offset, length, position);
    if (written <= 0) throw new Error('write made no progress');
    offset += written;
    length -= written;
    position += written;
  }
}

/** Reads up to `length` bytes, fewer only at the file's end. */
export function readFully(
  files: Files,
  fd: number,
  buf: Buffer,
  offset: number,
  length: number,
  position: number,
): number {
  let total = 0;
  while (total < length) {
    const bytes = files.readSync(fd, buf, offset + total, length - total, position + total);
    if (bytes <= 0) break;
    total += bytes;
  }
  return total;
}

/** What to say if somebody else removed an open file: what is written to it is gone with the process. */
export function removal(files: Files, fd: number, path: string): Error | null {
  try {
    const { nlink, ino } = files.fstatSync(fd);
    if (nlink > 0 || inodeOf(files, path) === ino) return null;
  } catch (error) {
    // A server says so of a file that another client removed; what else hinders a look says nothing of the file.
    if ((error as NodeJS.ErrnoException).code !== 'ESTALE') return null;
  }
  return new Error(`${path} was removed by somebody else`);
}

/** Some file systems count no links: there, the file that has the name tells. Undefined if none has. */
function inodeOf(files: Files, path: string): number | undefined {
  let fd: number;
  try {
    fd = files.openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return files.fstatSync(fd).ino;
  } finally {
    files.closeSync(fd);
  }
}

/** What file systems say that know no sync of a directory: its entries need none there, or there is no way. */
const NO_DIRECTORY_SYNC: ReadonlySet<unknown> = new Set(['EINVAL', 'EBADF', 'ENOTSUP']);

function isNoDirectorySync(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NO_DIRECTORY_SYNC.has(error.code);
}

/** Makes a directory's entries durable: what was created, renamed or removed in it. */
export function syncDirectory(files: Files, path: string): void {
  const fd = files.openSync(path, 'r');
  try {
    files.fdatasyncSync(fd);
  } catch (error) {
    if (!isNoDirectorySync(error)) throw error;
  } finally {
    files.closeSync(fd);
  }
}

/** As `syncDirectory`, off the event loop. */
export function syncDirectoryAside(files: Files, path: string, done: (error: Error | null) => void): void {
  let fd: number;
  try {
    fd = files.openSync(path, 'r');
  } catch (error) {
    return done(error as Error);
  }
  files.fdatasync(fd, (error) => {
    files.closeSync(fd);
    done(isNoDirectorySync(error) ? null : error);
  });
}
