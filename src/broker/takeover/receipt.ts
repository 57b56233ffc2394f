import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Files, syncDirectory, writeFully } from '../log/files.js';
import { readText } from './queue-position.js';
import type { TopicReport } from './report.js';

/** In the directory of a topic that was imported, until the import as a whole is done. */
const RECEIPT_NAME = 'imported-from-nsqd.json';

interface ReceivedFile {
  readonly name: string;
  readonly size: number;
  /** Of a position file, the CRC-32 of what it says; 0 for data, which only grows. */
  readonly crc: number;
}

/** What a topic was imported from: shows an interrupted import apart from a topic of the same name. */
export interface Receipt {
  /** Where the files go: a directory's name in the data path. */
  readonly aside: string;
  readonly files: readonly ReceivedFile[];
  /** What came of it. */
  readonly report?: TopicReport;
}

/** Describes nsqd's files as they are now. */
export function receiptOf(files: Files, dataPath: string, names: readonly string[], aside: string): Receipt {
  return { aside, files: names.map((name) => describe(files, dataPath, name)) };
}

/** The files that are not, or no longer, as the receipt has them: nsqd has run in between. */
export function unknownTo(
  receipt: Receipt | undefined,
  files: Files,
  dataPath: string,
  names: readonly string[],
): string[] {
  const known = new Map(receipt?.files.map((file) => [file.name, file]));
  return names.filter((name) => {
    const file = known.get(name);
    if (!file) return true;
    const now = describe(files, dataPath, name);
    return now.size !== file.size || now.crc !== file.crc;
  });
}

export function writeReceipt(files: Files, directory: string, receipt: Receipt): void {
  const fd = files.openSync(join(directory, RECEIPT_NAME), 'w');
  try {
    const bytes = Buffer.from(JSON.stringify(receipt));
    writeFully(files, fd, bytes, 0, bytes.length, 0);
  } finally {
    files.closeSync(fd);
  }
}

/** The receipt in a topic's directory; undefined if there is none. It was synced with the topic: it is whole. */
export function readReceipt(files: Files, directory: string): Receipt | undefined {
  if (!files.readdirSync(directory).includes(RECEIPT_NAME)) return undefined;
  return JSON.parse(readText(files, join(directory, RECEIPT_NAME))) as Receipt;
}

export function removeReceipt(files: Files, directory: string): void {
  files.unlinkSync(join(directory, RECEIPT_NAME));
  syncDirectory(files, directory);
}

function describe(files: Files, dataPath: string, name: string): ReceivedFile {
  const path = join(dataPath, name);
  if (name.endsWith('.meta.dat')) {
    const text = readText(files, path);
    return { name, size: text.length, crc: crc32(text) };
  }
  const fd = files.openSync(path, 'r');
  try {
    return { name, size: files.fstatSync(fd).size, crc: 0 };
  } finally {
    files.closeSync(fd);
  }
}
