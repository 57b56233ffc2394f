import { afterEach, expect, test } from 'vitest';
import { type CliProcess, nsq, Serve, start, temporaryDirectory } from './cli-process.js';

const FREE_PORTS = ['--tcp-address=127.0.0.1:0', '--http-address=127.0.0.1:0'];
let running: CliProcess[] = [];

afterEach(async () => {
  await Promise.all(running.map((run) => run.destroy()));
  running = [];
});

interface Ready {
  readonly run: CliProcess;
  readonly tcpAddress: string;
  readonly httpAddress: string;
}

async function lookupd(...flags: string[]): Promise<Ready> {
  const run = start(['lookupd', ...flags]);
  running.push(run);
  const [line] = await run.waitFor('stderr', /^\{.*"msg":"ready".*$/m);
  return { run, ...(JSON.parse(line) as Omit<Ready, 'run'>) };
}

test('nsq lookupd answers, takes flags as Go writes them, and ends with 0 on SIGTERM', async () => {
  const { run, httpAddress } = await lookupd('-tcp-address', '127.0.0.1:0', '-http-address=127.0.0.1:0');
  expect(await (await fetch(`http://${httpAddress}/info`)).json()).toEqual({ version: '1.3.0' });
  run.kill('SIGTERM');
  const { code, stdout, stderr } = await run.exited;
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toContain('"name":"nsqlookupd"');
  expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ msg: 'stopped' });
});

test('a broker registers, and tail finds it, each topic by every lookupd', async () => {
  const [one, other] = [await lookupd(...FREE_PORTS), await lookupd(...FREE_PORTS)];
  const directory = await temporaryDirectory();
  const lookupdFlags = [one, other].map((it) => `--lookupd-tcp-address=${it.tcpAddress}`);
  const flags = ['--broadcast-address=127.0.0.1', ...lookupdFlags];
  const broker = await Serve.start(directory.path, '127.0.0.1:0', flags);
  running.push(broker.process);
  const consumer = start(
    [
      'tail',
      '--topic=t',
      '-n=1',
      '--lookupd-http-address',
      one.httpAddress,
      '--lookupd-http-address',
      other.httpAddress,
    ],
    { NSQ_NSQD_TCP_ADDRESS: '127.0.0.1:1' },
  );
  running.push(consumer);
  await consumer.waitFor('stderr', /^ready: tailing t on channel \S+ at lookupd /m);
  await fetch(`http://${broker.httpAddress}/pub?topic=t`, { method: 'POST', body: 'hello' });
  const { code, stdout } = await consumer.exited;
  expect([code, stdout]).toEqual([0, 'hello\n']);
  await broker.stop();
  await directory.remove();
});

test('tail takes nsqds or lookupds, not both, and says which lookupd is not there', async () => {
  const both = await nsq(['tail', '--topic=t', '--nsqd-tcp-address=a:1', '--lookupd-http-address=b:1']);
  expect([both.code, both.stderr]).toEqual([
    2,
    'error: use --nsqd-tcp-address or --lookupd-http-address, not both\n',
  ]);
  const missing = await nsq(['tail', '--topic=t', '--lookupd-http-address=127.0.0.1:1']);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/^error: 127\.0\.0\.1:1: connection refused.*"nsq lookupd"/m);
});

test('a busy port: one line that says what to do, and 1', async () => {
  const { tcpAddress } = await lookupd(...FREE_PORTS);
  const { code, stderr } = await nsq(['lookupd', '--tcp-address', tcpAddress]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: cannot listen on .* in use\. Choose another address/m);
});
