import type { ChildProcess } from 'node:child_process';
import {
  type Addresses,
  type AskSystem,
  askInThread,
  IN_THREADS,
  type Names,
  notFound,
} from '../net/names.js';

/** Longest time that the system gets for a name, ms. */
const TIMEOUT_MS = 30_000;
/** A process is made by copying the page tables of its parent: 0.06 ms for each MB, which a big one does without. */
const SMALL_BYTES = 96 * 1024 * 1024;
/** What fails so soon does not hang in a thread either, ms. */
const QUICK_MS = 1000;
/** What `getent` ends with when there is no such name. */
const NOT_FOUND = 2;
/** Nothing that may be taken for a flag, and nothing that Node would write in another way. */
const HOST_NAME = /^[\w.][\w.-]*$/;

interface Outcome {
  readonly addresses: Addresses;
  /** The exit status, the error's code when it could not be started, or null when it was ended. */
  readonly status: number | string | null;
}

/**
 * How commands resolve names where there is `getent`: what may hang is asked for in a process of its own, since a
 * process can be ended and a thread cannot. Node waits for its threads before it exits, for a name that hangs 10 seconds
 * and more.
 */
export function resolveInProcesses(names: Names, program = 'getent'): void {
  if (process.platform === 'win32' || process.platform === 'darwin') return;
  const running = new Set<ChildProcess>();
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });

  const run = async (name: string): Promise<Outcome> => {
    const [{ execFile }, { isIP }] = await Promise.all([import('node:child_process'), import('node:net')]);
    return new Promise((resolve) => {
      const child = execFile(program, ['ahosts', name], { timeout: TIMEOUT_MS }, (error, stdout) => {
        running.delete(child);
        resolve({ addresses: readAddresses(stdout, isIP), status: error ? (error.code ?? null) : 0 });
      });
      running.add(child);
    });
  };

  const ask: AskSystem = async (name, isDoubtful) => {
    const isWorthIt = isDoubtful || process.memoryUsage.rss() < SMALL_BYTES;
    if (!isWorthIt || !HOST_NAME.test(name)) return askInThread(name, isDoubtful);
    const start = performance.now();
    const { addresses, status } = await run(name);
    if (addresses.length > 0) return addresses;
    const isQuick = performance.now() - start < QUICK_MS;
    if (status === null || !isQuick) throw notFound(name, 'EAI_AGAIN');
    // There is no such program, or it is one that does not know this database.
    if (status !== NOT_FOUND) names.use(IN_THREADS);
    // The system's reason is told here only, and what was quick is so again.
    return askInThread(name, isDoubtful);
  };
  names.use({ ask, most: 8, mostSlow: 6 });
}

/** Lines of an address, a type of socket and perhaps the name; an address comes once for each type. */
function readAddresses(text: string, isIP: (text: string) => number): Addresses {
  const all = text.split('\n').map((line) => line.trim().split(/\s+/, 1)[0] ?? '');
  return [...new Set(all)].flatMap((address) => {
    const family = isIP(address);
    return family === 0 ? [] : [{ address, family }];
  });
}
