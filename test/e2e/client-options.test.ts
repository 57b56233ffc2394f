import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FakeNsqd, fakeNsqd } from '../client/support/fake-nsqd.js';
import { type CliProcess, start, temporaryDirectory } from './cli-process.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const running: CliProcess[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.destroy()));
});
afterAll(() => directory.remove());

function run(args: readonly string[]): CliProcess {
  const started = start(args);
  running.push(started);
  return started;
}

/** Each command that takes options of a client, with the flag, and what else it needs to connect to `nsqd`. */
const COMMANDS: readonly (readonly [flag: string, command: string, rest: (nsqd: string) => string[]])[] = [
  ['producer-opt', 'pub', (nsqd) => ['--topic', 't', '--nsqd-tcp-address', nsqd]],
  ['consumer-opt', 'tail', (nsqd) => ['--topic', 't', '--nsqd-tcp-address', nsqd]],
  [
    'consumer-opt',
    'to-file',
    (nsqd) => ['--topic', 't', '--nsqd-tcp-address', nsqd, '--output-dir', directory.path],
  ],
  [
    'consumer-opt',
    'to-http',
    (nsqd) => ['--topic', 't', '--nsqd-tcp-address', nsqd, '--post', 'http://127.0.0.1:1'],
  ],
  ['consumer-opt', 'to-nsq', toNsq],
  ['producer-opt', 'to-nsq', toNsq],
];

function toNsq(nsqd: string): string[] {
  return ['--topic', 't', '--nsqd-tcp-address', nsqd, '--destination-nsqd-tcp-address', nsqd];
}

/** What its clients said of themselves. */
async function identities(nsqd: FakeNsqd, count: number): Promise<Record<string, unknown>[]> {
  while (nsqd.peers.length < count) await new Promise(setImmediate);
  return Promise.all(nsqd.peers.map(async (peer) => JSON.parse(String((await peer.next('IDENTIFY')).body))));
}

describe.each(COMMANDS)('--%s of %s', (flag, command, rest) => {
  test('reaches the broker, with one dash or two, any spelling of a name, the last of a kind', async () => {
    // A relay publishes, and connects for that, once it has a message.
    const nsqd = await fakeNsqd({ on: { RDY: (peer) => peer.message([1, 'x']) } });
    const given = [
      `--${flag}`,
      'client_id,first',
      `-${flag}=heartbeat-interval,2s`,
      `--${flag}=client_id,mine`,
    ];
    run([command, ...rest(nsqd.address), ...given]);
    const said = await identities(nsqd, command === 'to-nsq' ? 2 : 1);
    const mine = said.filter((fields) => fields.client_id === 'mine');
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({ heartbeat_interval: 2000 });
  });

  test.each([
    ['clientid,x', `--${flag}: invalid option clientid`],
    ['heartbeat_interval,2', `--${flag} heartbeat_interval: invalid duration "2"`],
    ['tls_min_version,ssl9', 'tls_min_version'],
  ])('%s is refused before anything is connected', async (given, words) => {
    const nsqd = await fakeNsqd();
    const wrong = run([command, ...rest(nsqd.address), `--${flag}`, given]);
    const { code } = await wrong.exited;
    expect(code).toBe(2);
    expect(wrong.stderr).toContain(words);
    expect(nsqd.peers).toHaveLength(0);
  });
});
