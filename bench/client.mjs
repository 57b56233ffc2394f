import { parseArgs } from 'node:util';
import { keepUnderWay } from './clients/client.mjs';
import { goNsq } from './clients/go-nsq.mjs';
import { theirs } from './clients/nsqjs.mjs';
import { ours } from './clients/ours.mjs';
import { body, mpub } from './lib/commands.mjs';
import { createTopic, deleteTopic } from './lib/http.mjs';
import { median } from './lib/measure.mjs';
import { openAll, repeat } from './lib/publisher.mjs';
import { reason, TARGET_OPTIONS, TARGET_USAGE, targetFromFlags } from './lib/target-flags.mjs';
import { newTopic } from './scenarios/scenario.mjs';

/**
 * @typedef {object} Load
 * @property {import('./lib/process.mjs').Target} target
 * @property {string} topic
 * @property {Buffer} body
 * @property {number} times messages
 * @property {number} batch
 * @property {number} window calls under way at a time
 * @property {number} inFlight
 */
/** @typedef {import('./clients/client.mjs').Client} Client */

/**
 * @typedef {object} Side
 * @property {string} name
 * @property {number | undefined} wanted how much faster this project's client is to be
 * @property {(load: Load) => Promise<number>} run
 * @property {number[]} rates
 */

/** The last messages of an nsqd may wait for its output buffer's 250 ms: the clock stops before them. */
const TAIL = 2500;

/**
 * Each gives messages a second.
 * @type {Record<string, { about: string, messages: number, wanted: number, wantedOfGo?: number, run: (client: Client, load: Load) => Promise<number> }>}
 */
const SCENARIOS = {
  consume: {
    about: 'messages that wait in a channel, empty handler, every one finished',
    messages: 600_000,
    wanted: 4,
    wantedOfGo: 2,
    run: async (client, { target, topic, times, inFlight }) => {
      let seen = 0;
      let first = 0;
      const counted = times - TAIL;
      let end = () => {};
      const seconds = new Promise((resolve) => {
        end = () => resolve((performance.now() - first) / 1000);
      });
      const consumer = await client.consumer(target.tcp, topic, 'ch', inFlight, () => {
        if (seen === 0) first = performance.now();
        seen += 1;
        if (seen === counted) end();
      });
      const rate = counted / Number(await seconds);
      await consumer.close();
      return rate;
    },
  },
  batch: {
    about: 'batches (MPUB), some under way at a time',
    messages: 1_000_000,
    wanted: 4,
    run: (client, { target, topic, body, times, batch }) =>
      publishing(client, target, times, (producer) => {
        const bodies = Array.from({ length: batch }, () => body);
        return keepUnderWay(Math.ceil(times / batch), 8, (done) =>
          producer.publishBatch(topic, bodies, done),
        );
      }),
  },
  pipelined: {
    about: 'single publishes, many under way at a time',
    messages: 400_000,
    wanted: 4,
    wantedOfGo: 2,
    run: (client, { target, topic, body, times, window }) =>
      publishing(client, target, times, (producer) =>
        keepUnderWay(times, window, (done) => producer.publish(topic, body, done)),
      ),
  },
  awaited: {
    about: 'single publishes, each waits for the one before',
    messages: 40_000,
    wanted: 1,
    wantedOfGo: 1,
    run: (client, { target, topic, body, times }) =>
      publishing(client, target, times, (producer) =>
        keepUnderWay(times, 1, (done) => producer.publish(topic, body, done)),
      ),
  },
};

const USAGE = `node bench/client.mjs [${Object.keys(SCENARIOS).join(' | ')}]… (--a ADDRESS | --start-a CMD) [options]

This project's client library and nsqjs in turn, against one broker.

${TARGET_USAGE}
  --runs N           timed runs of each (default 3), after one of a quarter that does not count
  --messages N       messages of a run (default: each scenario's own)
  --size N           bytes of a message (200)
  --batch N          messages of a batch (200)
  --window N         publishes under way at a time in \`pipelined\` (1,000)
  --in-flight N      messages in flight in \`consume\` (2,500)
  --go-nsq PROGRAM   go-nsq too: see bench/README.md
  --json             one line of JSON per scenario`;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...TARGET_OPTIONS,
    runs: { ...string, default: '3' },
    messages: string,
    size: { ...string, default: '200' },
    batch: { ...string, default: '200' },
    window: { ...string, default: '1000' },
    'in-flight': { ...string, default: '2500' },
    'go-nsq': string,
    json: { type: 'boolean', default: false },
  },
});

