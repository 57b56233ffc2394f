import { basename, dirname } from 'node:path';
import { type Files, syncDirectoryAside } from './files.js';
import type { Segment } from './segment.js';

/** What a file or directory is called for a moment while its entry is made anew. */
const ANEW_SUFFIX = '.anew';

type Done = (error: Error | null) => void;

/**
 * The entries of new segment files in their topic's directory, and of that in the one above, until they are on stable
 * storage.
 *
 * Of a sync that failed the system tells once, and counts the entries as written from then on: another sync says
 * nothing. So they are made anew before the next one.
 */
export class NewEntries {
  readonly #files: Files;
  readonly #segments = new Set<Segment>();
  #isDoubtful = false;
  /** What could not get its name back; empty if there is nothing. */
  #nameless = '';

  constructor(files: Files) {
    this.#files = files;
  }

  /** The segment's file was made. */
  add(segment: Segment): void {
    this.#segments.add(segment);
  }

  /** They may count as written although they are not. */
  doubt(): void {
    this.#isDoubtful = true;
  }

  /**
   * Gives a name back that could not be given back when its entry was made anew.
   * @throws what the file system said: then nothing is where it should be yet
   */
  restore(): void {
    if (this.#nameless === '') return;
    takeName(this.#files, this.#nameless);
    this.#nameless = '';
  }

  /** Puts them on stable storage, off the event loop. To be called again only when it is done. */
  sync(done: Done): void {
    const segments = [...this.#segments].filter(({ removed, isLost }) => !removed && !isLost);
    this.#segments.clear();
    const [first] = segments;
    if (!first) return done(null);
    const isDoubtful = this.#isDoubtful;
    this.#isDoubtful = false;
    const end = (error: Error | null): void => {
      if (error) {
        for (const segment of segments) this.#segments.add(segment);
        this.#isDoubtful = true;
      }
      done(error);
    };
    const directory = dirname(first.path);
    try {
      if (isDoubtful) for (const path of [...segments.map((it) => it.path), directory]) this.#makeAnew(path);
    } catch (error) {
      return end(error as Error);
    }
    syncDirectoryAside(this.#files, directory, (error) =>
      error ? end(error) : syncDirectoryAside(this.#files, dirname(directory), end),
    );
  }

  /** Renames it, and back: the next start does the latter if a crash comes between. */
  #makeAnew(path: string): void {
    this.#files.renameSync(path, path + ANEW_SUFFIX);
    this.#nameless = path;
    this.restore();
  }
}

/** Gives a file or directory its name back; nothing happens if it has it. */
export function takeName(files: Files, path: string): void {
  try {
    files.renameSync(path + ANEW_SUFFIX, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Opens a new file. Where its directory has no name, it gets that back; where somebody removed it, it is made again. */
export function openNew(files: Files, path: string, flags: string): number {
  try {
    return files.openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const directory = dirname(path);
    // That only: made by itself, the one above would not be locked.
    const beside = files.readdirSync(dirname(directory));
    if (beside.includes(basename(directory) + ANEW_SUFFIX)) takeName(files, directory);
    else files.mkdirSync(directory);
    return files.openSync(path, flags);
  }
}

/** Gives back the names that a crash while entries were made anew has left; says what there is in the directory then. */
export function restoreEntries(files: Files, directory: string): string[] {
  const names = files.readdirSync(directory);
  const all = new Set(names);
  for (const name of names) {
    const own = name.slice(0, -ANEW_SUFFIX.length);
    if (!name.endsWith(ANEW_SUFFIX) || all.has(own)) continue;
    takeName(files, `${directory}/${own}`);
    all.delete(name);
    all.add(own);
  }
  return [...all];
}
