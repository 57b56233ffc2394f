import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** A name that takes longer than this is slow, ms: most who ask have given up by then. */
const SLOW_MS = 1000;
/** How long an answer that came so late is kept for who asks next, ms. */
const KEPT_MS = 5000;
const MOST_REMEMBERED = 1000;

export type Addresses = readonly LookupAddress[];

/** Asks the system for all addresses of a name; `isDoubtful` unless it answered in good time when it was asked last. */
export type AskSystem = (name: string, isDoubtful: boolean) => Promise<Addresses>;

export interface NamesOptions {
  readonly ask: AskSystem;
  /** Questions under way at most. */
  readonly most: number;
  /** Of these, those for names that were slow the last time. */
  readonly mostSlow: number;
}

interface Question {
  readonly name: string;
  readonly settle: (answer: Promise<Addresses>) => void;
}

/**
 * Resolves names so that one that hangs is in nobody else's way. The system cannot be told to stop looking for a name,
 * and takes few questions at once: each name is asked for once at a time, however often it is wanted meanwhile, and
 * slow names wait for each other so that there is always room for the quick ones.
 */
export class Names {
  #options: NamesOptions;
  readonly #underWay = new Map<string, Promise<Addresses>>();
  readonly #late = new Map<string, Addresses>();
  readonly #isSlow = new Map<string, boolean>();
  #waiting: Question[] = [];
  #asking = 0;
  #askingSlow = 0;

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** From now on the system is asked in another way. */
  use(options: NamesOptions): void {
    this.#options = options;
  }

  /** All addresses of a host name in the system's order, as they are now. Rejects as `dns.lookup` does. */
  resolve(name: string): Promise<Addresses> {
    if (name === 'localhost') return Promise.resolve(LOOPBACK);
    const late = this.#late.get(name);
    if (late) return Promise.resolve(late);
    const joined = this.#underWay.get(name);
    if (joined) return joined;
    const answer = new Promise<Addresses>((settle) => this.#waiting.push({ name, settle }));
    this.#underWay.set(name, answer);
    this.#askNext();
    return answer;
  }

  /** Names that were quick go first, then those that nothing is known of. */
  #askNext(): void {
    const { most, mostSlow } = this.#options;
    while (this.#asking < most) {
      const slowest = this.#askingSlow < mostSlow ? 2 : 1;
      const ranks = this.#waiting.map(({ name }) => this.#rank(name));
      const best = Math.min(...ranks);
      if (best > slowest) return;
      const [next] = this.#waiting.splice(ranks.indexOf(best), 1);
      if (next) next.settle(this.#ask(next.name));
    }
  }

  #rank(name: string): number {
    const isSlow = this.#isSlow.get(name);
    if (isSlow === undefined) return 1;
    return isSlow ? 2 : 0;
  }

  async #ask(name: string): Promise<Addresses> {
    const isDoubtful = this.#rank(name) > 0;
    let isSlow = this.#rank(name) === 2;
    this.#asking++;
    if (isSlow) this.#askingSlow++;
    const start = performance.now();
    const timer = setTimeout(() => {
      if (!isSlow) this.#askingSlow++;
      isSlow = true;
      this.#remember(name, true);
    }, SLOW_MS);
    timer.unref();
    try {
      const addresses = await this.#options.ask(name, isDoubtful);
      if (performance.now() - start >= SLOW_MS) this.#keep(name, addresses);
      return addresses;
    } finally {
      clearTimeout(timer);
      this.#remember(name, performance.now() - start >= SLOW_MS);
      this.#underWay.delete(name);
      this.#asking--;
      if (isSlow) this.#askingSlow--;
      this.#askNext();
    }
  }

  #remember(name: string, isSlow: boolean): void {
    this.#isSlow.delete(name);
    this.#isSlow.set(name, isSlow);
    if (this.#isSlow.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#isSlow.keys();
    if (oldest !== undefined) this.#isSlow.delete(oldest);
  }

  #keep(name: string, addresses: Addresses): void {
    this.#late.set(name, addresses);
    setTimeout(() => this.#late.delete(name), KEPT_MS).unref();
  }
}

/** `localhost` is both loopback addresses, whatever the system's hosts file has: who is asked may listen on either. */
const LOOPBACK: Addresses = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** In one of Node's threads, of which `getaddrinfo` never gets more than half: two, which files then are not kept from. */
export const askInThread: AskSystem = (name) => {
  // Loaded by those who have names to resolve.
  const dns = process.getBuiltinModule('node:dns');
  const hints = process.platform === 'win32' ? 0 : dns.ADDRCONFIG;
  return new Promise((resolve, reject) => {
    dns.lookup(name, { all: true, hints }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
};

export const IN_THREADS: NamesOptions = { ask: askInThread, most: 2, mostSlow: 1 };

/** The names of this process. */
export const names = new Names(IN_THREADS);

/** For the `lookup` option of sockets. */
export const lookUp: LookupFunction = (name, { all, family }, done) => {
  names.resolve(name).then(
    (found) => {
      const version = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : (family ?? 0);
      const addresses = found.filter((one) => version === 0 || one.family === version);
      const [first] = addresses;
      if (!first) done(notFound(name), '');
      else if (all) done(null, addresses);
      else done(null, first.address, first.family);
    },
    (error: NodeJS.ErrnoException) => done(error, ''),
  );
};

/** As `dns.lookup` fails. */
export function notFound(name: string, code = 'ENOTFOUND'): NodeJS.ErrnoException {
  const error = new Error(`getaddrinfo ${code} ${name}`);
  return Object.assign(error, { code, syscall: 'getaddrinfo', hostname: name });
}
