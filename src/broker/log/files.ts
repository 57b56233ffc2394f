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
  fstatSync(fd: number): { size: number };
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string): void;
  readdirSync(path: string): string[];
  rmSync(path: string): void;
}

export const REAL_FILES: Files = {
  openSync: (path, flags) => fs.openSync(path, flags, 0o600),
  closeSync: (fd) => fs.closeSync(fd),
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
  rmSync: (path) => fs.rmSync(path, { recursive: true, force: true }),
};

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

/** Makes a directory's entries durable: what was created, renamed or removed in it. */
export function syncDirectory(files: Files, path: string): void {
  const fd = files.openSync(path, 'r');
  try {
    files.fdatasyncSync(fd);
  } finally {
    files.closeSync(fd);
  }
}
