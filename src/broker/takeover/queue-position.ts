import { join } from 'node:path';
import { type Files, readFully } from '../log/files.js';
import type { QueueFiles } from './inventory.js';

/** `depth`, then file and offset of the next read, then of the next write. */
const POSITION = /^(-?\d+)\r?\n(\d+),(\d+)\r?\n(\d+),(\d+)/;
const LONGEST_POSITION = 256;

/** A stretch of a queue's messages: one of its files from an offset to its end. */
export interface QueuePart {
  readonly path: string;
  readonly from: number;
}

/** What there is to read of a queue. */
export interface QueueContent {
  readonly parts: readonly QueuePart[];
  /** What the position file says of the number of messages; -1 without one. */
  readonly depth: number;
  /**
   * The position file is as new as the data. Otherwise nsqd was killed, and some messages may be read that had been
   * finished already.
   */
  readonly settled: boolean;
  readonly warnings: readonly string[];
}

/**
 * Finds out what is to be read of a queue: from the position that its file names to the real end of the data. nsqd writes
 * the position file now and then, so after a kill it may lag behind both ends; nothing that it leaves out is lost by that.
 */
export function contentOf(files: Files, dataPath: string, queue: QueueFiles): QueueContent {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(`queue ${queue.name}: ${text}`);
  const position = queue.meta === '' ? undefined : readPosition(files, join(dataPath, queue.meta));
  if (!position) {
    if (queue.meta !== '')
      warn(`its position file ${queue.meta} is not readable: all of its data is imported`);
    else if (queue.data.length > 0) warn('it has no position file: all of its data is imported');
    const parts = queue.data.map(({ name }) => ({ path: join(dataPath, name), from: 0 }));
    return { parts, depth: -1, settled: queue.data.length === 0, warnings };
  }
  const { depth, readFile, readAt, writeFile, writeAt } = position;
  const parts: QueuePart[] = [];
  let settled = true;
  for (const { number, name } of queue.data) {
    if (number < readFile) continue;
    const path = join(dataPath, name);
    const size = sizeOf(files, path);
    const from = number === readFile ? readAt : 0;
    if (from > size) {
      warn(`its position is ${from} in ${name}, which ends at ${size}`);
      settled = false;
    }
    if (from < size) parts.push({ path, from });
    if (number > writeFile ? size > 0 : number === writeFile && size !== writeAt) settled = false;
  }
  const past = queue.data.filter(({ number }) => number < readFile).length;
  if (past > 0) warn(`${past} of its data files are left out: they lie before its position`);
  const missing = gaps(queue, position);
  if (missing.length > 0) warn(`data files that should be there are missing: ${missing.join(', ')}`);
  if (!settled) {
    warn(
      'its position file is older than its data (nsqd was killed): everything from that position to the end is imported, messages that were finished last may come again',
    );
  }
  return { parts, depth, settled, warnings };
}

/** The numbers of the data files between the next read and the next write that are not there: `3`, or `3 to 5`. */
function gaps({ data }: QueueFiles, { readFile, readAt, writeFile, writeAt }: Position): string[] {
  const found: string[] = [];
  const isEmpty = readFile === writeFile && readAt === writeAt;
  const end = isEmpty || writeAt === 0 ? writeFile : writeFile + 1;
  let next = readFile;
  for (const number of [...data.map((file) => file.number), end]) {
    if (number > next) found.push(number - next === 1 ? `${next}` : `${next} to ${number - 1}`);
    next = Math.max(next, number + 1);
  }
  return found;
}

interface Position {
  readonly depth: number;
  readonly readFile: number;
  readonly readAt: number;
  readonly writeFile: number;
  readonly writeAt: number;
}

/** Undefined for a text that is no position, or one that cannot be: nsqd reads no further than it writes. */
function readPosition(files: Files, path: string): Position | undefined {
  const match = POSITION.exec(readText(files, path, LONGEST_POSITION));
  if (!match) return undefined;
  const [depth = 0, readFile = 0, readAt = 0, writeFile = 0, writeAt = 0] = match.slice(1).map(Number);
  if (readFile > writeFile || (readFile === writeFile && readAt > writeAt)) return undefined;
  return { depth, readFile, readAt, writeFile, writeAt };
}

function sizeOf(files: Files, path: string): number {
  const fd = files.openSync(path, 'r');
  try {
    return files.fstatSync(fd).size;
  } finally {
    files.closeSync(fd);
  }
}

/** A small file's text. */
export function readText(files: Files, path: string, atMost = Number.POSITIVE_INFINITY): string {
  const fd = files.openSync(path, 'r');
  try {
    const buf = Buffer.alloc(Math.min(files.fstatSync(fd).size, atMost));
    return buf.toString('utf8', 0, readFully(files, fd, buf, 0, buf.length, 0));
  } finally {
    files.closeSync(fd);
  }
}
