import { dirname, join, resolve } from 'node:path';
import type { Logger } from '../logger.js';
import { guarded, isExisting } from './file-error.js';
import type { FileLayer, OpenFile } from './file-layer.js';
import { type FileName, withRevision } from './file-name.js';
import { OutputFile } from './output-file.js';

export interface OutputOptions {
  readonly outputDir: string;
  /** The same as `outputDir` when files are not moved. */
  readonly workDir: string;
  /** 1 to 9; undefined for plain text. */
  readonly gzipLevel: number | undefined;
  /** Bytes; 0 for no limit. */
  readonly rotateSize: number;
  /** Ms; 0 for no limit. */
  readonly rotateInterval: number;
  /** What is written are whole lines. */
  readonly endsLines: boolean;
}

/** What a {@link RotatingOutput} works with. */
export interface OutputHost {
  readonly files: FileLayer;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly now: () => number;
  /** Before each log line, e.g. `[topic/channel] `. */
  readonly logPrefix: string;
}

/** Whether finished files go to another directory. */
export function movesFiles({ outputDir, workDir }: Pick<OutputOptions, 'outputDir' | 'workDir'>): boolean {
  return resolve(workDir) !== resolve(outputDir);
}

/**
 * The file of a topic, and the next one when its time is over: by a new name, its age or its size. Names are counted up
 * by `<REV>` past the files that exist; those are never written over. Rejects with `FileError`.
 */
export class RotatingOutput {
  readonly #name: FileName;
  readonly #options: OutputOptions;
  readonly #host: OutputHost;
  readonly #moves: boolean;
  #file: OutputFile | undefined;
  /** Of the file that is open, or was last: its name with `<REV>`, and the number in its place. */
  #filename = '';
  #revision = 0;

  constructor(name: FileName, options: OutputOptions, host: OutputHost) {
    this.#name = name;
    this.#options = options;
    this.#host = host;
    this.#moves = movesFiles(options);
  }

  /** Whether {@link rotate} comes before the next message. */
  needsRotation(): boolean {
    if (!this.#file) return true;
    const reason = this.#rotationReason(this.#file);
    if (reason === undefined) return false;
    this.#log('info', `${reason}, rotating...`);
    return true;
  }

  /** Bytes after which the file is too large. */
  get room(): number {
    const { rotateSize } = this.#options;
    return rotateSize === 0 ? Number.POSITIVE_INFINITY : rotateSize - (this.#file?.size ?? 0);
  }

  /** Closes the file, and opens the next one. */
  async rotate(): Promise<void> {
    await this.close();
    const filename = this.#currentFilename();
    this.#revision = filename === this.#filename ? this.#revision + 1 : 0;
    this.#filename = filename;
    for (;;) {
      this.#file = await this.#open();
      if (this.#file) return;
      this.#revision++;
    }
  }

  /** There must be a file: after {@link rotate}, before {@link close}. */
  async write(bytes: Uint8Array): Promise<void> {
    const file = this.#file;
    if (!file) throw new Error('no file is open');
    await guarded('write to', file.path, () => file.write(bytes));
  }

  /** Resolves when all that was written before is on disk; more may be written meanwhile. One at a time. */
  async sync(): Promise<void> {
    const file = this.#file;
    if (file) await guarded('write to', file.path, () => file.sync());
  }

  /** Closes the file, if there is one, and moves it to the output directory. */
  async close(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    await guarded('write to', file.path, () => file.close());
    this.#file = undefined;
    if (this.#moves) await this.#move(file.path);
  }

  /** After a failure: what is not synced goes. */
  async abandon(): Promise<void> {
    await this.#file?.abandon();
    this.#file = undefined;
  }

  #rotationReason({ path, openedAt, size }: OutputFile): string | undefined {
    const { rotateInterval, rotateSize } = this.#options;
    const filename = this.#currentFilename();
    if (filename !== this.#filename) return `new filename ${filename}`;
    const age = this.#host.now() - openedAt;
    if (rotateInterval > 0 && age > rotateInterval) return `${path} was opened ${age} ms ago`;
    if (this.room < 0) return `${path} currently ${size} bytes (> ${rotateSize})`;
    return undefined;
  }

  #currentFilename(): string {
    return this.#name.at(new Date(this.#host.now()));
  }

  /** The file with the current number; undefined if that is taken. */
  async #open(): Promise<OutputFile | undefined> {
    const { files } = this.#host;
    const { workDir, outputDir, gzipLevel, rotateInterval, rotateSize, endsLines } = this.#options;
    const name = withRevision(this.#filename, this.#revision);
    const path = join(workDir, name);
    const openedAt = this.#host.now();
    await this.#makeDirectoryOf(path);
    if (this.#moves && (await this.#isTaken(join(outputDir, name)))) return undefined;

    const exclusive = gzipLevel !== undefined || rotateInterval > 0;
    let file: OpenFile;
    try {
      file = await guarded('open', path, () => files.open(path, exclusive));
    } catch (error) {
      if (!isExisting((error as Error).cause)) throw error;
      this.#log('warn', `working file already exists: ${path}`);
      return undefined;
    }
    this.#log('info', `opening ${path}`);
    if (rotateSize > 0 && file.initialSize > rotateSize) {
      this.#log('info', `${path} currently ${file.initialSize} bytes (> ${rotateSize}), rotating...`);
      await file.close();
      return undefined;
    }
    return guarded('write to', path, () =>
      OutputFile.start({ path, file, exclusive, gzipLevel, openedAt, endsLines }),
    );
  }

  async #isTaken(path: string): Promise<boolean> {
    await this.#makeDirectoryOf(path);
    const exists = await guarded('look for', path, () => this.#host.files.exists(path));
    if (exists) this.#log('warn', `output file already exists: ${path}`);
    return exists;
  }

  async #makeDirectoryOf(path: string): Promise<void> {
    const directory = dirname(path);
    await guarded('create the directory', directory, () => this.#host.files.makeDirectory(directory));
  }

  /** To the name that it was opened with, or the next one that is free by now. */
  async #move(from: string): Promise<void> {
    for (let revision = this.#revision; ; revision++) {
      const to = join(this.#options.outputDir, withRevision(this.#filename, revision));
      this.#log('info', `moving finished file ${from} to ${to}`);
      try {
        await guarded(`move ${from} to`, to, () => this.#host.files.move(from, to));
        return;
      } catch (error) {
        if (isExisting((error as Error).cause)) this.#log('warn', `destination file already exists: ${to}`);
        else if (await this.#isGone(from)) return;
        else throw error;
      }
    }
  }

  /** A process that appends to the same file may have moved it before: all that was written went with it. */
  async #isGone(path: string): Promise<boolean> {
    const isGone = !(await guarded('look for', path, () => this.#host.files.exists(path)));
    if (isGone) this.#log('warn', `another process has moved or removed ${path}`);
    return isGone;
  }

  #log(level: 'info' | 'warn', words: string): void {
    this.#host.logger[level](`${this.#host.logPrefix}${words}`);
  }
}
