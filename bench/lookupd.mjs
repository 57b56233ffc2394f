import { parseArgs } from 'node:util';
import { answersPerSecond } from './lib/http-load.mjs';
import { LookupdPeer } from './lib/lookupd-peer.mjs';
import { measure, median } from './lib/measure.mjs';
import { memory } from './lib/process.mjs';
import { reason, targetFromFlags } from './lib/target-flags.mjs';
import { timeToLastAnswer } from './lib/watchers.mjs';

const USAGE = `node bench/lookupd.mjs --start-a CMD [--start-b CMD] [options]

A lookupd with many brokers: how long they take to register, how many look-ups it answers, what memory it needs.

  --start-a, --start-b CMD  start the lookupd here: a command line with {tcp} and {http}; runs go A B A B …
  --brokers N               connections that register (default 50)
  --topics N                topics of each broker, the same ones on all (default 200)
  --channels N              channels of each topic (default 2)
  --connections N           HTTP connections, one request at a time on each (default 8)
  --seconds N               of each run of look-ups (default 2)
  --runs N                  timed runs of each (default 3)
  --watchers N              requests that wait for one topic, where that is offered (default 1000)`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    'start-a': string,
    'start-b': string,
    brokers: { ...string, default: '50' },
    topics: { ...string, default: '200' },
    channels: { ...string, default: '2' },
    connections: { ...string, default: '8' },
    seconds: { ...string, default: '2' },
    runs: { ...string, default: '3' },
    watchers: { ...string, default: '1000' },
  },
});

/**
 * @typedef {object} Side
 * @property {string} label
 * @property {import('./lib/target-flags.mjs').Daemon & { pid: number }} target
 * @property {LookupdPeer[]} peers
 * @property {Record<string, number[]>} rates by path
 */

/** Every REGISTER of one broker: a channel's is its topic's too. */
function registrations() {
  const lines = [];
  for (let topic = 0; topic < Number(flags.topics); topic++) {
    if (flags.channels === '0') lines.push(`REGISTER topic-${topic}\n`);
    for (let channel = 0; channel < Number(flags.channels); channel++)
      lines.push(`REGISTER topic-${topic} channel-${channel}\n`);
  }
  return lines;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * All brokers connect and register at once, as after a restart.
 * @param {Side} side
 */
async function register({ label, target, peers }) {
  const before = memory(target.pid).resident;
  const lines = registrations();
  const { measured } = await measure(target, async () => {
    await Promise.all(
      Array.from({ length: Number(flags.brokers) }, async (_, index) => {
        const peer = await LookupdPeer.open(target.tcp, `broker-${index}`);
        peers.push(peer);
        await peer.send(lines);
      }),
    );
  });
  const { resident } = memory(target.pid);
  console.log(
    `  ${label} registered ${peers.length} x ${lines.length} in ${measured.seconds.toFixed(2)} s, ` +
      `resident ${megabytes(resident)} (before: ${megabytes(before)})`,
  );
}

/**
 * @param {Side} side
 * @param {string} path
 */
async function ask({ target, rates }, path) {
  rates[path] ??= [];
  const load = { connections: Number(flags.connections), seconds: Number(flags.seconds) };
  rates[path].push(await answersPerSecond(target.http, path, load));
}

/** @param {Side} side */
async function watch({ label, target, peers }) {
  const count = Number(flags.watchers);
  const change = () => peers[0]?.send(['REGISTER topic-0 another\n']);
  await peers[0]?.send(['REGISTER topic-0\n']);
  const ms = await timeToLastAnswer(target.http, 'topic-0', count, change);
  const words = ms === undefined ? 'no requests that wait' : `last answered after ${ms.toFixed(0)} ms`;
  console.log(`  ${label} ${count} requests that wait for a topic: ${words}`);
}

/** @type {Side[]} */
const sides = [];
try {
  for (const side of /** @type {const} */ (['a', 'b'])) {
    const target = await targetFromFlags(flags, side);
    if (target?.pid === undefined) continue;
    sides.push({ label: side.toUpperCase(), target: { ...target, pid: target.pid }, peers: [], rates: {} });
  }
  if (sides.length === 0) throw new Error(USAGE);
  console.log(`${flags.brokers} brokers x ${flags.topics} topics x ${flags.channels} channels`);
  for (const side of sides) await register(side);
  const paths = ['/lookup?topic=topic-0', '/nodes'];
  for (const path of paths)
    for (let run = 0; run <= Number(flags.runs); run++) for (const side of sides) await ask(side, path);
  for (const path of paths) {
    // The first run warms up.
    const [a = 0, b] = sides.map(({ rates }) => median(rates[path]?.slice(1) ?? []));
    const other =
      b === undefined ? '' : `, B ${Math.round(b).toLocaleString('en')}, A/B ${(a / b).toFixed(2)}`;
    console.log(`  ${path}: A ${Math.round(a).toLocaleString('en')} answers/s${other}`);
  }
  for (const { label, target } of sides) {
    const { resident, peak } = memory(target.pid);
    console.log(`  ${label} after look-ups: resident ${megabytes(resident)}, peak ${megabytes(peak)}`);
  }
  for (const side of sides) await watch(side);
} catch (error) {
  console.error(reason(error));
  process.exitCode = 1;
} finally {
  for (const { target, peers } of sides) {
    for (const peer of peers) peer.close();
    await target.stop?.();
  }
}
