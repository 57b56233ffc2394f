import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess, nsq, RUN, Serve, start, temporaryDirectory } from './cli-process.js';

const NOWHERE = '127.0.0.1:1';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  directory = await temporaryDirectory();
  broker = await Serve.start(directory.path);
  env = { NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress };
  for (const path of ['topic/create?topic=other', 'topic/create?topic=t', 'channel/create?topic=t&channel=c'])
    await post(path);
  await post('channel/create?topic=t&channel=d');
  await post('mpub?topic=t', 'one\ntwo\nthree\nfour');
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

async function post(path: string, body = ''): Promise<void> {
  const { status } = await fetch(`http://${broker.httpAddress}/${path}`, { method: 'POST', body });
  expect(status).toBe(200);
}

describe('nsq stat into a pipe', () => {
  test('the local broker at once, as TSV', async () => {
    const { code, stdout, stderr } = await nsq(['stat'], { env });
    const lines = stdout.split('\n').map((line) => line.split('\t'));
    expect([code, stderr]).toEqual([0, '']);
    expect(lines[0]?.slice(0, 6)).toEqual(['time', 'topic', 'channel', 'paused', 'depth', 'memory']);
    expect(lines.slice(1, -1).map((cells) => cells.slice(1, 5))).toEqual([
      ['other', '', 'false', '0'],
      ['t', '', 'false', '0'],
      ['t', 'c', 'false', '4'],
      ['t', 'd', 'false', '4'],
    ]);
  });

  test('--sort and --filter, and JSON with a rate for each interval', async () => {
    const args = ['stat', '--json', '--interval=100ms', '-count', '2', '--sort', 'msgs', '--filter', 't/?'];
    const { code, stdout } = await nsq(args, { env });
    const reports = stdout.trimEnd().split('\n');
    expect([code, reports.length]).toEqual([0, 2]);
    expect(JSON.parse(reports[0]!)).toMatchObject({
      nodes: [{ address: broker.httpAddress, health: 'OK' }],
      failures: [],
      topics: [{ topic: 't', channels: [{ channel: 'c', depth: 4, rate: 0, outRate: 0 }, { channel: 'd' }] }],
    });
  });

  test("one channel as nsq_stat prints it, with nsq_stat's flags", async () => {
    const args = ['stat', '-topic=t', '-channel', 'c', '-interval=50ms', '-count=2'];
    const { code, stdout } = await nsq([...args, `-nsqd-http-address=${broker.httpAddress}`]);
    expect(code).toBe(0);
    const line =
      '      0       0 |       4       4       0     0     0 |       0       0            4       0\n';
    expect(stdout).toBe(
      '------rate------+----------------depth----------------+--------------metadata---------------\n' +
        'ingress  egress |   total     mem    disk inflt   def |     req     t-o         msgs clients\n' +
        line.repeat(2),
    );
  });

  test('--interval goes on until a signal comes', async () => {
    const run = start(['stat', '--interval', '20ms', '--topic', 'other'], env);
    await run.waitFor('stdout', /(.*\tother\t.*\n){3}/);
    run.kill('SIGTERM');
    expect((await run.exited).code).toBe(0);
  });

  test('| head ends it', async () => {
    const script = `"${process.execPath}" "${RUN}" stat --interval 5s | head -1`;
    const pipeline = new CliProcess('/bin/sh', ['-c', script], env);
    expect((await pipeline.exited).stdout).toMatch(/^time\t.*\n$/);
  });

  test('a broker that does not answer is named, the others are shown, and the exit code is 1', async () => {
    const both = `${broker.httpAddress},${NOWHERE}`;
    const { code, stdout, stderr } = await nsq(['stat', '--per-node', '--nsqd-http-address', both]);
    expect([code, stdout.split('\n').length]).toEqual([1, 6]);
    expect(stderr).toMatch(
      /^warning: 127\.0\.0\.1:1: connection refused.*\nerror: the report is without 127\.0\.0\.1:1\. .*\n$/,
    );
  });

  test.each<[string[], number, RegExp]>([
    [['--nsqd-http-address', NOWHERE], 1, /^error: no nsqd answers: 127\.0\.0\.1:1: .*nsq serve/],
    [['--lookupd-http-address', NOWHERE], 1, /^error: no lookupd answers: .*nsq lookupd/],
    [['--topic', 't', '--channel', 'nope'], 1, /^error: there is no channel nope of topic t at /],
    [['--topic', 'nope'], 1, /^error: there is no topic nope at /],
    [['--topic', 'a b'], 2, /is no topic name/],
    [['--interval', '0s'], 2, /--interval/],
    [['--count', '0'], 2, /--count/],
    [['--sort', 'dept'], 2, /Did you mean depth\?/],
    [['--nsqd-http-address', 'x:1', '--lookupd-http-address', 'x:1'], 2, /not both/],
    [['--output', 'nsq_stat'], 2, /needs --topic and --channel/],
  ])('%j: one line', async (args, code, line) => {
    const exit = await nsq(['stat', ...args], { env });
    expect([exit.code, exit.stdout]).toEqual([code, '']);
    expect(exit.stderr).toMatch(line);
    expect(exit.stderr.split('\n')).toHaveLength(2);
  });
});
