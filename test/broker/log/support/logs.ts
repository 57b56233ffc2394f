import { Cursor } from '../../../../src/broker/delivery/cursor.js';
import { IdSource } from '../../../../src/broker/log/id-source.js';
import { openSegments } from '../../../../src/broker/log/open.js';
import { RECORD_OVERHEAD, recordLength, type Stamp } from '../../../../src/broker/log/record.js';
import { SlabCache } from '../../../../src/broker/log/slab-cache.js';
import { TopicLog } from '../../../../src/broker/log/topic-log.js';
import type { Logger } from '../../../../src/broker/logger.js';
import type { MemoryFiles } from './memory-files.js';

export const DIRECTORY = '/t';
export const STAMP: Stamp = { hi: 0x18000000, lo: 1 };

/** A logger that keeps what it is told. */
export class LoggerNotes implements Logger {
  readonly lines: string[] = [];
  readonly debug = (): void => {};
  readonly info = (): void => {};
  readonly warn = (message: string): void => void this.lines.push(`warn ${message}`);
  readonly error = (message: string, fields?: Record<string, unknown>): void =>
    void this.lines.push(`error ${message} ${String(fields?.error ?? '')}`);
  readonly fatal = this.error;
}

export interface OpenOptions {
  maxBytesPerFile?: number;
  cacheSize?: number;
  logger?: LoggerNotes;
  nodeId?: number;
  now?: () => number;
}

let startedAt = Date.UTC(2026, 0, 1);

/** Opens the log in `DIRECTORY`, as a broker's start does. Each start is some time after the one before. */
export function openLog(files: MemoryFiles, options: OpenOptions = {}): TopicLog {
  startedAt += 60_000;
  const at = startedAt;
  const logger = options.logger ?? new LoggerNotes();
  const ids = new IdSource(options.nodeId ?? 1, options.now ?? (() => at));
  const context = {
    files,
    cache: new SlabCache(options.cacheSize ?? 64 * 1024 * 1024),
    logger,
    maxBytesPerFile: options.maxBytesPerFile ?? 100 * 1024 * 1024,
  };
  return new TopicLog(context, DIRECTORY, openSegments(files, DIRECTORY, ids, logger));
}

export function commit(log: TopicLog): Promise<Error | undefined> {
  return new Promise((resolve) => log.commit(resolve));
}

export function append(log: TopicLog, body: string | Buffer): void {
  const bytes = Buffer.from(body);
  log.append(STAMP, bytes, 0, bytes.length);
}

export function appendDeferred(log: TopicLog, body: string, due: number): void {
  const bytes = Buffer.from(body);
  log.appendDeferred(STAMP, bytes, 0, bytes.length, due);
}

/** An MPUB's body: `u32 count`, then `u32 size | body` each. */
export function batchBody(bodies: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(4)];
  parts[0]!.writeUInt32BE(bodies.length);
  for (const body of bodies) {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(Buffer.byteLength(body));
    parts.push(size, Buffer.from(body));
  }
  return Buffer.concat(parts);
}

export function appendBatch(log: TopicLog, bodies: readonly (string | Buffer)[]): void {
  const body = batchBody(bodies);
  log.appendBatch(STAMP, body, 0, body.length, bodies.length);
}

export interface ReadBack {
  /** Bodies by number. */
  bodies: Map<number, string>;
  ids: string[];
  lost: number;
  deferred: number[];
  /** Messages that were to come and did not: a read that failed again and again. */
  stuck: boolean;
}

const MOST_TRIES = 200;

/** Reads all messages from number `from` on, as a channel does. */
export async function readAll(log: TopicLog, from = 0): Promise<ReadBack> {
  const result: ReadBack = { bodies: new Map(), ids: [], lost: 0, deferred: [], stuck: false };
  let wake = (): void => {};
  const cursor = new Cursor(
    log,
    {
      passedDeferred: (n) => void result.deferred.push(n),
      passedLost: (first, to) => {
        result.lost += to - first;
      },
      leftSlab: () => {},
      loaded: () => wake(),
    },
    from,
  );
  for (let tries = 0; cursor.n < log.endN; ) {
    const loaded = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (!cursor.open(log.endN)) {
      if (cursor.n >= log.endN) break;
      if (tries++ > MOST_TRIES) {
        result.stuck = true;
        break;
      }
      await loaded;
      continue;
    }
    tries = 0;
    for (let left = cursor.left; left > 0; left--) {
      const { at, buf, n } = cursor;
      const length = recordLength(buf, at);
      result.bodies.set(n, buf.toString('latin1', at + RECORD_OVERHEAD, at + length));
      result.ids.push(buf.toString('latin1', at + RECORD_OVERHEAD - 16, at + RECORD_OVERHEAD));
      cursor.advance(1, at + length);
    }
  }
  cursor.release();
  return result;
}
