import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { lookupdOf, until } from '../lookupd/support/lookupd.js';
import { tempDir } from '../support/temp.js';
import { type CliProcess, nsq, Serve, start, temporaryDirectory } from './cli-process.js';

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

const SHORT_HOST = hostname().split('.')[0];
const newTopic = (): string => `t-${randomUUID().slice(0, 8)}`;

async function publish(topic: string, bodies: readonly string[], at = broker): Promise<void> {
  for (const path of [`topic/create?topic=${topic}`, `channel/create?topic=${topic}&channel=nsq_to_file`])
    await fetch(`http://${at.httpAddress}/${path}`, { method: 'POST' });
  const response = await fetch(`http://${at.httpAddress}/mpub?topic=${topic}`, {
    method: 'POST',
    body: bodies.join('\n'),
  });
  expect(response.status).toBe(200);
}

/** Messages of the channel that are not finished. */
async function unfinished(topic: string): Promise<number> {
  const [channel] = (await broker.topic(topic))?.channels ?? [];
  return channel ? channel.depth + channel.in_flight_count + channel.deferred_count : Number.NaN;
}

function archive(...args: string[]): CliProcess {
  const run = start(['to-file', ...args]);
  running.push(run);
  return run;
}

/** What the files of a directory hold, as far as it can be read. */
function linesOf(output: string): string[] {
  return readdirSync(output).flatMap((name) => {
    const bytes = readFileSync(join(output, name));
    // A member that is torn counts as far as it goes, as with zcat.
    const text = name.endsWith('.gz') ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
    return String(text).split('\n').slice(0, -1);
  });
}

const bodiesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${at} ${randomUUID()}`);

describe('nsq to-file', () => {
  test('SIGTERM: writes what was taken, finishes it, ends with 0; the names are those of nsq_to_file', async () => {
    const [topic, output] = [newTopic(), tempDir()];
    await publish(topic, ['a', 'b', 'c']);
    const run = archive('-topic', topic, '-nsqd-tcp-address', broker.tcpAddress, `-output-dir=${output}`);
    await run.waitFor('stderr', /opening /);
    run.kill('SIGTERM');
    const { code, stdout, stderr } = await run.exited;
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/SIGTERM: stopping/);
    const [name, ...others] = readdirSync(output);
    expect(name).toMatch(new RegExp(`^${topic}\\.${SHORT_HOST}\\.\\d{4}-\\d\\d-\\d\\d_\\d\\d\\.log$`));
    expect([others, linesOf(output)]).toEqual([[], ['a', 'b', 'c']]);
    expect(await unfinished(topic)).toBe(0);
  });

  test.each([['--gzip'], ['--no-gzip']])(
    'kill -9 in the middle (%s): all that was finished can be read',
    async (mode) => {
      const [topic, output] = [newTopic(), tempDir()];
      const bodies = bodiesOf(8000);
      await publish(topic, bodies);
      const args = ['--topic', topic, '--nsqd-tcp-address', broker.tcpAddress, '--output-dir', output, mode];
      const killed = archive(...args, '--max-in-flight', '50');
      await until(async () => (await unfinished(topic)) < 7000);
      killed.kill('SIGKILL');
      await killed.exited;
      const written = new Set(linesOf(output));
      const left = await unfinished(topic);
      expect(left).toBeGreaterThan(0);

      // Another one gets the rest, and nothing that is there is touched.
      const rest = archive(...args, '--sync-interval', '50ms');
      await until(async () => (await unfinished(topic)) === 0);
      rest.kill('SIGTERM');
      expect((await rest.exited).code).toBe(0);
      const all = new Set(linesOf(output));
      expect(bodies.filter((body) => !all.has(body))).toEqual([]);
      expect(written.size).toBeGreaterThanOrEqual(bodies.length - left);
    },
  );

  test('two processes with the same names write files of their own', async () => {
    const [topic, output, work] = [newTopic(), tempDir(), tempDir()];
    const args = ['--topic', topic, '--nsqd-tcp-address', broker.tcpAddress, '--output-dir', output];
    const names = ['--gzip', '--work-dir', work, '--filename-format', 'f<REV>', '--max-in-flight', '10'];
    const runs = [archive(...args, ...names), archive(...args, ...names)];
    await Promise.all(runs.map((run) => run.waitFor('stderr', /connected to/)));
    const bodies = bodiesOf(1000);
    await publish(topic, bodies);
    await Promise.all(runs.map((run) => run.waitFor('stderr', /opening /)));
    await until(async () => ((await broker.topic(topic))?.channels[0]?.depth ?? 1) === 0);
    for (const run of runs) run.kill('SIGINT');
    for (const run of runs) expect((await run.exited).code).toBe(0);
    expect([readdirSync(work), readdirSync(output)]).toEqual([[], ['f-000000.gz', 'f-000001.gz']]);
    expect(linesOf(output).sort()).toEqual(bodies.sort());
  });

  test('SIGHUP: ends the file; --format json has what belongs to a message', async () => {
    const [topic, output] = [newTopic(), tempDir()];
    const args = ['--topic', topic, '--nsqd-tcp-address', broker.tcpAddress, '--output-dir', output];
    await publish(topic, ['one']);
    const more = ['--rotate-size', '1000000', '--format', 'json', '--sync-interval', '20ms'];
    const run = archive(...args, ...more);
    await until(async () => readdirSync(output).length === 1 && (await unfinished(topic)) === 0);
    run.kill('SIGHUP');
    await run.waitFor('stderr', /SIGHUP/);
    await publish(topic, ['two']);
    await until(async () => readdirSync(output).length === 2 && (await unfinished(topic)) === 0);
    run.kill('SIGTERM');
    expect((await run.exited).code).toBe(0);
    expect(linesOf(output).map((line) => JSON.parse(line) as unknown)).toEqual(
      ['one', 'two'].map((body) => ({
        topic,
        channel: 'nsq_to_file',
        id: expect.stringMatching(/^[0-9a-f]{16}$/),
        timestamp: expect.any(Number),
        attempts: 1,
        nsqd: broker.tcpAddress,
        body,
      })),
    );
  });

  test('--topic-pattern: those that match, also later ones, although one of two lookupds is down', async () => {
    const lookupd = await lookupdOf({ broadcastAddress: '127.0.0.1', httpAddress: '127.0.0.1:0' });
    const { path, remove } = await temporaryDirectory();
    const registered = await Serve.start(path, '127.0.0.1:0', [
      `--lookupd-tcp-address=${lookupd.tcpAddress}`,
      '--broadcast-address=127.0.0.1',
    ]);
    const output = tempDir();
    await publish('orders.a', ['1'], registered);
    await publish('users', ['2'], registered);
    const lookupds = ['--lookupd-http-address', '127.0.0.1:1', '--lookupd-http-address', lookupd.httpAddress];
    const names = ['--filename-format', '<TOPIC>', '--output-dir', output];
    const run = archive('--topic-pattern', '^orders', '--topic-refresh', '50ms', ...lookupds, ...names);
    await until(async () => linesOf(output).length === 1);
    await publish('orders.b', ['3'], registered);
    await until(async () => linesOf(output).length === 2);
    run.kill('SIGTERM');
    const { code, stderr } = await run.exited;
    expect([code, readdirSync(output)]).toEqual([0, ['orders.a', 'orders.b']]);
    expect(stderr).toMatch(/lookupd 127\.0\.0\.1:1: .*refused/);
    await registered.stop();
    await remove();
  });

  test.each([
    [[], /^error: --topic or --topic-pattern required\./],
    [['--topic', 't', '--gzip', '--filename-format', 'x'], /^error: missing <REV> in --filename-format/],
  ])('%j: one line, 2', async (args, line) => {
    const { code, stdout, stderr } = await nsq(['to-file', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(line);
  });

  test('without a broker: what failed and what to do, 1', async () => {
    const { code, stderr } = await nsq(['to-file', '--topic', 't', '--nsqd-tcp-address', '127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1:1.*refused.*nsq serve/m);
  });

  test('a directory that cannot be written to: what failed, 1, and nothing is finished', async () => {
    const topic = newTopic();
    await publish(topic, ['a', 'b']);
    const output = join(directory.path, 'nsq-data', 'lock', 'x');
    const args = ['--topic', topic, '--nsqd-tcp-address', broker.tcpAddress, '--output-dir', output];
    const { code, stderr } = await nsq(['to-file', ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: cannot create the directory .*: not a directory\. .*comes again\.$/m);
    expect(await unfinished(topic)).toBe(2);
  });
});
