import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nsq, Serve, start, temporaryDirectory } from './cli-process.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let running: Serve[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(running.map((serve) => serve.stop()));
  running = [];
  await directory.remove();
});

async function serve(...args: Parameters<typeof Serve.start>): Promise<Serve> {
  const started = await Serve.start(...args);
  running.push(started);
  return started;
}

const FREE_PORTS = ['--tcp-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];

describe('nsq serve', () => {
  test('logs JSON lines, and ends with 0 on SIGTERM', async () => {
    const broker = await serve(directory.path);
    expect((await fetch(`http://${broker.httpAddress}/ping`)).status).toBe(200);
    const { code, stdout, stderr } = await broker.stop();
    expect([code, stdout]).toEqual([0, '']);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.find(({ msg }) => msg === 'ready')).toMatchObject({
      level: 'info',
      name: 'nsqd',
      tcpAddress: broker.tcpAddress,
      dataPath: directory.path,
      durability: 'os',
    });
    expect(lines.at(-1)).toMatchObject({ msg: 'stopped' });
  });

  test('finds its messages after a restart', async () => {
    const first = await serve(directory.path);
    const published = await nsq(['pub', '--topic', 't', '--nsqd-tcp-address', first.tcpAddress, 'a', 'b']);
    expect(published.code).toBe(0);
    expect((await first.stop()).code).toBe(0);
    const second = await serve(directory.path);
    expect(await second.messages('t', 2)).toBe('a\nb\n');
  });

  test('a data path that another broker holds: one line, 1', async () => {
    await serve(directory.path);
    const { code, stderr } = await nsq(['serve', '--data-path', directory.path, ...FREE_PORTS]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]*\n$/);
    expect(stderr).toContain(directory.path);
    expect(stderr).toContain('--data-path');
  });

  test('a data path that cannot be written: one line, 1', async () => {
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    const path = join(file, 'data');
    const { code, stderr } = await nsq(['serve', '--data-path', path, ...FREE_PORTS]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]*\n$/);
    expect(stderr).toContain(path);
  });

  test('a busy port: one line, 1', async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const args = ['--data-path', directory.path, '--http-address', '127.0.0.1:0'];
    const { code, stderr } = await nsq(['serve', ...args, '--tcp-address', `127.0.0.1:${port}`]);
    await new Promise((resolve) => other.close(resolve));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]*\n$/m);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain('--tcp-address');
  });

  test("nsqd's configuration file runs, with all that it asks for", async () => {
    const config = fileURLToPath(new URL('../cli/serve/nsqd.toml', import.meta.url));
    const run = start(['serve', '--config', config, '--data-path', directory.path]);
    await run.waitFor('stderr', /"msg":"ready"/);
    run.kill('SIGINT');
    const { code, stderr } = await run.exited;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/is not available yet|is unknown/);
  });
});

describe('usage', () => {
  test.each([
    [['--max-msg-sise', '5'], 'error: unknown flag --max-msg-sise. Did you mean --max-msg-size?\n'],
    [['--max-msg-size', 'big'], 'error: invalid value for --max-msg-size: "big" is not a whole number\n'],
    [
      ['--msg-timeout=5'],
      'error: invalid value for --msg-timeout: invalid duration "5": a unit is missing, as in 5s or 5ms\n',
    ],
    [
      ['--durability', 'maybe'],
      'error: invalid value for --durability: "maybe" is none of os, fsync, memory\n',
    ],
    [['--node-id', '1024'], 'error: invalid value for --node-id: 1024 is out of range: 0 to 1023\n'],
    [['frobnicate'], 'error: unexpected argument "frobnicate". See --help for what it takes.\n'],
    [
      ['--config', '/nowhere.toml'],
      'error: cannot read the configuration file /nowhere.toml: no such file\n',
    ],
  ])('serve %j: one line, 2', async (args, line) => {
    const { code, stdout, stderr } = await nsq(['serve', ...args]);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: line });
  });

  test('an unknown command suggests the near one', async () => {
    const { code, stderr } = await nsq(['tial', '--topic', 'x']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error: unknown command "tial". Did you mean "nsq tail"?\n',
    });
  });

  test('the stack is shown with DEBUG=nsq* only', async () => {
    const { stderr } = await nsq(['serve', '--nodeid', '1'], { env: { DEBUG: 'nsq*' } });
    expect(stderr).toMatch(/\n +at /);
  });
});

describe('help', () => {
  test.each(['serve', 'pub', 'tail'])('%s: examples first, then one line per flag', async (command) => {
    const { code, stdout } = await nsq([command, '--help']);
    expect(code).toBe(0);
    expect(stdout.indexOf('EXAMPLES')).toBeLessThan(stdout.indexOf('USAGE'));
    expect(stdout).toContain(`nsq ${command}`);
    expect(stdout).toMatch(/^ {2}--config <file> +TOML file.*\(NSQ_CONFIG\)$/m);
  });

  test('the version, in every way that it is asked for', async () => {
    const runs = await Promise.all(
      [['--version'], ['-version'], ['tail', '-version']].map((args) => nsq(args)),
    );
    for (const { code, stdout } of runs)
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^nsq\/\d+\.\d+\.\d+ /)]);
  });

  test.each([
    ['serve', 'nsqd'],
    ['lookupd', 'nsqlookupd'],
  ])('%s --version says which %s it stands in for', async (command, original) => {
    const { code, stdout } = await nsq([command, '--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${original} v1\\.\\d+\\.\\d+ \\(nsq/\\d+\\.\\d+\\.\\d+ .*\\)\n$`));
  });
});
