import { afterEach, expect, test } from 'vitest';
import { type CliProcess, nsq, start } from './cli-process.js';

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

test('a busy port: one line that says what to do, and 1', async () => {
  const { tcpAddress } = await lookupd(...FREE_PORTS);
  const { code, stderr } = await nsq(['lookupd', '--tcp-address', tcpAddress]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: cannot listen on .* in use\. Choose another address/m);
});
