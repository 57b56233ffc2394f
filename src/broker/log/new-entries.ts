import { dirname } from 'node:path';
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

  /** Puts them on stable storage, off the event loop. To be called again only when it is done. */
  sync(done: Done): void {
    const segments = [...this.#segments].filter(({ removed, isLost }) => !removed && !isLost);
    this.#segments.clear();
    const [first] = segments;
    const isDoubtful = this.#isDoubtful;
    this.#isDoubtful = false;
    if (!first) return done(null);
    const end = (error: Error | null): void => {
      if (error) {
        for (const segment of segments) this.#segments.add(segment);
        this.#isDoubtful = true;
      }
      done(error);
    };
    const directory = dirname(first.path);
    try {
      if (isDoubtful) this.#makeAnew(directory, segments);
    } catch (error) {
      return end(error as Error);
    }
    syncDirectoryAside(this.#files, directory, (error) =>
      error ? end(error) : syncDirectoryAside(this.#files, dirname(directory), end),
    );
  }

  #makeAnew(directory: string, segments: readonly Segment[]): void {
    for (const { path } of segments) makeEntryAnew(this.#files, path);
    makeEntryAnew(this.#files, directory);
  }
}

/** Renames it, and back: the next start does the latter if a crash comes between. */
function makeEntryAnew(files: Files, path: string): void {
  const aside = path + ANEW_SUFFIX;
  try {
    files.renameSync(path, aside);
  } catch (error) {
    // The last time it could not be renamed back.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  files.renameSync(aside, path);
}

/** Gives back the names that a crash while entries were made anew has left; says what there is then. */
export function restoreEntries(files: Files, directory: string, names: readonly string[]): string[] {
  const all = new Set(names);
  for (const name of names) {
    const own = name.slice(0, -ANEW_SUFFIX.length);
    if (!name.endsWith(ANEW_SUFFIX) || all.has(own)) continue;
    files.renameSync(`${directory}/${name}`, `${directory}/${own}`);
    all.delete(name);
    all.add(own);
  }
  return [...all];
}
