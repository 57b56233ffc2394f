import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { RunError } from '../errors.js';
import { fileReason } from '../file-reason.js';
import { MAX_RECORD_BYTES, RecordSplitter } from './record-splitter.js';

export interface InputOptions {
  /** Paths, `-` for the standard input; none means the standard input. */
  readonly files: readonly string[];
  /** `undefined`: each input as a whole is one record. */
  readonly delimiter: Buffer | undefined;
  /** Ends the input where it is; an unfinished record is then left out. */
  readonly signal: AbortSignal;
}

/** The records of the files or of the standard input, in lists as they come. Rejects with {@link RunError}. */
export async function* readRecords({
  files,
  delimiter,
  signal,
}: InputOptions): AsyncGenerator<readonly Buffer[]> {
  for (const file of files.length === 0 ? ['-'] : files) {
    if (signal.aborted) return;
    const stream = file === '-' ? process.stdin : createReadStream(file);
    yield* delimiter === undefined
      ? wholeInput(file, stream, signal)
      : delimited(file, stream, delimiter, signal);
  }
}

async function* delimited(
  name: string,
  stream: Readable,
  delimiter: Buffer,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[]> {
  const splitter = new RecordSplitter(delimiter);
  for await (const chunk of chunks(name, stream, signal)) yield splitter.push(chunk);
  const last = splitter.end();
  if (last && !signal.aborted) yield [last];
}

async function* wholeInput(
  name: string,
  stream: Readable,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[]> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks(name, stream, signal)) {
    length += chunk.length;
    if (length > MAX_RECORD_BYTES) {
      throw new RunError(
        `${inputName(name)} is longer than ${MAX_RECORD_BYTES} bytes, too long for a message`,
        { hint: 'With --delimiter it is cut into several' },
      );
    }
    parts.push(chunk);
  }
  if (!signal.aborted) yield [Buffer.concat(parts)];
}

async function* chunks(name: string, stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = (): void => {
    stream.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) yield chunk;
  } catch (cause) {
    if (signal.aborted) return;
    throw new RunError(`cannot read ${inputName(name)}: ${fileReason(cause)}`, { cause });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function inputName(name: string): string {
  return name === '-' ? 'the standard input' : name;
}
