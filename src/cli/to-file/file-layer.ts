import { constants, writeSync } from 'node:fs';
import { access, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { moveExclusively } from './exclusive-move.js';
import { syncDirectory } from './sync-directory.js';

/** A file that is written to its end. */
export interface OpenFile {
  /** When it was opened, bytes. */
  readonly initialSize: number;
  /** Whether it was opened with bytes in it, the last of which ends no line. */
  readonly isTorn: boolean;
  /** All of the bytes, or it rejects. */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when what was written outlasts a power failure. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** What is asked of the file system. Everything rejects with the system's errors. */
export interface FileLayer {
  exists(path: string): Promise<boolean>;
  /** With its parents; those that exist are left as they are. */
  makeDirectory(path: string): Promise<void>;
  /** Rejects with EEXIST if `exclusive` and the file exists; otherwise what is there stays before what is appended. */
  open(path: string, exclusive: boolean): Promise<OpenFile>;
  /** Rejects with EEXIST if there is a `to`, which stays as it is. */
  move(from: string, to: string): Promise<void>;
}

const DIRECTORY_MODE = 0o770;
const NEWLINE = 0x0a;

export const DISK: FileLayer = {
  exists: (path) =>
    access(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    ),
  makeDirectory: (path) => makeDirectory(path),
  open: openFile,
  move: moveExclusively,
};

/** Node's own recursive mkdir never ends where a directory refuses with ENOENT, as /proc does. */
async function makeDirectory(path: string, hasParent = false): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    const isThere = await stat(path).then(
      (it) => it.isDirectory(),
      () => false,
    );
    if (isThere) return;
    if (hasParent || dirname(path) === path || (error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path, true);
  }
}

async function openFile(path: string, exclusive: boolean): Promise<OpenFile> {
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = constants;
  const handle = await open(path, O_APPEND | O_CREAT | O_WRONLY | (exclusive ? O_EXCL : 0));
  try {
    const { size: initialSize } = await handle.stat();
    await syncDirectory(dirname(path));
    return {
      initialSize,
      isTorn: initialSize > 0 && (await lastByte(path, initialSize)) !== NEWLINE,
      append: async (bytes) => {
        // Into the page cache: a thread of its own for that takes longer than the copy.
        for (let at = 0; at < bytes.length; ) at += writeSync(handle.fd, bytes, at);
      },
      sync: () => handle.datasync(),
      truncate: (size) => handle.truncate(size),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A file that may be written and not read is taken as it is. */
async function lastByte(path: string, size: number): Promise<number> {
  try {
    const handle = await open(path);
    const { buffer } = await handle.read(Buffer.of(NEWLINE), 0, 1, size - 1).finally(() => handle.close());
    return buffer[0] ?? NEWLINE;
  } catch {
    return NEWLINE;
  }
}
