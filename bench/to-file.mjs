import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTopic } from './lib/http.mjs';
import { median } from './lib/measure.mjs';
import { cpuSeconds, startDaemon } from './lib/process.mjs';

const USAGE = `node bench/to-file.mjs --b nsq_to_file [options]

Archives the messages of one topic with "nsq to-file" (A) and another program with the same flags (B), in turn.

  --b COMMAND            the original's nsq_to_file
  --a COMMAND            default: node bin/run.js to-file
  --nsqd COMMAND         the broker: a command line with {tcp}, {http} and {data}; default: the one here
  --messages N           default 300000
  --size N               bytes of a message (default 200)
  --max-in-flight N      default 200, as theirs
  --runs N               of each (default 3)
  --modes LIST           of plain, gzip (default both)`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    a: { ...string, default: 'node bin/run.js to-file' },
    b: string,
    nsqd: {
      ...string,
      default: 'node bin/run.js serve --tcp-address={tcp} --http-address={http} --data-path={data}',
    },
    messages: { ...string, default: '300000' },
    size: { ...string, default: '200' },
    'max-in-flight': { ...string, default: '200' },
    runs: { ...string, default: '3' },
    modes: { ...string, default: 'plain,gzip' },
  },
});
const BATCH = 1000;
const POLL_MS = 10;

/**
 * Log lines as they are archived: alike, and not the same.
 * @param {number} size
 */
function line(size) {
  const random = () => Math.random().toString(36).slice(2);
  const start = `{"time":${Date.now()},"user":"${random()}","path":"/api/v1/orders/${Math.trunc(Math.random() * 1e6)}"`;
  let text = `${start},"message":"`;
  while (text.length < size - 2) text += `${random()} accepted for delivery `;
  return `${text.slice(0, size - 2)}"}`;
}

/**
 * @param {string} http
 * @param {string} topic
 * @param {string} channel
 * @returns {Promise<number>} messages that are not finished
 */
async function unfinished(http, topic, channel) {
  const query = `format=json&topic=${topic}&channel=${channel}&include_clients=false`;
  const response = await fetch(`http://${http}/stats?${query}`);
  const { topics } = /** @type {{ topics: { channels: { depth: number, in_flight_count: number }[] }[] }} */ (
    await response.json()
  );
  const stats = topics[0]?.channels[0];
  return stats === undefined ? Number.NaN : stats.depth + stats.in_flight_count;
}

/**
 * @param {string} command
 * @param {{ tcp: string, http: string }} nsqd
 * @param {string} channel
 * @param {readonly string[]} options
 * @returns {Promise<{ rate: number, cpu: number }>} messages per second, its start included; CPU seconds
 */
async function archive(command, nsqd, channel, options) {
  const out = mkdtempSync(join(tmpdir(), 'nsq-bench-'));
  const [program = '', ...args] = command.split(/\s+/);
  const messages = Number(flags.messages);
  const start = performance.now();
  const common = [`--nsqd-tcp-address=${nsqd.tcp}`, '--topic=bench', `--channel=${channel}`];
  const files = [`--output-dir=${out}`, '--sync-interval=100ms'];
  const child = spawn(program, [...args, ...common, ...files, ...options], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  while ((await unfinished(nsqd.http, 'bench', channel)) > 0) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${command}`);
    await delay(POLL_MS);
  }
  const seconds = (performance.now() - start) / 1000;
  const cpu = cpuSeconds(child.pid ?? 0);
  child.kill('SIGTERM');
  await exited;
  rmSync(out, { recursive: true, force: true });
  return { rate: messages / seconds, cpu };
}

if (flags.b === undefined) {
  console.error(USAGE);
  process.exit(1);
}
const modes = flags.modes.split(',');
const runs = Number(flags.runs);
const commands = /** @type {const} */ ([
  ['A', flags.a],
  ['B', flags.b],
]);
const channels = modes.flatMap((mode) =>
  Array.from({ length: runs }, (_, run) => commands.map(([side]) => `${mode}${run}${side}`)).flat(),
);
const nsqd = await startDaemon(flags.nsqd);
try {
  await createTopic(nsqd.http, 'bench', channels);
  for (let left = Number(flags.messages); left > 0; left -= BATCH) {
    const bodies = Array.from({ length: Math.min(BATCH, left) }, () => line(Number(flags.size)));
    await fetch(`http://${nsqd.http}/mpub?topic=bench`, { method: 'POST', body: bodies.join('\n') });
  }
  for (const mode of modes) {
    const options = [`--max-in-flight=${flags['max-in-flight']}`, ...(mode === 'gzip' ? ['--gzip'] : [])];
    /** @type {Record<string, number[]>} */
    const rates = { A: [], B: [] };
    for (let run = 0; run < runs; run += 1) {
      for (const [side, command] of commands) {
        const { rate, cpu } = await archive(command, nsqd, `${mode}${run}${side}`, options);
        rates[side]?.push(rate);
        const shown = Math.round(rate).toLocaleString('en');
        console.log(`${mode} ${side} run ${run + 1}: ${shown} messages/s, CPU ${cpu.toFixed(2)} s`);
      }
    }
    const [a, b] = [median(rates.A ?? []), median(rates.B ?? [])];
    console.log(
      `${mode}: A ${Math.round(a).toLocaleString('en')}, B ${Math.round(b).toLocaleString('en')}, A/B ${(a / b).toFixed(2)}`,
    );
  }
} finally {
  await nsqd.stop();
}
