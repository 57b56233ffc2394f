import { on, once } from 'node:events';
import nsqjs, { type Message } from 'nsqjs';
import { beforeAll, expect, it } from 'vitest';
import { Daemon } from '../support/daemon.js';
import { cleanup } from '../support/temp.js';

const DEFER_MS = 300;

/** Another daemon than ours, as a command that takes nsqd's flags. */
const OTHER = process.env.NSQ_CONFORMANCE_DAEMON;

interface ChannelStats {
  readonly depth: number;
  readonly in_flight_count: number;
  readonly requeue_count: number;
  readonly timeout_count: number;
  readonly client_count: number;
  readonly clients: readonly { readonly finish_count: number }[];
}

let daemon: Daemon;

beforeAll(async () => {
  daemon = await Daemon.start(OTHER === undefined ? {} : { command: OTHER.split(' ') });
});

async function channelStats(topic: string): Promise<ChannelStats | undefined> {
  const response = await fetch(`http://${daemon.httpAddress}/stats?format=json&topic=${topic}`);
  const stats = (await response.json()) as { topics: { channels: ChannelStats[] }[] };
  return stats.topics[0]?.channels[0];
}

async function openWriter() {
  const { hostname, port } = new URL(`tcp://${daemon.tcpAddress}`);
  const writer = new nsqjs.Writer(hostname, Number(port));
  writer.connect();
  await once(writer, 'ready');
  cleanup(() => writer.close());
  const call = (start: (done: (error: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
  return {
    publish: (topic: string, bodies: string | readonly string[]) =>
      call((done) => writer.publish(topic, bodies, done)),
    publishLater: (topic: string, body: string, delayMs: number) =>
      call((done) => writer.deferPublish(topic, [body], delayMs, done)),
    close: async () => {
      const closed = once(writer, 'closed');
      writer.close();
      await closed;
    },
  };
}

function openReader(topic: string, maxInFlight = 10) {
  const reader = new nsqjs.Reader(topic, 'ch', { nsqdTCPAddresses: [daemon.tcpAddress], maxInFlight });
  // An error frame of the daemon is an 'error' event, which makes the iteration throw.
  const messages = on(reader, 'message') as AsyncIterator<[Message]>;
  reader.connect();
  cleanup(() => reader.close());
  return {
    next: async (): Promise<Message> => (await messages.next()).value[0],
    close: () => reader.close(),
  };
}

/** Waits until the daemon has taken in what was sent to it before. */
async function settled(
  topic: string,
  condition: (stats: ChannelStats | undefined) => boolean,
): Promise<void> {
  await expect.poll(() => channelStats(topic), { interval: 10 }).toSatisfy(condition);
}

it('publishes, consumes and finishes', async () => {
  const writer = await openWriter();
  const reader = openReader('nsqjs_one');
  await writer.publish('nsqjs_one', 'hello');

  const message = await reader.next();
  expect(message.body.toString()).toBe('hello');
  expect(message.attempts).toBe(1);
  message.finish();
  await settled('nsqjs_one', (stats) => stats?.clients[0]?.finish_count === 1 && stats.in_flight_count === 0);
});

it('publishes a batch, which comes in order', async () => {
  const writer = await openWriter();
  const bodies = Array.from({ length: 50 }, (_, i) => `message ${i}`);
  await writer.publish('nsqjs_batch', bodies);

  const reader = openReader('nsqjs_batch', 5);
  const received: string[] = [];
  while (received.length < bodies.length) {
    const message = await reader.next();
    received.push(message.body.toString());
    message.finish();
  }
  expect(received).toEqual(bodies);
  await settled('nsqjs_batch', (stats) => stats?.depth === 0 && stats.in_flight_count === 0);
});

it('publishes a message for later', async () => {
  const writer = await openWriter();
  const start = performance.now();
  await writer.publishLater('nsqjs_later', 'later', DEFER_MS);
  const reader = openReader('nsqjs_later');

  const message = await reader.next();
  // Timers may run a millisecond early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(DEFER_MS - 1);
  expect(message.body.toString()).toBe('later');
  message.finish();
});

it('gets a requeued message again, with one attempt more', async () => {
  const writer = await openWriter();
  const reader = openReader('nsqjs_requeue');
  await writer.publish('nsqjs_requeue', 'again');

  const first = await reader.next();
  first.requeue(0, false);
  const second = await reader.next();
  expect(second.id).toBe(first.id);
  expect(second.attempts).toBe(2);
  second.requeue(50, false);
  const third = await reader.next();
  expect(third.attempts).toBe(3);
  third.finish();
  await settled('nsqjs_requeue', (stats) => stats?.requeue_count === 2 && stats.in_flight_count === 0);
});

it('touches a message that it then finishes', async () => {
  const writer = await openWriter();
  const reader = openReader('nsqjs_touch');
  await writer.publish('nsqjs_touch', 'slow');

  const message = await reader.next();
  message.touch();
  await writer.publish('nsqjs_touch', 'next');
  // The daemon answers a TOUCH only to refuse it, and that would come before this message.
  const next = await reader.next();
  expect(next.body.toString()).toBe('next');
  message.finish();
  next.finish();
  await settled('nsqjs_touch', (stats) => stats?.clients[0]?.finish_count === 2 && stats.timeout_count === 0);
});

it('closes, and its channel has no client any more', async () => {
  const writer = await openWriter();
  const reader = openReader('nsqjs_close');
  await writer.publish('nsqjs_close', 'held');
  await reader.next();

  reader.close();
  await writer.close();
  await settled('nsqjs_close', (stats) => stats?.client_count === 0);
});
