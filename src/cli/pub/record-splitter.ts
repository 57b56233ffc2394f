import { RunError } from '../errors.js';

/** A record longer than any broker takes: input without the delimiter must not fill the memory. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024;

/**
 * Cuts input into records at a delimiter of any length, whatever the chunks. Memory: the unfinished record only.
 *
 *     finished │ #parts of the unfinished record │ #overlap: the last bytes, which may begin a delimiter
 */
export class RecordSplitter {
  readonly #delimiter: Buffer;
  #parts: Buffer[] = [];
  #partsLength = 0;
  #overlap: Buffer = Buffer.alloc(0);

  /** @param delimiter at least one byte */
  constructor(delimiter: Buffer) {
    this.#delimiter = delimiter;
  }

  /** The records that this chunk finishes, without their delimiters; empty ones too. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#overlap.length === 0 ? chunk : Buffer.concat([this.#overlap, chunk]);
    const records: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(this.#delimiter); end !== -1; end = bytes.indexOf(this.#delimiter, start)) {
      records.push(this.#finish(bytes.subarray(start, end)));
      start = end + this.#delimiter.length;
    }
    this.#keep(bytes.subarray(start));
    return records;
  }

  /** The last record, if the input did not end with a delimiter. */
  end(): Buffer | undefined {
    const last = this.#finish(this.#overlap);
    this.#overlap = Buffer.alloc(0);
    return last.length === 0 ? undefined : last;
  }

  #finish(tail: Buffer): Buffer {
    if (this.#parts.length === 0) return tail;
    const record = Buffer.concat([...this.#parts, tail]);
    this.#parts = [];
    this.#partsLength = 0;
    return record;
  }

  #keep(rest: Buffer): void {
    const certain = Math.max(0, rest.length - (this.#delimiter.length - 1));
    if (certain > 0) this.#parts.push(rest.subarray(0, certain));
    this.#partsLength += certain;
    this.#overlap = rest.subarray(certain);
    if (this.#partsLength > MAX_RECORD_BYTES) {
      throw new RunError(`the input has no delimiter within ${MAX_RECORD_BYTES} bytes`, {
        hint: 'Check --delimiter',
      });
    }
  }
}
