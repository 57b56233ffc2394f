import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker } from '../../src/broker/index.js';
import { nsq, Serve, start, temporaryDirectory } from './cli-process.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  directory = await temporaryDirectory();
  broker = await Serve.start(join(directory.path), '127.0.0.1:0', ['--max-msg-size', '1000']);
  env = { NSQ_NSQD_TCP_ADDRESS: broker.tcpAddress };
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

const newTopic = (): string => `t-${randomUUID().slice(0, 8)}`;

/** A broker that answers IDENTIFY, and closes the connection when it sees the text. */
async function closingAfter(text: string): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      if (chunk.includes(text)) socket.destroy();
      else if (chunk.includes('IDENTIFY')) socket.write(Buffer.from('00000006000000004f4b', 'hex'));
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('nsq pub', () => {
  test('arguments are messages, and nothing is said to a pipe', async () => {
    const topic = newTopic();
    const run = await nsq(['pub', '--topic', topic, 'b', 'a', 'b', '--', '-dash'], { env });
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await broker.messages(topic, 4)).toBe('b\na\nb\n-dash\n');
  });

  test('lines of the standard input, an unterminated last one too, empty ones left out', async () => {
    const topic = newTopic();
    const run = await nsq(['pub', '-topic', topic, '--verbose'], { env, input: 'one\n\ntwo\nlast' });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(
      new RegExp(`^published 3 messages \\(10 bytes.*\\) to ${topic} at .*; 1 empty line left out\n$`),
    );
    expect(await broker.messages(topic, 3)).toBe('one\ntwo\nlast\n');
  });

  test('records with a delimiter of its own', async () => {
    const topic = newTopic();
    await nsq(['pub', `-topic=${topic}`, '--delimiter', '\\0'], { env, input: 'one\nline\0two\0' });
    expect(await broker.messages(topic, 2)).toBe('one\nline\ntwo\n');
  });

  test('the whole input as one message', async () => {
    const topic = newTopic();
    await nsq(['pub', '--topic', topic, '--send-on', 'eof'], { env, input: 'one\ntwo\n' });
    expect(await broker.messages(topic, 1)).toBe('one\ntwo\n\n');
  });

  test('files, in their order', async () => {
    const topic = newTopic();
    const files = [join(directory.path, 'one.txt'), join(directory.path, 'two.txt')];
    await writeFile(files[0]!, 'a\nb');
    await writeFile(files[1]!, 'c\n');
    const { code } = await nsq(['pub', '--topic', topic, '--file', files[0]!, '--file', files[1]!], { env });
    expect(code).toBe(0);
    expect(await broker.messages(topic, 3)).toBe('a\nb\nc\n');
  });

  test('a missing file: one line, 1', async () => {
    const { code, stderr } = await nsq(['pub', '--topic', 't', '--file', '/nowhere'], { env });
    expect(code).toBe(1);
    expect(stderr).toBe('error: cannot read /nowhere: no such file\n');
  });

  test('a file that cannot be read behind one that can: how far it came, 1', async () => {
    const path = join(directory.path, 'good.txt');
    await writeFile(path, 'a\nb');
    const args = ['pub', '--topic', newTopic(), '--file', path, '--file', directory.path];
    const { code, stderr } = await nsq(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^published 2 messages \(2 bytes.*\n?error: cannot read \S+: it is a directory\n$/,
    );
  });

  test('deferred', async () => {
    const topic = newTopic();
    await fetch(`http://${broker.httpAddress}/topic/create?topic=${topic}`, { method: 'POST' });
    await fetch(`http://${broker.httpAddress}/channel/create?topic=${topic}&channel=c`, { method: 'POST' });
    const { code } = await nsq(['pub', '--topic', topic, '--defer', '1h', 'later'], { env });
    expect(code).toBe(0);
    const stats = await broker.topic(topic);
    expect(stats?.channels).toMatchObject([{ deferred_count: 1, depth: 0 }]);
  });

  test('a stream of many lines arrives whole and in order', async () => {
    const topic = newTopic();
    const input = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
    const run = await nsq(['pub', '--topic', topic, '--batch', '700', '--json'], { env, input });
    expect(JSON.parse(run.stdout)).toMatchObject({ topic, messages: 20_000, notAccepted: 0 });
    expect(await broker.messages(topic, 20_000)).toBe(input);
  });

  test('of many messages only the one that is too long is refused: named, 1', async () => {
    const topic = newTopic();
    const run = await nsq(['pub', '--topic', topic, '--json'], { env, input: `a\n${'x'.repeat(1001)}\nc\n` });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /^error: 1 message not accepted: message 2 \(1,001 bytes\): .*the broker takes 1000.* --max-msg-size .*\n$/,
    );
    expect(JSON.parse(run.stdout)).toMatchObject({
      nsqd: [broker.tcpAddress],
      messages: 2,
      notAccepted: 1,
      refusals: [{ message: 2, bytes: 1001, code: 'E_BAD_MESSAGE' }],
    });
    expect(await broker.messages(topic, 2)).toBe('a\nc\n');
  });

  test('several nsqds: every one gets each message, with --any one of them', async () => {
    const other = await startBroker({ httpAddress: '127.0.0.1:0' });
    const count = async (address: string, topic: string): Promise<number> => {
      const response = await fetch(`http://${address}/stats?format=json&topic=${topic}`);
      const { topics } = (await response.json()) as { topics: { message_count: number }[] };
      return topics[0]?.message_count ?? 0;
    };
    const both = { NSQ_NSQD_TCP_ADDRESS: `${broker.tcpAddress},${other.tcpAddress}` };
    const topic = newTopic();
    const countsAfter = async (...flags: string[]): Promise<number[]> => {
      const args = ['pub', '--topic', topic, '--json', '--batch', '1', ...flags];
      const { code, stdout } = await nsq(args, { env: both, input: '1\n2\n3\n4\n' });
      expect([code, JSON.parse(stdout).messages]).toEqual([0, 4]);
      return Promise.all([broker, other].map((one) => count(one.httpAddress, topic)));
    };
    expect(await countsAfter()).toEqual([4, 4]);
    // Which of them is connected to first, and takes more, is not known.
    const [some = 0, rest = 0] = await countsAfter('--any');
    expect(some + rest).toBe(12);
    await other.close();
    const run = await nsq(['pub', '--topic', topic, '--any', '--verbose', 'x'], { env: both });
    expect([run.code, run.stderr]).toEqual([
      0,
      `published 1 message (1 byte) to ${topic} at ${broker.tcpAddress} or ${other.tcpAddress}\n`,
    ]);
    expect((await nsq(['pub', '--topic', topic, 'x'], { env: both })).code).toBe(1);
  });

  test('a broker that goes away: which messages were not accepted, 1', async () => {
    const { server, address } = await closingAfter('SUBMIT');
    const run = await nsq(['pub', '--topic', 't', '--nsqd-tcp-address', address, 'SUBMIT', 'b']);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /^error: 2 messages not accepted: messages 1 to 2 \(7 bytes\): .*; nothing after them was sent\. The log of the broker may say why\.\n$/,
    );
    server.close();
  });

  test('SIGINT ends a stream: what was read is published, 0', async () => {
    const topic = newTopic();
    const run = start(['pub', '--topic', topic], env);
    run.child.stdin.write('one\ntwo\nunfinished');
    while ((await broker.topic(topic))?.message_count !== 2) await new Promise(setImmediate);
    run.kill('SIGINT');
    const { code, stderr } = await run.exited;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^SIGINT: stopping.*\npublished 2 messages \(6 bytes.*\) to .*\n$/);
    expect(await broker.messages(topic, 2)).toBe('one\ntwo\n');
  });

  test('a refused connection says how to start a broker: 1', async () => {
    const { code, stderr } = await nsq(['pub', '--topic', 't', '--nsqd-tcp-address', '127.0.0.1:1', 'x']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1:1.*refused.*nsq serve.*\n$/);
  });

  test('with no broker, and one of several gone, there is a receipt all the same', async () => {
    const addresses = { NSQ_NSQD_TCP_ADDRESS: `${broker.tcpAddress},127.0.0.1:1` };
    const topic = newTopic();
    const run = await nsq(['pub', '--topic', topic, '--json', 'x', 'y'], { env: addresses });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^error: 2 messages not accepted: 127\.0\.0\.1:1: connection refused.*\n$/);
    expect(JSON.parse(run.stdout)).toMatchObject({
      messages: 0,
      notAccepted: 2,
      error: '127.0.0.1:1: connection refused: nothing listens there',
    });
    expect(await broker.topic(topic)).toBeUndefined();
  });

  test('an HTTP address in the place of a TCP one is recognised: 1', async () => {
    const args = ['pub', '--topic', 't', '--nsqd-tcp-address', broker.httpAddress, 'x'];
    const { code, stderr } = await nsq(args);
    expect([code, stderr]).toEqual([
      1,
      `error: 1 message not accepted: ${broker.httpAddress}: HTTP is spoken there: the TCP address is meant, by default port 4150\n`,
    ]);
  });

  test.each([
    [['x'], 'error: --topic is missing. Name a topic, as in --topic test.\n'],
    [['--topic', 'a b', 'x'], /^error: "a b" is no topic name\./],
    [['--topic', 't', ''], 'error: a body is empty. NSQ has no empty messages.\n'],
    [['--topic', 't', '--delimiter', ''], /^error: --delimiter is empty\./],
    [['--topic', 't', '--file', 'f', 'x'], 'error: give bodies or --file, not both\n'],
    [
      ['--topic', 't', '--rate', '-1', 'x'],
      'error: invalid value for --rate: -1 is out of range: 0 or more\n',
    ],
  ])('%j: one line, 2', async (args, line) => {
    const { code, stderr } = await nsq(['pub', ...args], { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      line instanceof RegExp ? line : new RegExp(`^${line.replace(/[.?*+^$()[\]\\|]/g, '\\$&')}$`),
    );
  });
});
