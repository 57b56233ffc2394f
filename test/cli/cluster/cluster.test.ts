import { describe, expect, test } from 'vitest';
import { Cluster } from '../../../src/cli/cluster/cluster.js';
import type { ClusterSource } from '../../../src/cli/cluster/cluster-settings.js';
import type { HttpAddress } from '../../../src/cli/cluster/http-address.js';
import { NodeClient } from '../../../src/cli/cluster/node-client.js';
import { Distrustful, fakeDaemon, NOWHERE, type Script, statsAnswer } from './fake-daemon.js';

const client = new NodeClient({ connectTimeout: 1000, requestTimeout: 1000 });

function cluster(source: Partial<ClusterSource>): Cluster {
  return new Cluster({ nsqds: [], lookupds: [], ...source }, client);
}

/** A lookupd that knows these nsqds, each with topic `t` and its channel `c`. */
function lookupScript(nsqds: readonly HttpAddress[], more: readonly object[] = []): Script {
  const producers = [
    ...nsqds.map(({ origin }) => ({
      broadcast_address: '127.0.0.1',
      http_port: Number(new URL(origin).port),
      topics: ['t', 'gone'],
      tombstones: [false, true],
    })),
    ...more,
  ];
  return ({ url = '' }, response) => {
    if (url === '/nodes') return { producers };
    if (url === '/topics') return { topics: ['t', 'unused', 'no name'] };
    if (url === '/lookup?topic=t') return { channels: ['c'], producers };
    response.writeHead(404).end('{"message":"TOPIC_NOT_FOUND"}');
    return undefined;
  };
}

describe('a sample', () => {
  test('asks every nsqd given, without what is not needed', async () => {
    const one = await fakeDaemon(() => statsAnswer({ t: [0, { c: 5 }] }));
    const { nodes } = await cluster({ nsqds: [one.address] }).sample({ topic: 't', channel: 'c' });
    expect(one.requests).toEqual([
      'GET /stats?format=json&include_clients=false&include_mem=false&topic=t&channel=c',
    ]);
    expect(nodes).toMatchObject([
      {
        address: one.address.text,
        stats: {
          version: '1.3.0',
          topics: [
            { name: 't', depth: 0, channels: [{ name: 'c', depth: 5, memory: 3, disk: 2, connections: 3 }] },
          ],
        },
      },
    ]);
  });

  test('names an nsqd that does not answer beside those that do', async () => {
    const one = await fakeDaemon(() => statsAnswer({}));
    const { nodes } = await cluster({ nsqds: [one.address, NOWHERE] }).sample();
    expect(nodes).toMatchObject([{ stats: { topics: [] } }, { error: { code: 'E_UNREACHABLE' } }]);
  });

  test('fails when none does, and says what to do', async () => {
    await expect(cluster({ nsqds: [NOWHERE] }).sample()).rejects.toMatchObject({
      name: 'RunError',
      message: 'no nsqd answers: 127.0.0.1:1: connection refused: nothing listens there',
      hint: expect.stringContaining('nsq serve'),
    });
    await expect(cluster({ lookupds: [NOWHERE] }).sample()).rejects.toMatchObject({
      message: expect.stringMatching(/^no lookupd answers: 127\.0\.0\.1:1/),
      hint: expect.stringContaining('nsq lookupd'),
    });
  });

  test('where HTTPS is not trusted, it says how to trust it', async () => {
    const all = new Cluster({ nsqds: [NOWHERE], lookupds: [] }, new Distrustful());
    await expect(all.sample()).rejects.toMatchObject({
      message: 'no nsqd answers as it should: 127.0.0.1:1: HTTPS: certificate has expired',
      hint: expect.stringContaining('--http-client-tls-root-ca-file'),
    });
  });

  test.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['no topics', '{"version":"1.3.0"}'],
    ['topics that are none', '{"topics":[7]}'],
    ['a name that steers the terminal', '{"topics":[{"topic_name":"\\u001b[2J"}]}'],
    ['a depth that is none', '{"topics":[{"topic_name":"t","depth":"many"}]}'],
    ['a count past all numbers', '{"topics":[{"topic_name":"t","depth":1e999}]}'],
  ])('refuses statistics with %s', async (_, text) => {
    const bad = await fakeDaemon((__, response) => void response.end(text));
    const good = await fakeDaemon(() => statsAnswer({}));
    const { nodes } = await cluster({ nsqds: [bad.address, good.address] }).sample();
    expect(nodes[0]).toMatchObject({ error: { code: 'E_ANSWER' } });
  });

  test('understands old nsqds: no counts of clients, fields that are missing, null for no topics', async () => {
    const old = await fakeDaemon(() => ({
      topics: [{ topic_name: 't', channels: [{ channel_name: 'c', clients: [{}, {}] }] }],
    }));
    const none = await fakeDaemon(() => ({ version: '1', health: 'OK', topics: null }));
    const { nodes } = await cluster({ nsqds: [old.address, none.address] }).sample();
    expect(nodes).toMatchObject([
      { stats: { topics: [{ depth: 0, channels: [{ connections: 2, depth: 0 }] }] } },
      { stats: { topics: [] } },
    ]);
  });
});

