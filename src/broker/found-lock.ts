import { renameSync, statSync, unlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive, isNear, type LockHolder, readHolder } from './lock-holder.js';

/** How long it is looked (ms) whether a lock that says nothing of a process here is renewed. */
const WATCH = 3500;
const WATCH_STEP = 100;

/** A lock file that was there already, as it was found. */
export class FoundLock {
  readonly holder: LockHolder | undefined;
  readonly #path: string;
  readonly #time: number;

  constructor(path: string) {
    this.#path = path;
    this.#time = timeOf(path);
    this.holder = readHolder(path);
  }

  /** Whether its process lives or, where that cannot be looked up from here, somebody renews it. */
  async isHeld(): Promise<boolean> {
    if (this.holder && isNear(this.holder)) return isAlive(this.holder);
    for (let waited = 0; waited < WATCH; waited += WATCH_STEP) {
      await wait(WATCH_STEP);
      if (timeOf(this.#path) !== this.#time) return true;
    }
    return false;
  }

  /** Removes it, but not one that was renewed after all, or that another broker put in its place. */
  remove(): void {
    const aside = `${this.#path}.${process.pid}`;
    try {
      renameSync(this.#path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const isSame = JSON.stringify(readHolder(aside)) === JSON.stringify(this.holder);
    if (isSame && timeOf(aside) === this.#time) unlinkSync(aside);
    else renameSync(aside, this.#path);
  }
}

function timeOf(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