/**
 * @param {import('./lib/process.mjs').Target} target
 * @param {string} topic
 * @param {Buffer} body
 * @param {number} times
 */
async function fill(target, topic, body, times) {
  const connections = await openAll(target.tcp, 1);
  const command = mpub(topic, body, 100);
  await repeat(connections, command, Math.ceil(times / 100));
  for (const connection of connections) connection.close();
}

/**
 * @param {Client} client
 * @param {import('./lib/process.mjs').Target} target
 * @param {number} times
 * @param {(producer: import('./clients/client.mjs').BenchProducer) => Promise<void>} work
 */
async function publishing(client, target, times, work) {
  const producer = await client.producer(target.tcp);
  const start = performance.now();
  await work(producer);
  const rate = (1000 * times) / (performance.now() - start);
  await producer.close();
  return rate;
}

/**
 * @param {string} name
 * @param {import('./lib/process.mjs').Target} target
 */
async function compare(name, target) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}\n\n${USAGE}`);
  const messages = Number(flags.messages ?? scenario.messages);
  const log = flags.json ? () => {} : console.log;
  log(`${name}: ${scenario.about}; ${messages.toLocaleString('en')} messages of ${flags.size} bytes`);
  const one = async (/** @type {Side} */ side, /** @type {number} */ times) => {
    const topic = newTopic();
    await createTopic(target.http, topic, ['ch']);
    const load = {
      target,
      topic,
      body: body(Number(flags.size)),
      times,
      batch: Number(flags.batch),
      window: Number(flags.window),
      inFlight: Number(flags['in-flight']),
    };
    if (name === 'consume') await fill(target, topic, load.body, times);
    const rate = await side.run(load);
    await deleteTopic(target.http, topic);
    return rate;
  };
  const program = flags['go-nsq'];
  /** @type {Side[]} */
  const sides = [
    { name: 'nsq', wanted: 1, run: (load) => scenario.run(ours, load), rates: [] },
    { name: 'nsqjs', wanted: scenario.wanted, run: (load) => scenario.run(theirs, load), rates: [] },
  ];
  if (program !== undefined) {
    /** @type {Side['run']} */
    const run = (load) => goNsq(program, name, load, load.times - TAIL);
    sides.push({ name: 'go-nsq', wanted: scenario.wantedOfGo, run, rates: [] });
  }
  for (const side of sides) await one(side, Math.max(2 * TAIL, Math.ceil(messages / 4)));
  for (let run = 1; run <= Number(flags.runs); run += 1) {
    for (const side of sides) side.rates.push(await one(side, messages));
    log(`  run ${run}: ${sides.map(({ name, rates }) => `${name} ${figure(rates.at(-1))}`).join(', ')}`);
  }
  const [first = 0, ...others] = sides.map(({ rates }) => median(rates));
  const ratios = others.map((rate, index) => ({ ...sides[index + 1], rate, ratio: first / rate }));
  if (flags.json) {
    const rates = Object.fromEntries(sides.map(({ name, rates }) => [name, median(rates)]));
    console.log(JSON.stringify({ scenario: name, messages, ...rates }));
  }
  log(`  median: nsq ${figure(first)} messages/s`);
  for (const { name, rate, ratio, wanted } of ratios) {
    log(`    ${name} ${figure(rate)}, ratio ${ratio.toFixed(2)}${wanted ? ` (wanted ${wanted})` : ''}`);
  }
}

/** @param {number | undefined} value */
function figure(value) {
  return Math.round(value ?? 0).toLocaleString('en');
}

const target = await targetFromFlags(flags);
try {
  if (target === undefined) throw new Error(USAGE);
  for (const name of positionals.length > 0 ? positionals : Object.keys(SCENARIOS))
    await compare(name, target);
} catch (error) {
  console.error(reason(error));
  process.exitCode = 1;
} finally {
  await target?.stop?.();
}
