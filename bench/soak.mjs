import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Consumer, Producer, PublishError } from '../dist/client/index.js';
import { createTopic } from './lib/http.mjs';
import { memory } from './lib/process.mjs';
import { reason, TARGET_OPTIONS, TARGET_USAGE, targetFromFlags } from './lib/target-flags.mjs';
import { TcpProxy } from './lib/tcp-proxy.mjs';

const USAGE = `node bench/soak.mjs [--duration SECONDS] [--a ADDRESS | --start-a CMD] [options]

A producer and two consumers of this project's client library, on connections that are dropped again and again. Fails
(exit code 1) when a message was published and never finished, or when memory grows.

${TARGET_USAGE}
                     (default: this project's broker)
  --duration S       seconds (default 600)
  --drop-every MS    time between drops of all connections (default 1,000)
  --rate N           messages a second (default 2,000)`;

const OWN_BROKER =
  'node bin/run.js serve --tcp-address={tcp} --http-address={http} --data-path={data} --log-level=error';
const TOPIC = 'soak';
const CHANNEL = 'ch';
const TICK_MS = 20;
const SAMPLE_MS = 1000;
/** What the heap may grow from the run's second quarter to its last one. */
const GROWTH = 1.25;
const SLACK_BYTES = 8 * 1024 * 1024;

const string = /** @type {const} */ ({ type: 'string' });
const { values: flags } = parseArgs({
  options: {
    ...TARGET_OPTIONS,
    duration: { ...string, default: '600' },
    'drop-every': { ...string, default: '1000' },
    rate: { ...string, default: '2000' },
    help: { type: 'boolean', default: false },
  },
});

/** What became of each message, by its number. */
class Ledger {
  #seen;
  published = 0;
  finished = 0;
  /** Finished more than once. */
  doubles = 0;
  retries = 0;

  /** @param {number} capacity */
  constructor(capacity) {
    this.#seen = new Uint8Array(capacity);
  }

  /** @param {number} number */
  finish(number) {
    if (this.#seen[number] === 0) this.finished += 1;
    else this.doubles += 1;
    this.#seen[number] = 1;
  }

  /** @param {number} count */
  missing(count) {
    return this.#seen.subarray(0, count).reduce((sum, one) => sum + (one === 0 ? 1 : 0), 0);
  }
}

/**
 * Publishes until the broker has it.
 * @param {Producer} producer
 * @param {number} number
 * @param {Ledger} ledger
 */
async function publish(producer, number, ledger) {
  const body = `${number} ${'x'.repeat(100)}`;
  for (;;) {
    try {
      await producer.publish(TOPIC, body);
      ledger.published += 1;
      return;
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      ledger.retries += 1;
    }
  }
}

/** @param {string} http */
async function left(http) {
  const response = await fetch(`http://${http}/stats?format=json&topic=${TOPIC}`);
  const stats = /** @type {{ topics: { depth: number, channels: Record<string, number>[] }[] }} */ (
    await response.json()
  );
  const [topic] = stats.topics;
  const [channel] = topic?.channels ?? [];
  if (!topic || !channel) throw new Error('the broker has lost the channel');
  return (
    topic.depth + Number(channel.depth) + Number(channel.in_flight_count) + Number(channel.deferred_count)
  );
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** @param {import('./lib/process.mjs').Target} target */
async function soak(target) {
  const duration = 1000 * Number(flags.duration);
  const rate = Number(flags.rate);
  if (!(duration > 0 && rate > 0)) throw new Error(USAGE);
  await createTopic(target.http, TOPIC, [CHANNEL]);
  const proxy = new TcpProxy(target.tcp);
  const address = await proxy.listen();
  const ledger = new Ledger(Math.ceil((duration / 1000) * rate) + rate);
  const producer = new Producer({ nsqdTcpAddress: address, maxReconnectDelay: 200 });
  const consumers = Array.from(
    { length: 2 },
    () =>
      new Consumer({
        topic: TOPIC,
        channel: CHANNEL,
        nsqdTcpAddresses: address,
        maxInFlight: 200,
        maxAttempts: 0,
        maxReconnectDelay: 200,
      }),
  );
  const running = consumers.map((consumer) =>
    consumer.run(
      async (message) => {
        await delay(1);
        ledger.finish(Number.parseInt(message.text(), 10));
      },
      { concurrency: 100 },
    ),
  );

  /** @type {number[]} */
  const heap = [];
  const dropping = setInterval(() => proxy.drop(), Number(flags['drop-every']));
  const sampling = setInterval(() => {
    globalThis.gc?.();
    heap.push(process.memoryUsage().heapUsed);
    if (heap.length % 10 !== 0) return;
    const { resident } = memory(process.pid);
    console.log(
      `${heap.length} s: ${ledger.published} published, ${ledger.finished} finished, ${ledger.doubles} again, ` +
        `${ledger.retries} publishes repeated, ${proxy.dropped} connections dropped; ` +
        `heap ${mib(heap.at(-1) ?? 0)}, resident ${mib(resident)} MiB`,
    );
  }, SAMPLE_MS);

  const start = performance.now();
  /** @type {Set<Promise<void>>} */
  const underWay = new Set();
  let number = 0;
  for (let now = start; now < start + duration; now = performance.now()) {
    const due = Math.floor(((now - start) / 1000) * rate);
    while (number < due) {
      await producer.ready();
      const call = publish(producer, number++, ledger).finally(() => underWay.delete(call));
      underWay.add(call);
    }
    await delay(TICK_MS);
  }
  await Promise.all(underWay);
  clearInterval(dropping);
  clearInterval(sampling);

  const deadline = performance.now() + 120_000;
  while (((await left(target.http)) > 0 || ledger.missing(number) > 0) && performance.now() < deadline) {
    await delay(100);
  }
  const remaining = await left(target.http);
  await producer.close();
  await Promise.all(consumers.map((consumer) => consumer.close()));
  await Promise.all(running);
  proxy.close();

  const quarter = Math.floor(heap.length / 4);
  const early = mean(heap.slice(quarter, 2 * quarter));
  const late = mean(heap.slice(-quarter));
  const lost = ledger.missing(number);
  const isFlat = late <= early * GROWTH + SLACK_BYTES;
  console.log(
    `${number} messages, ${proxy.dropped} connections dropped: ${lost} lost, ${remaining} left unfinished, ` +
      `${ledger.doubles} finished again, ${ledger.retries} publishes repeated`,
  );
  console.log(
    `heap, second quarter ${mib(early)} MiB, last quarter ${mib(late)} MiB: ${isFlat ? 'flat' : 'it grows'}`,
  );
  return lost === 0 && remaining === 0 && isFlat;
}

/** @param {number} bytes */
function mib(bytes) {
  return (bytes / 1024 / 1024).toFixed(1);
}

if (flags.help) {
  console.log(USAGE);
} else {
  const start = flags.a === undefined && flags['start-a'] === undefined ? { 'start-a': OWN_BROKER } : {};
  const target = await targetFromFlags({ ...flags, ...start });
  try {
    if (target === undefined || !(await soak(target))) process.exitCode = 1;
  } catch (error) {
    console.error(reason(error));
    process.exitCode = 1;
  } finally {
    await target?.stop?.();
  }
}
