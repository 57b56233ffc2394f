import { beforeEach, describe, expect, test } from 'vitest';
import { startBroker } from '../../../src/broker/index.js';
import {
  Actions,
  type Outcome,
  outcomeError,
  type Target,
  type Verb,
} from '../../../src/cli/cluster/action.js';
import { receiptJson, receiptLine } from '../../../src/cli/cluster/action-receipt.js';
import { Cluster } from '../../../src/cli/cluster/cluster.js';
import { type HttpAddress, parseHttpAddress } from '../../../src/cli/cluster/http-address.js';
import { NodeClient } from '../../../src/cli/cluster/node-client.js';
import { startLookupd } from '../../../src/lookupd/index.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { Distrustful, fakeDaemon, NOWHERE } from './fake-daemon.js';

const client = new NodeClient({ connectTimeout: 1000, requestTimeout: 2000 });
const address = (text: string): HttpAddress => parseHttpAddress('', text);

function acting(
  source: { nsqds?: readonly HttpAddress[]; lookupds?: readonly HttpAddress[] },
  asked = client,
) {
  const cluster = new Cluster({ nsqds: [], lookupds: [], ...source }, asked);
  const actions = new Actions(cluster, asked);
  const act = (verb: Verb, topic: string, channel?: string): Promise<Outcome> =>
    actions.perform(verb, channel === undefined ? { topic } : { topic, channel });
  return { act, cluster };
}

async function broker(lookupdTcpAddresses: readonly string[] = []): Promise<HttpAddress> {
  const started = await startBroker({
    dataPath: tempDir(),
    tcpAddress: '127.0.0.1:0',
    httpAddress: '127.0.0.1:0',
    broadcastAddress: '127.0.0.1',
    lookupdTcpAddresses,
  });
  cleanup(() => started.close());
  return address(started.httpAddress);
}

/** What became of it at each daemon, lookupds first. */
const results = ({ nodes }: Outcome): string[] => nodes.map(({ kind, result }) => `${kind} ${result}`);

describe('at nsqds', () => {
  let one: HttpAddress;
  let other: HttpAddress;
  beforeEach(async () => {
    [one, other] = await Promise.all([broker(), broker()]);
  });

  test('create, pause, unpause, empty, delete: at each that has it', async () => {
    const { act, cluster } = acting({ nsqds: [one, other] });
    expect(results(await act('create', 't'))).toEqual(['nsqd done', 'nsqd done']);
    expect(results(await act('create', 't'))).toEqual(['nsqd done', 'nsqd done']);
    await acting({ nsqds: [one] }).act('create', 't', 'c');
    expect(results(await act('pause', 't', 'c'))).toEqual(['nsqd done', 'nsqd absent']);
    expect(results(await act('pause', 't'))).toEqual(['nsqd done', 'nsqd done']);
    const paused = (await cluster.sample()).nodes.flatMap((node) =>
      'stats' in node ? node.stats.topics : [],
    );
    expect(paused).toMatchObject([{ paused: true, channels: [{ paused: true }] }, { paused: true }]);
    await act('unpause', 't');
    await act('unpause', 't', 'c');
    expect(outcomeError(await act('empty', 't', 'c'))).toBeUndefined();
    expect(results(await act('delete', 't', 'c'))).toEqual(['nsqd done', 'nsqd absent']);
    expect(results(await act('delete', 't'))).toEqual(['nsqd done', 'nsqd done']);
    expect((await cluster.topics()).topics.size).toBe(0);
  });

  test('a channel brings its topic', async () => {
    const { act, cluster } = acting({ nsqds: [one] });
    await act('create', 'new', 'c');
    expect((await cluster.channels('new')).channels).toEqual(['c']);
  });

  test('what is nowhere can be deleted, and not paused', async () => {
    const { act } = acting({ nsqds: [one, other] });
    const gone = await act('delete', 'nope');
    expect([results(gone), outcomeError(gone), receiptLine(gone)]).toEqual([
      ['nsqd absent', 'nsqd absent'],
      undefined,
      'topic nope: is not there',
    ]);
    expect(outcomeError(await act('pause', 'nope'))?.message).toBe('there is no topic nope to pause');
    expect(outcomeError(await act('empty', 'nope', 'c'))?.message).toBe(
      'there is no channel c of topic nope to empty',
    );
  });

  test('one that does not answer is named; the others have done it', async () => {
    const outcome = await acting({ nsqds: [one, NOWHERE] }).act('create', 't');
    expect(outcomeError(outcome)).toMatchObject({
      message:
        'topic t is created, but not everywhere: nsqd 127.0.0.1:1: connection refused: nothing listens there',
      hint: expect.stringMatching(/^Give the command again/),
    });
    expect(JSON.parse(receiptJson(outcome))).toEqual({
      action: 'create',
      topic: 't',
      ok: false,
      nodes: [
        { kind: 'nsqd', address: one.text, result: 'done' },
        {
          kind: 'nsqd',
          address: NOWHERE.text,
          result: 'failed',
          error: 'connection refused: nothing listens there',
        },
      ],
    });
    const none = await acting({ nsqds: [NOWHERE] }).act('pause', 't');
    expect(outcomeError(none)?.hint).toContain('nsq serve');
    const untrusted = await acting({ nsqds: [one] }, new Distrustful()).act('create', 't');
    expect(outcomeError(untrusted)?.hint).toContain('--http-client-tls-root-ca-file');
  });
});

