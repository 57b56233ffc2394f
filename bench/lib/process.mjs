import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A daemon to measure.
 * @typedef {object} Target
 * @property {string} tcp `host:port`
 * @property {string} http `host:port`
 * @property {number} [pid] where its CPU and memory are read, if it is on this machine
 */

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const READY_MS = 15_000;

/**
 * CPU seconds, user and system, that a process has used, all its threads together.
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/**
 * Resident memory and its peak, in bytes.
 * @param {number} pid
 */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (/** @type {string} */ name) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Starts a daemon from a command line in which `{tcp}`, `{http}` and `{data}` stand for addresses and a data path that
 * are chosen here. `stop` kills it and removes its data.
 * @param {string} commandLine
 * @returns {Promise<Target & { pid: number, stop: () => Promise<void> }>}
 */
export async function startDaemon(commandLine) {
  const tcp = `127.0.0.1:${await freePort()}`;
  const http = `127.0.0.1:${await freePort()}`;
  const data = mkdtempSync(join(tmpdir(), 'nsq-bench-'));
  const [program = '', ...args] = commandLine
    .replaceAll('{tcp}', tcp)
    .replaceAll('{http}', http)
    .replaceAll('{data}', data)
    .split(/\s+/);
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit').catch((error) => error);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.removeListener('exit', kill);
    kill();
    await exited;
    rmSync(data, { recursive: true, force: true });
  };
  const deadline = Date.now() + READY_MS;
  while (!(await answers(http))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
      await stop();
      throw new Error(`did not start: ${commandLine}`);
    }
    await delay(20);
  }
  return { tcp, http, pid: child.pid ?? 0, stop };
}

/** @param {string} http */
async function answers(http) {
  try {
    return (await fetch(`http://${http}/ping`)).ok;
  } catch {
    return false;
  }
}
