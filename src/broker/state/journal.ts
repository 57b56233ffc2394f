import { join } from 'node:path';
import { type Files, removal, syncDirectoryAside, writeFully } from '../log/files.js';
import { openNew } from '../log/new-entries.js';
import type { Logger } from '../logger.js';
import { encodeBatch } from './journal-batch.js';
import { EntryWriter } from './journal-entries.js';
import { generationOf, journalName } from './journal-files.js';
import { JOURNAL_MAGIC as MAGIC } from './journal-replay.js';

/** A file is never replaced before it has this many bytes, nor before it is so many times its snapshot. */
const SMALLEST_REPLACED = 256 * 1024;
const GROWTH = 8;

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
  /** The snapshot has no channel: the file is replaced with the first one, so that none goes with a torn end. */
  #isBare = false;
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
      (this.#isBare && this.entries.hasChannel) ||
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
    this.#isBare = !into.hasChannel;
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
        const generation = generationOf(name);
        if (generation !== -1 && generation < this.#generation) this.#remove(generation);
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