describe('through lookupds', () => {
  test('at the lookupds and every nsqd that has it', async () => {
    const lookupd = await startLookupd({ tcpAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0' });
    cleanup(() => lookupd.close());
    const nsqds = await Promise.all([1, 2].map(() => broker([lookupd.tcpAddress])));
    const { act, cluster } = acting({ lookupds: [address(lookupd.httpAddress)] });
    const registered = async (count: number, channels: readonly string[]): Promise<void> => {
      await expect
        .poll(async () => {
          const known = await cluster.nsqds('t');
          return [known.items.length, (await cluster.channels('t')).channels];
        })
        .toEqual([count, channels]);
    };
    expect(results(await act('create', 't'))).toEqual(['lookupd done']);
    await acting({ nsqds }).act('create', 't');
    await registered(2, []);
    expect(results(await act('create', 't', 'c'))).toEqual(['lookupd done', 'nsqd done', 'nsqd done']);
    await registered(2, ['c']);
    expect(results(await act('pause', 't', 'c'))).toEqual(['nsqd done', 'nsqd done']);
    expect(receiptLine(await act('empty', 't'))).toMatch(/^topic t: emptied at nsqd \S+, nsqd \S+$/);
    expect(results(await act('delete', 't', 'c'))).toEqual(['lookupd done', 'nsqd done', 'nsqd done']);
    expect(results(await act('delete', 't'))).toEqual(['lookupd done', 'nsqd done', 'nsqd done']);
    expect(results(await act('delete', 't'))).toEqual(['lookupd absent']);
    expect(outcomeError(await act('pause', 't'))?.message).toBe('there is no topic t to pause');
  });

  test('asks who has a topic before the lookupds forget it', async () => {
    const nsqd = await fakeDaemon((_, response) => void response.end());
    const { port } = new URL(nsqd.address.origin);
    const producers = [{ broadcast_address: '127.0.0.1', http_port: Number(port) }];
    const lookupd = await fakeDaemon(() => ({ channels: [], producers }));
    await acting({ lookupds: [lookupd.address] }).act('delete', 't');
    expect(lookupd.requests.at(-1)).toBe('POST /topic/delete?topic=t');
    expect(lookupd.requests.slice(0, -1).every((request) => request.startsWith('GET /lookup?'))).toBe(true);
    expect(nsqd.requests).toEqual(['POST /topic/delete?topic=t']);
  });

  test('a lookupd that does not answer is named, once', async () => {
    const lookupd = await fakeDaemon(() => ({ channels: [], producers: [] }));
    const { act } = acting({ lookupds: [lookupd.address, NOWHERE] });
    const target: Target = { topic: 't' };
    for (const verb of ['create', 'delete', 'pause'] as const) {
      const { nodes } = await act(verb, target.topic);
      expect(nodes.filter(({ result }) => result === 'failed')).toMatchObject([
        { kind: 'lookupd', address: NOWHERE.text },
      ]);
    }
    await expect(acting({ lookupds: [NOWHERE] }).act('pause', 't')).rejects.toThrow('no lookupd answers');
  });
});
