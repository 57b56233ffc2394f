import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fakeNsqd } from '../client/support/fake-nsqd.js';
import { type CliProcess, type Exit, Serve, start, temporaryDirectory } from './cli-process.js';

/** So that a test need not wait for minutes. */
const SOON = ['--consumer-opt', 'default_requeue_delay,20ms', '--consumer-opt', 'backoff_multiplier,10ms'];

let source: Serve;
let target: Serve;
const directories: Awaited<ReturnType<typeof temporaryDirectory>>[] = [];
const running: CliProcess[] = [];

async function newDirectory(): Promise<string> {
  const directory = await temporaryDirectory();
  directories.push(directory);
  return directory.path;
}

beforeAll(async () => {
  [source, target] = await Promise.all([
    Serve.start(await newDirectory()),
    Serve.start(await newDirectory(), '127.0.0.1:0', ['--max-msg-size', '1000']),
  ]);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.destroy()));
});
afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
  await Promise.all(directories.map((directory) => directory.remove()));
});

const newTopic = (): string => `t-${randomUUID().slice(0, 8)}`;

async function publish(topic: string, bodies: readonly string[]): Promise<void> {
  const body = bodies.join('\n');
  const response = await fetch(`http://${source.httpAddress}/mpub?topic=${topic}`, { method: 'POST', body });
  expect(response.status).toBe(200);
}

/** A relay that is subscribed. */
async function relay(destinations: readonly string[], ...args: string[]): Promise<CliProcess> {
  const to = destinations.flatMap((address) => ['--destination-nsqd-tcp-address', address]);
  const run = start(['to-nsq', '--nsqd-tcp-address', source.tcpAddress, ...to, ...args]);
  running.push(run);
  await run.waitFor('stderr', /^ready: /m);
  return run;
}

/** Resolves when the relay's channel has nothing left to do. */
async function relayed(topic: string, channel = 'nsq_to_nsq'): Promise<void> {
  for (;;) {
    const stats = (await source.topic(topic))?.channels.find(({ channel_name: name }) => name === channel);
    if (stats && stats.depth + stats.in_flight_count + stats.deferred_count === 0) return;
    await new Promise(setImmediate);
  }
}

async function arrived(at: Serve, topic: string): Promise<string[]> {
  const count = (await at.topic(topic))?.depth ?? 0;
  return count === 0 ? [] : (await at.messages(topic, count)).trimEnd().split('\n').sort();
}

async function stopped(run: CliProcess): Promise<Exit> {
  run.kill('SIGTERM');
  return run.exited;
}

