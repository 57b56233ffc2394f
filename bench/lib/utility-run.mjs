import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { median } from './measure.mjs';
import { cpuSeconds, memory } from './process.mjs';

/**
 * One run of a command that takes all messages of a channel.
 * @typedef {object} UtilityRun
 * @property {number} rate messages a second, the start of the process included
 * @property {number} cpu CPU seconds
 * @property {readonly number[]} peaks largest resident memory up to each of {@link SHARES} of the messages, MB
 */

/** Parts of the messages after which memory is looked at. */
const SHARES = [0.25, 0.5, 1];
const POLL_MS = 10;

/** Log lines as they are archived: alike, and not the same. @param {number} size */
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
 * @param {{ messages: number, size: number }} what size in bytes
 */
export async function publishLines(http, topic, { messages, size }) {
  const batch = 1000;
  for (let left = messages; left > 0; left -= batch) {
    const bodies = Array.from({ length: Math.min(batch, left) }, () => line(size));
    await fetch(`http://${http}/mpub?topic=${topic}`, { method: 'POST', body: bodies.join('\n') });
  }
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
  const { topics } = /** @type {{ topics: { channels: Record<string, number>[] }[] }} */ (
    await response.json()
  );
  const { depth = Number.NaN, in_flight_count = 0, deferred_count = 0 } = topics[0]?.channels[0] ?? {};
  return depth + in_flight_count + deferred_count;
}

/**
 * Runs a command until the channel's messages are finished, then ends it with SIGTERM.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ http: string, topic: string, channel: string, messages: number }} channel
 * @returns {Promise<UtilityRun>}
 */
export async function drainWith(command, args, { http, topic, channel, messages }) {
  const [program = '', ...first] = command.split(/\s+/);
  const start = performance.now();
  const child = spawn(program, [...first, ...args], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const pid = child.pid ?? 0;
  /** @type {number[]} */
  const peaks = [];
  for (let left = messages; left > 0; ) {
    await delay(POLL_MS);
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${command}`);
    left = await unfinished(http, topic, channel);
    while (left <= messages * (1 - (SHARES[peaks.length] ?? 2))) peaks.push(memory(pid).peak / 1e6);
  }
  const seconds = (performance.now() - start) / 1000;
  const cpu = cpuSeconds(pid);
  child.kill('SIGTERM');
  const [code] = await exited;
  if (code !== 0) throw new Error(`ended with ${code}: ${command}`);
  return { rate: messages / seconds, cpu, peaks };
}

/**
 * Runs two commands in turn, A B A B …, and prints each run and the ratio of the medians.
 * @param {string} name
 * @param {readonly (readonly [side: string, command: string])[]} commands
 * @param {number} runs of each
 * @param {(command: string, label: string) => Promise<UtilityRun>} run
 */
export async function compare(name, commands, runs, run) {
  /** @type {number[][]} */
  const rates = commands.map(() => []);
  for (let round = 0; round < runs; round += 1) {
    for (const [at, [side, command]] of commands.entries()) {
      const { rate, cpu, peaks } = await run(command, `${name}${side}${round}`);
      rates[at]?.push(rate);
      const course = peaks.map((peak) => peak.toFixed(0)).join(', ');
      console.log(
        `${name} ${side} run ${round + 1}: ${shown(rate)} messages/s, CPU ${cpu.toFixed(2)} s, peak at 25, 50, 100 %: ${course} MB`,
      );
    }
  }
  const [a = Number.NaN, b = Number.NaN] = rates.map((some) => median(some));
  if (commands.length === 2) console.log(`${name}: A ${shown(a)}, B ${shown(b)}, A/B ${(a / b).toFixed(2)}`);
}

/** @param {number} rate */
function shown(rate) {
  return Math.round(rate).toLocaleString('en');
}
