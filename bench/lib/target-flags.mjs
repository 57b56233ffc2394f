import { startDaemon } from './process.mjs';

const string = /** @type {const} */ ({ type: 'string' });

/** The options of `parseArgs` that say which daemon is meant, for a script about one of them. */
export const TARGET_OPTIONS = { a: string, 'a-http': string, 'a-pid': string, 'start-a': string };

export const TARGET_USAGE = `  --a ADDRESS        TCP address of a running daemon
  --a-http ADDRESS   its HTTP address (default: the next port)
  --a-pid PID        its process id
  --start-a CMD      start the daemon here: a command line with {tcp}, {http} and {data}`;

/** @typedef {import('./process.mjs').Target & { stop?: () => Promise<void> }} Daemon */

/** @param {string} address */
function nextPort(address) {
  const { hostname, port } = new URL(`tcp://${address}`);
  return `${hostname}:${Number(port) + 1}`;
}

/**
 * The daemon that the flags of one side name, started if they say so; undefined if they name none.
 * @param {Record<string, string | boolean | undefined>} flags
 * @param {'a' | 'b'} [side]
 * @returns {Promise<Daemon | undefined>}
 */
export async function targetFromFlags(flags, side = 'a') {
  const command = flags[`start-${side}`];
  if (typeof command === 'string') return startDaemon(command);
  const tcp = flags[side];
  if (typeof tcp !== 'string') return undefined;
  const pid = flags[`${side}-pid`];
  const http = String(flags[`${side}-http`] ?? nextPort(tcp));
  return { tcp, http, ...(pid === undefined ? {} : { pid: Number(pid) }) };
}

/**
 * Runs `work` on the daemon of side A, whose process id must be known, and stops what was started.
 * @param {Record<string, string | boolean | undefined>} flags
 * @param {string} usage
 * @param {(target: Daemon & { pid: number }) => Promise<void>} work
 */
export async function withTarget(flags, usage, work) {
  const target = await targetFromFlags(flags);
  try {
    if (target?.pid === undefined) throw new Error(usage);
    await work({ ...target, pid: target.pid });
  } catch (error) {
    console.error(reason(error));
    process.exitCode = 1;
  } finally {
    await target?.stop?.();
  }
}

/**
 * What went wrong, in one line, with what was behind it: `fetch` itself says no more than that it failed.
 * @param {unknown} error
 */
export function reason(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
