import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { OpenFile } from './file-layer.js';

const compress = promisify(gzip);
const NEWLINE = Buffer.from('\n');

export interface OutputFileOptions {
  readonly path: string;
  readonly file: OpenFile;
  /** Nobody else has it open: what is not synced may be taken back. */
  readonly exclusive: boolean;
  /** 1 to 9; undefined for plain text. */
  readonly gzipLevel: number | undefined;
  /** Ms since 1970. */
  readonly openedAt: number;
  /** What is written are whole lines. */
  readonly endsLines: boolean;
}

/**
 * One file that messages are written to. Plain text goes to the file as it comes; with gzip, what was written since the
 * last sync becomes a member of its own (RFC 1952, 2.2), so that all that was synced can be read whatever happens next:
 *
 *     [member][member][member] … | torn by a crash
 *                                ^ last sync
 */
export class OutputFile {
  readonly path: string;
  readonly openedAt: number;
  /** Bytes written, before compression, with those that were there. */
  size: number;
  readonly #file: OpenFile;
  readonly #exclusive: boolean;
  readonly #gzipLevel: number | undefined;
  #gathered: Uint8Array[] = [];
  /** Bytes in the file, and those that are surely on disk. */
  #length = 0;
  #synced = 0;

  private constructor({ path, file, exclusive, gzipLevel, openedAt }: OutputFileOptions) {
    this.path = path;
    this.openedAt = openedAt;
    this.size = file.initialSize;
    this.#file = file;
    this.#exclusive = exclusive;
    this.#gzipLevel = gzipLevel;
  }

  /** A gzip file is one from the start: it gets an empty member, since no bytes at all are none. */
  static async start(options: OutputFileOptions): Promise<OutputFile> {
    const output = new OutputFile(options);
    try {
      if (options.gzipLevel !== undefined) await output.#append(await compress(Buffer.alloc(0)));
      // A line that a crash tore must not run into the next one.
      else if (options.file.isTorn && options.endsLines) await output.#append(NEWLINE);
    } catch (error) {
      await output.abandon();
      throw error;
    }
    return output;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.size += bytes.length;
    if (this.#gzipLevel === undefined) await this.#append(bytes);
    else this.#gathered.push(bytes);
  }

  /** Resolves when all that was written before is on disk; more may be written meanwhile. One at a time. */
  async sync(): Promise<void> {
    if (this.#gzipLevel !== undefined && this.#gathered.length > 0) {
      const gathered = this.#gathered.splice(0);
      await this.#append(await compress(Buffer.concat(gathered), { level: this.#gzipLevel }));
    }
    const length = this.#length;
    await this.#file.sync();
    this.#synced = length;
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#file.close();
  }

  /** After a failure: takes back what is not synced, if it can be, and closes. */
  async abandon(): Promise<void> {
    if (this.#exclusive) await this.#file.truncate(this.#synced).catch(() => {});
    await this.#file.close().catch(() => {});
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#file.append(bytes);
    this.#length += bytes.length;
  }
}
