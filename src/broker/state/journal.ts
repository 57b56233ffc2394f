import { join } from 'node:path';
import { type Files, readFully, removal, syncDirectoryAside, writeFully } from '../log/files.js';
import { openNew } from '../log/new-entries.js';
import type { Logger } from '../logger.js';
import { encodeBatch } from './journal-batch.js';
import { EntryWriter } from './journal-entries.js';
import { JOURNAL_MAGIC as MAGIC, replay } from './journal-replay.js';
import { TopicState } from './topic-state.js';

const NAME = /^journal\.(\d{10})$/;
const BAD = '.bad';
/** A file is never replaced before it has this many bytes, nor before it is so many times its snapshot. */
const SMALLEST_REPLACED = 256 * 1024;
const GROWTH = 8;

function journalName(generation: number): string {
  return `journal.${String(generation).padStart(10, '0')}`;
}

/**
 * Reads a topic's state from the newest journal of which a snapshot is readable. If there are journals and none is, they
 * are set aside under another name, never removed.
 */
export function readJournal(
  files: Files,
  directory: string,
  logger: Logger,
): { state: TopicState; generation: number } {
  const generations = files
    .readdirSync(directory)
    .map((name) => Number(NAME.exec(name)?.[1] ?? -1))
    .filter((generation) => generation >= 0)
    .sort((a, b) => b - a);
  for (const generation of generations) {
    const state = replay(contentOf(files, join(directory, journalName(generation))), logger);
    if (state) return { state, generation: generations[0]! };
  }
  for (const generation of generations) setAside(files, join(directory, journalName(generation)), logger);
  return { state: new TopicState(), generation: generations[0] ?? 0 };
}

