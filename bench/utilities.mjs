import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTopic } from './lib/http.mjs';
import { median } from './lib/measure.mjs';
import { cpuSeconds, memory, startDaemon } from './lib/process.mjs';

const USAGE = `node bench/utilities.mjs [--to-nsq to_nsq] [--nsq-tail nsq_tail] [options]

"nsq pub" of lines on the standard input against to_nsq, and "nsq tail > /dev/null" against nsq_tail: in turn, against one
broker, medians of messages a second over the whole process.

  --to-nsq COMMAND      the original's to_nsq
  --nsq-tail COMMAND    the original's nsq_tail
  --nsqd COMMAND        the broker: a command line with {tcp}, {http} and {data}; default: the one here
  --messages N          default 1000000
  --size N              bytes of a message (default 100)
  --runs N              of each (default 3)`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    'to-nsq': string,
    'nsq-tail': string,
    nsqd: {
      ...string,
      default: 'node bin/run.js serve --tcp-address={tcp} --http-address={http} --data-path={data}',
    },
    messages: { ...string, default: '1000000' },
    size: { ...string, default: '100' },
    runs: { ...string, default: '3' },
    help: { type: 'boolean' },
  },
});
const messages = Number(flags.messages);
/** What is reached in the last of these before the end is not seen. */
const SAMPLE_MS = 10;
const directory = mkdtempSync(join(tmpdir(), 'nsq-bench-'));
const linesFile = join(directory, 'lines');

/** @typedef {{ rate: number, cpu: number, peak: number }} Run rate in messages a second, peak in MB */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').StdioOptions} stdio
 * @returns {Promise<Run>}
 */
async function timed(command, args, stdio) {
  const [program = '', ...first] = command.split(/\s+/);
  const start = performance.now();
  const child = spawn(program, [...first, ...args], { stdio });
  const exited = once(child, 'exit');
  let [cpu, peak] = [0, 0];
  const sampler = setInterval(() => {
    try {
      cpu = cpuSeconds(child.pid ?? 0);
      // The peak never falls. Of a process that has ended and is not waited for yet there is none: NaN.
      peak = memory(child.pid ?? 0).peak / 1e6 || peak;
    } catch {
      // it has ended
    }
  }, SAMPLE_MS);
  const [code] = await exited;
  clearInterval(sampler);
  if (code !== 0) throw new Error(`ended with ${code}: ${command}`);
  return { rate: messages / ((performance.now() - start) / 1000), cpu, peak };
}

/**
 * Runs both in turn and prints their medians.
 * @param {string} name
 * @param {Readonly<Record<string, string>>} commands by side
 * @param {(command: string, label: string) => Promise<Run>} run
 */
async function compare(name, commands, run) {
  /** @type {Record<string, number[]>} */
  const rates = {};
  for (let round = 0; round < Number(flags.runs); round += 1) {
    for (const [side, command] of Object.entries(commands)) {
      const { rate, cpu, peak } = await run(command, `${name}${side}${round}`);
      rates[side] = [...(rates[side] ?? []), rate];
      const shown = Math.round(rate).toLocaleString('en');
      console.log(
        `${name} ${side}: ${shown} messages/s, CPU ${cpu.toFixed(2)} s, peak ${peak.toFixed(0)} MB`,
      );
    }
  }
  const [ours, theirs] = [median(rates.ours ?? []), median(rates.original ?? [])];
  if (rates.original) console.log(`${name}: ours/original ${(ours / theirs).toFixed(2)}`);
}

if (flags.help) {
  console.log(USAGE);
  process.exit();
}
const nsqd = await startDaemon(flags.nsqd);
const address = `--nsqd-tcp-address=${nsqd.tcp}`;
try {
  const line = `${'x'.repeat(Number(flags.size))}\n`;
  writeFileSync(linesFile, '');
  for (let left = messages; left > 0; left -= 100_000) {
    writeFileSync(linesFile, line.repeat(Math.min(left, 100_000)), { flag: 'a' });
  }
  /** @param {string} command @param {string} topic */
  const publish = (command, topic) =>
    timed(command, [`--topic=${topic}`, address], [openSync(linesFile, 'r'), 'ignore', 'ignore']);
  const pubs = { ours: 'node bin/run.js pub', ...(flags['to-nsq'] && { original: flags['to-nsq'] }) };
  await compare('pub', pubs, publish);

  const tails = { ours: 'node bin/run.js tail', ...(flags['nsq-tail'] && { original: flags['nsq-tail'] }) };
  await compare('tail', tails, async (command, topic) => {
    // Filled before it is timed, so that the reader has to wait for nobody.
    await createTopic(nsqd.http, topic, ['bench']);
    await publish('node bin/run.js pub', topic);
    await delay(200);
    return timed(
      command,
      [`--topic=${topic}`, '--channel=bench', `-n=${messages}`, address],
      ['ignore', openSync('/dev/null', 'w'), 'ignore'],
    );
  });
} finally {
  await nsqd.stop();
  rmSync(directory, { recursive: true, force: true });
}