describe('nsq to-nsq', () => {
  test('topics keep their names, or go to one; a destination that is away is passed over', async () => {
    const [one, other, all] = [newTopic(), newTopic(), newTopic()];
    await publish(one, ['a', 'b']);
    await publish(other, ['c']);
    const run = await relay([target.tcpAddress], '-topic', one, `-topic=${other}`);
    await Promise.all([relayed(one), relayed(other)]);
    expect(await arrived(target, one)).toEqual(['a', 'b']);
    expect(await arrived(target, other)).toEqual(['c']);
    expect((await stopped(run)).code).toBe(0);

    await relay(
      ['127.0.0.1:1', target.tcpAddress],
      '--topic',
      one,
      '--topic',
      other,
      '--channel',
      'x',
      '--destination-topic',
      all,
    );
    await Promise.all([relayed(one, 'x'), relayed(other, 'x')]);
    expect(await arrived(target, all)).toEqual([]);
    await publish(one, ['d']);
    await publish(other, ['e']);
    await Promise.all([relayed(one, 'x'), relayed(other, 'x')]);
    expect(await arrived(target, all)).toEqual(['d', 'e']);
  });

  test('a destination that is killed costs no message: all are there when it is back', async () => {
    const topic = newTopic();
    const path = await newDirectory();
    const first = await Serve.start(path);
    const bodies = Array.from({ length: 10_000 }, (_, n) => `m${String(n).padStart(5, '0')}`);
    await publish(topic, bodies);
    const run = await relay([first.tcpAddress], '--topic', topic, ...SOON);
    while (((await first.topic(topic))?.message_count ?? 0) < 1000) await new Promise(setImmediate);
    first.process.kill('SIGKILL');
    await first.process.exited;
    await publish(topic, ['while it is away']);
    await run.waitFor('stderr', /^not delivered to /m);
    const second = await Serve.start(path, first.tcpAddress);
    await relayed(topic);
    expect([...new Set(await arrived(second, topic))]).toEqual([...bodies, 'while it is away']);
    const { code, stderr } = await stopped(run);
    expect(code).toBe(0);
    expect(stderr).toMatch(/ takes messages again$/m);
    await second.stop();
  });

  test('a message that the destination refuses stays, and holds no other up', async () => {
    const topic = newTopic();
    await publish(topic, ['a', 'x'.repeat(2000), 'b']);
    const run = await relay(
      [target.tcpAddress],
      '--topic',
      topic,
      '--consumer-opt',
      'backoff_multiplier,10ms',
    );
    await run.waitFor('stderr', /not delivered to .*2000 bytes/);
    while (((await target.topic(topic))?.message_count ?? 0) < 2) await new Promise(setImmediate);
    expect(await arrived(target, topic)).toEqual(['a', 'b']);
    await stopped(run);
    expect((await source.topic(topic))?.channels).toMatchObject([{ deferred_count: 1, in_flight_count: 0 }]);
  });

  test('--dead-letter-topic: also gets what cannot be compared', async () => {
    const [topic, dead, others] = [newTopic(), newTopic(), newTopic()];
    await publish(topic, ['no JSON', '{"a":1}', '{"k":"v"}']);
    const filter = ['--require-json-field', 'k', '--require-json-value', 'v'];
    await relay([target.tcpAddress], '--topic', topic, ...filter, ...SOON, '--dead-letter-topic', dead);
    await relayed(topic);
    expect(await arrived(target, topic)).toEqual(['{"k":"v"}']);
    expect(await arrived(source, dead)).toEqual(['{"a":1}']);
    const all = ['--channel', 'all', '--max-attempts', '1', '--consumer-opt', `dead_letter_topic,${others}`];
    await relay([target.tcpAddress], '--topic', topic, ...all, ...SOON);
    await publish(topic, ['y'.repeat(2000), '{"k":"w"}']);
    await Promise.all([relayed(topic), relayed(topic, 'all')]);
    expect(await arrived(source, others)).toEqual(['y'.repeat(2000)]);
  });

  test('SIGTERM: what nsqd has gathered and sends with its answer to CLS is published, too', async () => {
    const topic = newTopic();
    const nsqd = await fakeNsqd({
      on: {
        CLS: (peer) => {
          peer.message([1, 'a'], [2, 'b']);
          peer.respond('CLOSE_WAIT');
        },
      },
    });
    const to = ['--destination-nsqd-tcp-address', target.tcpAddress];
    const run = start(['to-nsq', '--topic', topic, '--nsqd-tcp-address', nsqd.address, ...to]);
    running.push(run);
    await run.waitFor('stderr', /^ready: /m);
    expect((await stopped(run)).code).toBe(0);
    const peer = await nsqd.peer();
    expect([peer.count('FIN'), peer.count('REQ')]).toEqual([2, 0]);
    expect(await arrived(target, topic)).toEqual(['a', 'b']);
  });

  test('JSON filters: what is no object is left out, what cannot be compared comes again first', async () => {
    const topic = newTopic();
    const wanted = ['{"b":"<","a":1,"k":"v"}', '{"a":3,"k":"v","c":1e3}'];
    await publish(topic, ['no JSON', '{"a":2,"k":"w"}', ...wanted, '{"a":4}']);
    const filter = ['--require-json-field', 'k', '--require-json-value', 'v'];
    const fields = ['--whitelist-json-field=b', '--whitelist-json-field=a', '--whitelist-json-field=c'];
    const run = await relay([target.tcpAddress], '--topic', topic, ...filter, ...fields, ...SOON);
    await relayed(topic);
    expect(await arrived(target, topic)).toEqual(['{"a":1,"b":"\\u003c"}', '{"a":3,"c":1000}']);
    const { stderr } = await stopped(run);
    expect(stderr).toMatch(/^warning: left out, no JSON object: message [0-9a-f]{16} of .*, "no JSON"$/m);
    expect(stderr).toMatch(/^warning: requeued, without k, whose value is required: message /m);
    const { channels } = (await source.topic(topic))!;
    expect(channels).toMatchObject([{ requeue_count: 5 }]);
  });
});
