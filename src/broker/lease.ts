import {
  closeSync,
  constants,
  fstatSync,
  futimes,
  futimesSync,
  lstatSync,
  openSync,
  readSync,
} from 'node:fs';
import { monotonic } from './clock.js';
import { BrokerError, messageOf } from './errors.js';
import { readHolder } from './lock-holder.js';
import type { Logger } from './logger.js';

/** How often a lock file's time is renewed at the least (ms), and how soon it may be again. */
const RENEWAL = 1000;
const RENEWED = 500;
/**
 * After so long (ms) it is renewed on the event loop: what is done aside waits for other files. But there, too, the system
 * may hold it up while it syncs them.
 */
const LATE = 1500;
/** For so long (ms) it is relied on that a lock file is where it was. */
const FRESH = 100;
/** Without an answer for so long (ms) nothing may be written: others watch a lock for 3.5 s. */
const LONGEST_DOUBT = 2000;
/** A file that is not there may be back at once (ms): who takes over a lock puts a wrong one back. */
const PUT_BACK = 20;
/** The system may take it to be a file of any kind. */
const LOOKING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
/** A look at a file writes down when it was, unless that lies ahead (s). */
const AHEAD = 10;

export interface LeaseOptions {
  readonly logger: Logger;
  /** Is told once, when the file is found to be another's or gone. */
  readonly onLost: (error: BrokerError) => void;
  /** In ms. One of them goes on while the machine sleeps, the other one does not jump. */
  readonly clocks?: readonly [() => number, () => number];
}

/**
 * A lock file that this process has made: renews its time, so that others leave it alone, and notices when it is no longer
 * the one at its path. A process that was stopped for long finds that out before it does anything.
 *
 * Whoever takes a file over that was not renewed moves it away and then looks at its time once more; this one renews it
 * and then looks where it is. So one of the two notices the other.
 */
export class Lease {
  readonly #path: string;
  readonly #dataPath: string;
  /** The file, and what it says. */
  readonly #fd: number;
  readonly #text: Buffer;
  readonly #logger: Logger;
  readonly #onLost: (error: BrokerError) => void;
  readonly #clocks: readonly [() => number, () => number];
  readonly #timer: NodeJS.Timeout;
  /** By each clock. */
  #renewedAt: readonly [number, number];
  #seenAt: readonly [number, number];
  #canRenew = true;
  #isRenewing = false;
  #lost: BrokerError | undefined;
  #ended = false;

  /** @param fd the file, made just now with this text in it */
  constructor(fd: number, text: Buffer, path: string, dataPath: string, options: LeaseOptions) {
    const { logger, onLost, clocks = [monotonic, Date.now] } = options;
    this.#path = path;
    this.#dataPath = dataPath;
    this.#fd = fd;
    this.#text = text;
    this.#logger = logger;
    this.#onLost = onLost;
    this.#clocks = clocks;
    this.#renewedAt = this.#seenAt = this.#now();
    this.#timer = setInterval(() => this.isHeld(true), RENEWAL);
    this.#timer.unref();
  }

  /** Why the data path is not this broker's any more; undefined if it is. */
  get lost(): BrokerError | undefined {
    return this.#lost;
  }