/** What is no file, but a directory that somebody put there, has nothing in it. */
function contentOf(files: Files, path: string): { path: string; buf: Buffer } {
  const fd = files.openSync(path, 'r');
  try {
    const { size } = files.fstatSync(fd);
    const buf = Buffer.allocUnsafeSlow(size);
    return { path, buf: buf.subarray(0, readFully(files, fd, buf, 0, size, 0)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    return { path, buf: Buffer.alloc(0) };
  } finally {
    files.closeSync(fd);
  }
}

/** A file that was only begun has nothing to say. */
function setAside(files: Files, path: string, logger: Logger): void {
  if (contentOf(files, path).buf.length <= MAGIC.length) return;
  logger.error(
    `${path} is not readable: set aside as ${path}${BAD}; the topic's channels are not known, all its messages go to the first that is made`,
  );
  files.renameSync(path, path + BAD);
}

/**
 * Writes a topic's journal: what became of its channels and of the messages they took. The first batch is a snapshot of
 * everything; when the file has grown past what it says, a new one with a fresh snapshot takes over.
 *
 * Writes entries gather in `entries` and go to the file once per turn. */
export class Journal {
  readonly entries = new EntryWriter();
  readonly #files: Files;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #snapshot: (into: EntryWriter) => void;
  #generation: number;
  #fd = -1;
  #syncingFd = -1;
  #size = 0;
  #snapshotSize = 0;
  /** Number of the next batch in the file. */
  #sequence = 0;
  #unsynced = false;
  /** The file does not hold what it should: the next write begins a new one. */
  #broken = false;
  /** A sync of the file, or of its entry in the directory, failed. */
  #isDoubtful = false;
  /** The directory was not synced since the file was made. */
  #isEntryNew = false;

  /** @param snapshot writes entries that say everything that is so at the moment */
  constructor(
    files: Files,
    directory: string,
    generation: number,
    logger: Logger,
    snapshot: (into: EntryWriter) => void,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#generation = generation;
    this.#logger = logger;
    this.#snapshot = snapshot;
  }

  /** Something was written that is not on stable storage yet. */
  get unsynced(): boolean {
    return this.#unsynced;
  }

  /**
   * Writes the gathered entries.
   * @throws what the file system said; a later call then begins with a new snapshot, so nothing is lost by it.
   */
  write(): void {
    if (
      this.#fd === -1 ||
      this.#broken ||
      this.#size > Math.max(SMALLEST_REPLACED, this.#snapshotSize * GROWTH)
    ) {
      this.replace();
      return;
    }
    if (this.entries.length === 0) return;
    try {
      this.#size += this.#writeBatch(this.#fd, this.entries, this.#size);
      this.#unsynced = true;
    } catch (error) {
      this.#broken = true;
      throw error;
    } finally {
      // Where they are not written, the next snapshot says what they say.
      this.entries.clear();
    }
  }

  /**
   * Begins a new file with a snapshot. The last one that is on stable storage is removed once this one is, others at once.
   */
  replace(): void {
    const files = this.#files;
    const before = this.#generation;
    const isBeforeDurable = !this.#isEntryNew;
    const generation = before + 1;
    this.#broken = true;
    this.entries.clear();
    const fd = openNew(files, join(this.#directory, journalName(generation)), 'w');
    const into = new EntryWriter();
    this.#snapshot(into);
    this.#sequence = 0;
    try {
      writeFully(files, fd, Buffer.from(MAGIC, 'latin1'), 0, MAGIC.length, 0);
      this.#size = MAGIC.length + this.#writeBatch(fd, into, MAGIC.length);
    } catch (error) {
      files.closeSync(fd);
      throw error;
    }
    this.close();
    this.#fd = fd;
    this.#generation = generation;
    this.#snapshotSize = into.length;
    this.#broken = this.#isDoubtful = false;
    this.#unsynced = this.#isEntryNew = true;
    if (!isBeforeDurable) this.#remove(before);
  }

  /**
   * Puts what is written on stable storage, off the event loop. After one that failed nobody knows what the system has
   * kept, and it says so only once: a new file takes over then.
   */
  sync(done: (error: Error | null) => void): void {
    if (this.#isDoubtful && this.#fd !== -1) {
      try {
        this.replace();
      } catch (error) {
        setImmediate(done, error as Error);
        return;
      }
    }
    const fd = this.#fd;
    if (!this.#unsynced || fd === -1) {
      setImmediate(done, null);
      return;
    }
    this.#unsynced = false;
    this.#syncingFd = fd;
    const generation = this.#generation;
    const end = (error: Error | null): void => {
      if (error && fd === this.#fd) this.#unsynced = this.#isDoubtful = true;
      done(error);
    };
    this.#files.fdatasync(fd, (error) => {
      this.#syncingFd = -1;
      if (fd !== this.#fd) {
        this.#files.closeSync(fd);
        return end(error);
      }
      const failure = error ?? removal(this.#files, fd, join(this.#directory, journalName(this.#generation)));
      if (failure || !this.#isEntryNew) return end(failure);
      syncDirectoryAside(this.#files, this.#directory, (cause) => {
        if (cause) this.doubtEntry();
        // Another file may have taken over; of a topic that was deleted, the directory may be another one's by now.
        else if (this.#fd !== -1 && generation === this.#generation) {
          this.#isEntryNew = false;
          this.#removeOlder();
        }
        done(cause);
      });
    });
  }

  /** A sync of the directory failed: the system may count the file's entry as written although it is not. */
  doubtEntry(): void {
    if (this.#isEntryNew) this.#unsynced = this.#isDoubtful = true;
  }

  /** Puts everything on stable storage and closes the file. Resolves with what hindered that. */
  async end(): Promise<Error | undefined> {
    const sync = (): Promise<Error | null> => new Promise((resolve) => this.sync(resolve));
    const error = (await sync()) && (await sync());
    this.close();
    return error ?? undefined;
  }

  /** Closes the file, one that is being synced when that is done. */
  close(): void {
    if (this.#fd !== -1 && this.#fd !== this.#syncingFd) this.#files.closeSync(this.#fd);
    this.#fd = -1;
  }

  /** What must not be missing is written twice: a damaged place costs one of them at the most. */
  #writeBatch(fd: number, entries: EntryWriter, position: number): number {
    const batch = encodeBatch(entries.bytes(), this.#sequence, entries.isVital ? 2 : 1);
    writeFully(this.#files, fd, batch, 0, batch.length, position);
    this.#sequence++;
    return batch.length;
  }

  /** Removes the files before this one, which is on stable storage. What stays for an error goes another time. */
  #removeOlder(): void {
    try {
      for (const name of this.#files.readdirSync(this.#directory)) {
        const generation = Number(NAME.exec(name)?.[1] ?? this.#generation);
        if (generation < this.#generation) this.#remove(generation);
      }
    } catch (error) {
      this.#logger.warn(`cannot list ${this.#directory}`, { error });
    }
  }

  #remove(generation: number): void {
    const path = join(this.#directory, journalName(generation));
    try {
      this.#files.unlinkSync(path);
    } catch (error) {
      this.#logger.warn(`cannot remove ${path}`, { error });
    }
  }
}