describe('through lookupds', () => {
  test('every nsqd once, whoever names it', async () => {
    const nsqd = await fakeDaemon(() => statsAnswer({ t: [1, {}] }));
    const lookupds = await Promise.all([1, 2].map(() => fakeDaemon(lookupScript([nsqd.address]))));
    const all = cluster({ lookupds: lookupds.map(({ address }) => address) });
    expect((await all.sample()).nodes).toMatchObject([{ address: nsqd.address.text }]);
    expect((await all.sample({ topic: 't' })).nodes).toHaveLength(1);
    expect((await all.sample({ topic: 'nope' })).nodes).toEqual([]);
  });

  test('a lookupd that goes is named, and taken at its last word', async () => {
    const nsqd = await fakeDaemon(() => statsAnswer({}));
    const lookupd = await fakeDaemon(lookupScript([nsqd.address]));
    const all = cluster({ lookupds: [lookupd.address] });
    expect((await all.sample()).lookupFailures).toEqual([]);
    await lookupd.stop();
    const { nodes, lookupFailures } = await all.sample();
    expect(nodes).toMatchObject([{ address: nsqd.address.text, stats: {} }]);
    expect(lookupFailures).toMatchObject([{ address: lookupd.address.text }]);
  });

  test('an nsqd without an address to ask is named', async () => {
    const nsqd = await fakeDaemon(() => statsAnswer({}));
    const producers = [{ broadcast_address: 'h\u001b', http_port: 0, topics: [], tombstones: [] }];
    const lookupd = await fakeDaemon(lookupScript([nsqd.address], producers));
    const { nodes, lookupFailures } = await cluster({ lookupds: [lookupd.address] }).sample();
    expect(nodes).toHaveLength(1);
    expect(lookupFailures).toMatchObject([{ address: 'h :0', message: 'has no HTTP address to ask' }]);
  });

  test.each([[{}], [{ producers: [{}] }], [{ producers: 'many' }], [null]])(
    'a lookupd that answers %j is one that does not answer as it should',
    async (answer) => {
      const lookupd = await fakeDaemon((_, response) => void response.end(JSON.stringify(answer)));
      await expect(cluster({ lookupds: [lookupd.address] }).sample()).rejects.toThrow(
        'answered without a list of nsqds',
      );
    },
  );

  test('topics with those that have them, tombstoned ones left out; channels', async () => {
    const nsqd = await fakeDaemon(() => statsAnswer({}));
    const lookupd = await fakeDaemon(lookupScript([nsqd.address]));
    const all = cluster({ lookupds: [lookupd.address, NOWHERE] });
    const { topics, failures } = await all.topics();
    expect([...topics]).toEqual([
      ['t', [nsqd.address.text]],
      ['unused', []],
    ]);
    expect(failures).toHaveLength(1);
    expect((await all.channels('t')).channels).toEqual(['c']);
    expect((await all.channels('nope')).channels).toBeUndefined();
  });
});

test('topics and channels of nsqds', async () => {
  const one = await fakeDaemon(() => statsAnswer({ b: [0, { y: 0, x: 0 }], a: [0, {}] }));
  const other = await fakeDaemon(() => statsAnswer({ b: [0, { z: 0 }] }));
  const both = cluster({ nsqds: [one.address, other.address] });
  expect([...(await both.topics()).topics]).toEqual([
    ['a', [one.address.text]],
    ['b', [one.address.text, other.address.text]],
  ]);
  expect((await both.channels('b')).channels).toEqual(['x', 'y', 'z']);
  expect((await both.channels('c')).channels).toBeUndefined();
});
