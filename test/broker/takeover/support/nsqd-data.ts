import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A message as nsqd keeps it. */
export interface NsqdMessage {
  /** Stands for the id. */
  readonly id: number;
  /** Deliveries so far; default 0. */
  readonly attempts?: number;
  /** Default `message <id>`. */
  readonly body?: string;
  /** Nanoseconds since 1970; default one that grows with the id. */
  readonly timestamp?: bigint;
}

export interface NsqdQueueOptions {
  /** Bytes of a file from which on the next one is begun; default none. */
  readonly maxBytesPerFile?: number;
  /** How many messages of the data lie before the read position; default 0. */
  readonly read?: number;
  /** How many of the last messages the position file knows nothing of: it was written before; default 0. */
  readonly unknown?: number;
  /** No position file at all. */
  readonly noMeta?: boolean;
}

const BASE_TIME = 1_700_000_000_000_000_000n;

export function timestampOf({ id, timestamp }: NsqdMessage): bigint {
  return timestamp ?? BASE_TIME + BigInt(id) * 1_000_003n;
}

export function bodyOf({ id, body }: NsqdMessage): string {
  return body ?? `message ${id}`;
}

/** Messages with the ids `from` up to before `to`, never delivered. */
export function messages(from: number, to: number): NsqdMessage[] {
  return Array.from({ length: to - from }, (_, i) => ({ id: from + i }));
}

/** `u32 size | i64 timestamp | u16 attempts | 16 bytes id | body` */
export function encodeRecord(message: NsqdMessage): Buffer {
  const body = Buffer.from(bodyOf(message));
  const record = Buffer.alloc(30);
  record.writeUInt32BE(26 + body.length);
  record.writeBigInt64BE(timestampOf(message), 4);
  record.writeUInt16BE(message.attempts ?? 0, 12);
  record.write((0x0a00000000000000n + BigInt(message.id)).toString(16).padStart(16, '0'), 14, 'latin1');
  return Buffer.concat([record, body]);
}

/** Writes what nsqd leaves behind, into a directory of the test's own. */
export class NsqdData {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** nsqd.dat: topics with their channels; a name with `!` behind is paused. */
  metadata(topics: Readonly<Record<string, readonly string[]>>): this {
    const plain = (name: string) => ({ name: name.replace('!', ''), paused: name.endsWith('!') });
    const list = Object.entries(topics).map(([topic, channels]) => ({
      ...plain(topic),
      channels: channels.length === 0 ? null : channels.map(plain),
    }));
    return this.file('nsqd.dat', JSON.stringify({ topics: list, version: '1.3.0' }));
  }

  /** A queue: `topic` or `topic:channel`. */
  queue(name: string, list: readonly NsqdMessage[], options: NsqdQueueOptions = {}): this {
    const { maxBytesPerFile = Number.POSITIVE_INFINITY, read = 0, unknown = 0 } = options;
    let number = 0;
    let chunks: Buffer[] = [];
    let size = 0;
    const positions = [{ number: 0, at: 0 }];
    const flush = (): void => {
      if (size > 0) this.file(dataName(name, number), Buffer.concat(chunks));
    };
    for (const message of list) {
      const record = encodeRecord(message);
      if (size > 0 && size + record.length > maxBytesPerFile) {
        flush();
        chunks = [];
        size = 0;
        number++;
        positions[positions.length - 1] = { number, at: 0 };
      }
      chunks.push(record);
      size += record.length;
      positions.push({ number, at: size });
    }
    flush();
    if (options.noMeta) return this;
    const from = positions[read]!;
    const to = positions[list.length - unknown]!;
    const depth = list.length - read - unknown;
    return this.file(metaName(name), `${depth}\n${from.number},${from.at}\n${to.number},${to.at}\n`);
  }

  file(name: string, content: string | Buffer): this {
    writeFileSync(join(this.path, name), content);
    return this;
  }

  /** Changes a file in place. */
  change(name: string, change: (content: Buffer) => Buffer): this {
    return this.file(name, change(readFileSync(join(this.path, name))));
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }
}

export function dataName(queue: string, number = 0): string {
  return `${queue}.diskqueue.${String(number).padStart(6, '0')}.dat`;
}

export function metaName(queue: string): string {
  return `${queue}.diskqueue.meta.dat`;
}
