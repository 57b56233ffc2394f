import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess, nsq, RUN, Serve, start, temporaryDirectory } from './cli-process.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;
let env: NodeJS.ProcessEnv;
const running: CliProcess[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  broker = await Serve.start(directory.path);
  env = { NSQ_NSQD_TCP_ADDRESS: broker.tcpAddress };
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.destroy()));
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

const newTopic = (): string => `t-${randomUUID().slice(0, 8)}`;

async function publish(topic: string, ...bodies: string[]): Promise<void> {
  const response = await fetch(`http://${broker.httpAddress}/mpub?topic=${topic}`, {
    method: 'POST',
    body: bodies.join('\n'),
  });
  expect(response.status).toBe(200);
}

/** A tail that is ready: what is published from now on reaches it. */
async function tail(...args: string[]): Promise<CliProcess> {
  const run = start(['tail', ...args], env);
  running.push(run);
  await run.waitFor('stderr', /^ready: /m);
  return run;
}

describe('nsq tail', () => {
  test('prints what is published after it is ready, on a channel of its own', async () => {
    const topic = newTopic();
    const run = await tail('--topic', topic);
    expect(run.stderr).toMatch(
      new RegExp(`^ready: tailing ${topic} on channel tail\\d{6}#ephemeral at ${broker.tcpAddress}\n$`),
    );
    await publish(topic, 'one', 'two');
    await run.waitFor('stdout', /^one\ntwo\n$/);
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.exited;
    expect([code, stdout]).toEqual([0, 'one\ntwo\n']);
    expect(stderr).toMatch(/SIGINT: stopping.*\n$/);
    expect((await broker.topic(topic))?.channels).toEqual([]);
  });

  test('-n ends after as many messages, the last of them finished and no other taken', async () => {
    const topic = newTopic();
    await publish(topic, 'a', 'b', 'c', 'd', 'e');
    const { code, stdout } = await nsq(['tail', '-topic', topic, '-channel=c', '-n=3'], { env });
    expect([code, stdout]).toEqual([0, 'a\nb\nc\n']);
    expect((await broker.topic(topic))?.channels).toMatchObject([
      { depth: 2, in_flight_count: 0, deferred_count: 0 },
    ]);
  });

  test('several topics, each named', async () => {
    const [one, other] = [newTopic(), newTopic()];
    const run = await tail('--topic', one, '--topic', other, '--print-topic', '-n', '2');
    await publish(one, 'x');
    await run.waitFor('stdout', /x/);
    await publish(other, 'y');
    const { code, stdout } = await run.exited;
    expect([code, stdout]).toEqual([0, `${one} | x\n${other} | y\n`]);
  });

  test('--color shows topics in colours, each its own', async () => {
    const [one, other] = [newTopic(), newTopic()];
    const run = await tail('--topic', one, '--topic', other, '--color', '--format', '%t %v', '-n', '2');
    await publish(one, 'x');
    await run.waitFor('stdout', /x/);
    await publish(other, 'y');
    const [, first, second] = /^(.*) x\n(.*) y\n$/.exec((await run.exited).stdout) ?? [];
    expect([first, second]).toEqual([`\u001b[36m${one}\u001b[39m`, `\u001b[33m${other}\u001b[39m`]);
  });

  test('--since-ready leaves out, and finishes, what was published before', async () => {
    const topic = newTopic();
    await publish(topic, 'old');
    const run = await tail('--topic', topic, '--channel', 'c', '--since-ready', '-n', '1');
    await publish(topic, 'new');
    const { code, stdout } = await run.exited;
    expect([code, stdout]).toEqual([0, 'new\n']);
    expect((await broker.topic(topic))?.channels).toMatchObject([{ depth: 0, in_flight_count: 0 }]);
  });

  test('JSON lines', async () => {
    const topic = newTopic();
    await publish(topic, 'hello');
    const { stdout } = await nsq(
      ['tail', '--topic', topic, '--channel', 'c', '-n', '1', '--format', 'json'],
      { env },
    );
    expect(JSON.parse(stdout)).toEqual({
      topic,
      channel: 'c',
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      timestamp: expect.any(Number),
      attempts: 1,
      nsqd: broker.tcpAddress,
      body: 'hello',
    });
  });

  test('--json is the same, also with --print-topic', async () => {
    const topic = newTopic();
    await publish(topic, 'hello');
    const args = ['tail', '--topic', topic, '--channel', 'c', '-n', '1', '--json', '--print-topic'];
    const { stdout } = await nsq(args, { env });
    expect(JSON.parse(stdout)).toMatchObject({ topic, body: 'hello' });
  });

  test('| head -1 ends with the first line, although no message follows', async () => {
    const topic = newTopic();
    const script = `"${process.execPath}" "${RUN}" tail --topic ${topic} | head -1`;
    const pipeline = new CliProcess('/bin/sh', ['-c', script], env);
    running.push(pipeline);
    await pipeline.waitFor('stderr', /^ready: /m);
    await publish(topic, 'only');
    const { code, stdout } = await pipeline.exited;
    expect([code, stdout]).toEqual([0, 'only\n']);
  });

  test('survives a restart of the broker', async () => {
    const { path, remove } = await temporaryDirectory();
    const first = await Serve.start(path);
    const run = start(['tail', '--topic', 't', '--channel', 'c', '--nsqd-tcp-address', first.tcpAddress]);
    running.push(run);
    await run.waitFor('stderr', /^ready: /m);
    await first.stop();
    await run.waitFor('stderr', /lost the connection/);
    const second = await Serve.start(path, first.tcpAddress);
    await nsq(['pub', '--topic', 't', 'after', '--nsqd-tcp-address', second.tcpAddress]);
    await run.waitFor('stdout', /^after\n$/);
    run.kill('SIGTERM');
    expect((await run.exited).code).toBe(0);
    await second.stop();
    await remove();
  });

  test('a reader that does not read takes no more than --max-in-flight; the second signal ends at once with 130', async () => {
    const topic = newTopic();
    const run = await tail('--topic', topic, '--channel', 'c', '--max-in-flight', '5');
    run.child.stdout.pause();
    await publish(topic, ...Array.from({ length: 40 }, () => 'x'.repeat(100_000)));
    const blocked = async (): Promise<boolean> => {
      const [channel] = (await broker.topic(topic))?.channels ?? [];
      return channel?.in_flight_count === 5 && channel.depth > 0;
    };
    while (!(await blocked())) await new Promise(setImmediate);
    run.kill('SIGINT');
    await run.waitFor('stderr', /SIGINT: stopping, \d+ in flight \(again to stop at once\)/);
    const exit = once(run.child, 'exit');
    run.kill('SIGINT');
    expect((await exit)[0]).toBe(130);
    run.child.stdout.resume();
  });

  test.each([
    [[], /^error: --topic is missing\. .*\n$/],
    [
      ['--topic', 't', '--format', 'xml'],
      /^error: --format "xml" is none of line, raw, json, and no template\..*\n$/,
    ],
    [['--topic', 't', '--channel', 'a b'], /^error: "a b" is no channel name\..*\n$/],
    [['--topic', 't', '--json', '--format', '%v'], /^error: --json and --format %v are two things.*\n$/],
    [['--topic', 't', '--format', '%v %%%'], /^error: the template "%v %%%" ends within a field\..*\n$/],
  ])('%j: one line, 2', async (args, line) => {
    const { code, stdout, stderr } = await nsq(['tail', ...args], { env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(line);
  });

  test('without a broker: one line, 1', async () => {
    const { code, stderr } = await nsq(['tail', '--topic', 't', '--nsqd-tcp-address', '127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1:1.*refused.*nsq serve.*\n$/);
  });

  test.each([
    ['with getent', {}],
    ['in a thread', { PATH: '' }],
  ])('a name that there is not, looked up %s: one line, 1', async (_, names) => {
    // No name at all, which the system knows without asking a name server.
    const { code, stderr } = await nsq(['tail', '--topic', 't', '--nsqd-tcp-address', 'a..b:1'], {
      env: names,
    });
    expect([code, stderr]).toEqual([1, 'error: a..b:1: host not found. Check the host name.\n']);
  });

  test.each([
    ['127.0.0.1:1', /^error: 127\.0\.0\.1:1: connection refused: nothing listens there\. .*nsq lookupd.*\n$/],
    ['', /^error: .*: no HTTP is spoken there\. Give the HTTP address: .*\n$/],
  ])('with a lookupd %j that is none: one line, 1', async (address, line) => {
    const lookupd = address || broker.tcpAddress;
    const { code, stderr } = await nsq(['tail', '--topic', 't', '--lookupd-http-address', lookupd]);
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
  });
});
