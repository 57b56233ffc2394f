import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CliProcess, type Exit, Serve, start, temporaryDirectory } from './cli-process.js';

/** So that a test need not wait for minutes. */
const SOON = ['--consumer-opt', 'default_requeue_delay,20ms', '--consumer-opt', 'backoff_multiplier,10ms'];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;
const running: CliProcess[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  broker = await Serve.start(directory.path);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.destroy()));
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: http.ServerResponse, seen: Seen) => void;

/** A server that notes what comes and answers as told, with 200 unless told. */
class FakeServer {
  readonly seen: Seen[] = [];
  answer: Answer = (response) => response.end();
  readonly #server: http.Server;
  #waiters: (() => void)[] = [];

  private constructor() {
    this.#server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        const seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
        this.seen.push(seen);
        this.answer(response, seen);
        for (const wake of this.#waiters.splice(0)) wake();
      });
    });
  }

  static async start(port = 0): Promise<FakeServer> {
    const fake = new FakeServer();
    fake.#server.listen(port, '127.0.0.1');
    await once(fake.#server, 'listening');
    onTestFinished(() => fake.stop());
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get bodies(): string[] {
    return this.seen.map(({ body }) => body);
  }

  /** Resolves when it has seen so many requests. */
  async saw(count: number): Promise<void> {
    while (this.seen.length < count) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const newTopic = (): string => `t-${randomUUID().slice(0, 8)}`;

async function publish(topic: string, ...bodies: string[]): Promise<void> {
  const body = bodies.join('\n');
  const response = await fetch(`http://${broker.httpAddress}/mpub?topic=${topic}`, { method: 'POST', body });
  expect(response.status).toBe(200);
}

/** A relay that is subscribed. */
async function relay(topic: string, ...args: string[]): Promise<CliProcess> {
  const run = start(['to-http', '--topic', topic, '--nsqd-tcp-address', broker.tcpAddress, ...args]);
  running.push(run);
  await run.waitFor('stderr', /^ready: /m);
  return run;
}

/** Resolves when the relay's channel has nothing left to do. */
async function relayed(topic: string, channel = 'nsq_to_http'): Promise<void> {
  for (;;) {
    const stats = (await broker.topic(topic))?.channels.find(({ channel_name: name }) => name === channel);
    if (stats && stats.depth + stats.in_flight_count + stats.deferred_count === 0) return;
    await new Promise(setImmediate);
  }
}

async function stopped(run: CliProcess): Promise<Exit> {
  run.kill('SIGTERM');
  return run.exited;
}

describe('nsq to-http', () => {
  test('POSTs each message, passes over a server that is away, and says how long it takes', async () => {
    const topic = newTopic();
    const server = await FakeServer.start();
    await publish(topic, 'a', 'b', 'c', 'd');
    const run = await relay(
      topic,
      '--post',
      'http://127.0.0.1:1',
      `-post=${server.url}/in`,
      '-status-every=2',
      '--header',
      'X-A: 1',
    );
    await relayed(topic);
    expect(server.bodies.sort()).toEqual(['a', 'b', 'c', 'd']);
    for (const { method, url, headers } of server.seen) {
      expect([method, url]).toEqual(['POST', '/in']);
      expect(headers).toMatchObject({ 'content-type': 'application/octet-stream', 'x-a': '1' });
      expect(headers['user-agent']).toMatch(/^nsq_to_http v\d/);
    }
    const { code, stdout, stderr } = await stopped(run);
    expect([code, stdout]).toEqual([0, '']);
    expect(
      stderr.match(/^\[aggregate\]: finished 2 - 99th: [\d.]+ms - 95th: [\d.]+ms - avg: [\d.]+ms$/gm),
    ).toHaveLength(2);
  });

  test('a server that fails costs no message: each comes again until it is taken', async () => {
    const topic = newTopic();
    const server = await FakeServer.start();
    const taken = new Set<string>();
    server.answer = (response, { body }) => {
      const isTaken = server.seen.length > 10;
      if (isTaken) taken.add(body);
      response.writeHead(isTaken ? 200 : 500);
      response.end();
    };
    const bodies = Array.from({ length: 50 }, (_, n) => `m${n}`);
    await publish(topic, ...bodies);
    const run = await relay(topic, '--post', server.url, ...SOON, '--max-in-flight', '5');
    await relayed(topic);
    expect([...taken].sort()).toEqual(bodies.sort());
    expect((await stopped(run)).stderr).toMatch(/^not delivered to http:.*: got status code 500/m);
  });

  test('--dead-letter-topic: what the server never takes goes there, after --max-attempts', async () => {
    const [topic, dead] = [newTopic(), newTopic()];
    const server = await FakeServer.start();
    server.answer = (response, { body }) => response.writeHead(body === 'poison' ? 500 : 200).end();
    await publish(topic, 'a', 'poison', 'b');
    const run = await relay(
      topic,
      ...['--post', server.url, ...SOON, '--max-attempts', '2', '--dead-letter-topic', dead],
    );
    await relayed(topic);
    expect(server.bodies.sort()).toEqual(['a', 'b', 'poison', 'poison']);
    expect(await broker.messages(dead, 1)).toBe('poison\n');
    expect((await stopped(run)).stderr).toMatch(
      new RegExp(`^warning: given up in attempt 3, goes to ${dead}: message [0-9a-f]{16} of ${topic}$`, 'm'),
    );
  });

  test('a server that is away costs no message: all are there when it is back', async () => {
    const topic = newTopic();
    const first = await FakeServer.start();
    const { port } = first;
    const run = await relay(topic, '--post', first.url, ...SOON);
    await publish(topic, 'a');
    await relayed(topic);
    await first.stop();
    const bodies = Array.from({ length: 200 }, (_, n) => `m${n}`);
    await publish(topic, ...bodies);
    await run.waitFor('stderr', /not delivered to .*: connection refused: nothing listens there/);
    const second = await FakeServer.start(port);
    await relayed(topic);
    expect([...new Set(second.bodies)].sort()).toEqual(bodies.sort());
    expect((await stopped(run)).code).toBe(0);
  });

  test('multicast: every server gets every message, here by GET; nothing for a sample of 0', async () => {
    const topic = newTopic();
    const [one, other] = [await FakeServer.start(), await FakeServer.start()];
    await publish(topic, 'a b&c', 'd');
    await relay(topic, '--mode', 'multicast', '--get', `${one.url}/?q=%s`, '--get', `${other.url}/%s`);
    await relayed(topic);
    expect(one.seen.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'GET /?q=a+b%26c',
      'GET /?q=d',
    ]);
    expect(other.seen.map(({ url }) => url).sort()).toEqual(['/a+b%26c', '/d']);
    await relay(topic, '--sample', '0', '--post', one.url, '--channel', 'none');
    await publish(topic, 'e');
    await Promise.all([relayed(topic), relayed(topic, 'none')]);
    expect([one.seen.length, other.seen.length]).toEqual([3, 3]);
  });

  test('-n requests at a time; a signal waits for them, and their messages are finished', async () => {
    const topic = newTopic();
    const server = await FakeServer.start();
    const held: http.ServerResponse[] = [];
    server.answer = (response) => held.push(response);
    await publish(topic, ...Array.from({ length: 20 }, (_, n) => `m${n}`));
    const run = await relay(topic, '--post', server.url, '-n', '3');
    await server.saw(3);
    run.kill('SIGTERM');
    await run.waitFor('stderr', /SIGTERM: stopping, 3 in flight/);
    expect(server.seen).toHaveLength(3);
    for (const response of held) response.end();
    expect((await run.exited).code).toBe(0);
    expect((await broker.topic(topic))?.channels).toMatchObject([{ depth: 17, in_flight_count: 0 }]);
  });
});