  /**
   * Makes sure that the file is still this one's. What was seen a moment ago counts, which costs a look at two clocks.
   * @param anew it does not
   * @throws BrokerError E_LOCKED once it is not, E_STORAGE if the system has not told for some time
   */
  check(anew = false): void {
    if (this.#ended) return;
    if (this.#lost) throw this.#lost;
    const clocks = this.#clocks;
    const seen = this.#seenAt;
    if (!anew && clocks[0]() - seen[0] < FRESH && Math.abs(clocks[1]() - seen[1]) < FRESH) return;
    this.#verify();
  }

  /** As `check`; false only once the file is not this one's. */
  isHeld(anew = false): boolean {
    try {
      this.check(anew);
    } catch {
      // What the system did not tell, it may tell the next time.
    }
    return this.#lost === undefined;
  }

  /** Lets the file go. Whether it is there, and this one's to be removed. */
  end(): boolean {
    clearInterval(this.#timer);
    this.#ended = true;
    try {
      return this.#lost === undefined && this.#look() === 'own';
    } catch {
      return false;
    } finally {
      if (!this.#isRenewing) closeSync(this.#fd);
    }
  }

  #verify(): void {
    const now = this.#now();
    const age = this.#age(this.#renewedAt);
    if (age >= LATE) this.#renew(now);
    else if (age >= RENEWED) this.#renewAside(now);
    let found: 'own' | 'other' | 'gone';
    try {
      found = this.#look();
      if (found === 'gone') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PUT_BACK);
        found = this.#look();
      }
    } catch (cause) {
      if (this.#age(this.#seenAt) < LONGEST_DOUBT) return;
      const words = `cannot tell whether data path '${this.#dataPath}' is still this broker's: ${messageOf(cause)}`;
      throw new BrokerError('E_STORAGE', words, { cause });
    }
    if (found !== 'own') throw this.#lose(found);
    this.#seenAt = now;
  }

  #renew(now: readonly [number, number]): void {
    const time = Date.now() / 1000;
    try {
      futimesSync(this.#fd, time + AHEAD, time);
      this.#renewed(now, null);
    } catch (error) {
      this.#renewed(now, error as Error);
    }
  }

  #renewAside(now: readonly [number, number]): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    const time = Date.now() / 1000;
    futimes(this.#fd, time + AHEAD, time, (error) => {
      this.#isRenewing = false;
      if (this.#ended) closeSync(this.#fd);
      else this.#renewed(now, error);
    });
  }

  /** @param at when that began */
  #renewed(at: readonly [number, number], error: Error | null): void {
    if (!error && at[0] >= this.#renewedAt[0]) this.#renewedAt = at;
    // It is this one's all the same, until another one takes it.
    if (error && this.#canRenew)
      this.#logger.warn(`cannot renew ${this.#path}: others may take it over`, { error });
    this.#canRenew = !error;
  }

  /** What is at the path. A server of files says so when a file is opened: else it need not be asked. */
  #look(): 'own' | 'other' | 'gone' {
    let fd: number;
    try {
      fd = openSync(this.#path, LOOKING);
    } catch (error) {
      const there = lstatSync(this.#path, { throwIfNoEntry: false });
      if (!there) return 'gone';
      if (there.ino !== fstatSync(this.#fd).ino) return 'other';
      const { code } = error as NodeJS.ErrnoException;
      // It is there, and descriptors are few.
      if (code === 'EMFILE' || code === 'ENFILE') return 'own';
      throw error;
    }
    try {
      const there = fstatSync(fd);
      const own = fstatSync(this.#fd);
      if (!there.isFile() || there.ino !== own.ino || there.dev !== own.dev) return 'other';
      const text = Buffer.alloc(this.#text.length + 1);
      // A number of a file that was removed is soon another one's.
      return this.#text.equals(text.subarray(0, readSync(fd, text, 0, text.length, 0))) ? 'own' : 'other';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESTALE') return 'other';
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  #lose(found: 'other' | 'gone'): BrokerError {
    clearInterval(this.#timer);
    const holder = readHolder(this.#path);
    const who = holder ? `process ${holder.pid} on host ${holder.host}` : 'another broker';
    const what =
      found === 'gone'
        ? `is no longer this broker's: ${this.#path} was removed, or moved away`
        : `was taken over by ${who}`;
    this.#lost = new BrokerError('E_LOCKED', `data path '${this.#dataPath}' ${what}`);
    this.#onLost(this.#lost);
    return this.#lost;
  }

  #now(): readonly [number, number] {
    const [first, second] = this.#clocks;
    return [first(), second()];
  }

  /** By the clock by which it is more. */
  #age([first, second]: readonly [number, number]): number {
    const [now, nowToo] = this.#now();
    return Math.max(now - first, Math.abs(nowToo - second));
  }
}
