import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseHttpAddress } from '../../../src/cli/cluster/http-address.js';
import { TopicDiscovery, type TopicList } from '../../../src/cli/to-file/topic-discovery.js';
import { cleanup } from '../../support/temp.js';
import { recorder } from './support/logs.js';

interface Scripted {
  readonly address: string;
  answer: string;
  /** Connections that were made, and those that are open. */
  made: number;
  open: number;
}

/** A lookupd that gives one answer to everything. */
async function lookupdWith(answer: string): Promise<Scripted> {
  const server = createServer((_, response) => response.end(scripted.answer)).listen(0, '127.0.0.1');
  server.on('connection', (socket) => {
    scripted.made++;
    scripted.open++;
    socket.on('close', () => scripted.open--);
  });
  await once(server, 'listening');
  cleanup(() => server.close());
  const { port } = server.address() as AddressInfo;
  const scripted: Scripted = { address: `127.0.0.1:${port}`, answer, made: 0, open: 0 };
  return scripted;
}

function discoveryOf(addresses: readonly string[], refresh: number) {
  const { logger, lines } = recorder();
  const lookupds = addresses.map((address) => parseHttpAddress('lookupd-http-address', address));
  const times = { connectTimeout: 1000, requestTimeout: 1000 };
  return { discovery: new TopicDiscovery({ lookupds, refresh, ...times, logger }), lines };
}

/** The first lists; `change` is called after each. */
async function lists(
  discovery: TopicDiscovery,
  count: number,
  change: (list: number) => void = () => {},
): Promise<TopicList[]> {
  const found: TopicList[] = [];
  const end = new AbortController();
  await discovery.run(async (list) => {
    found.push(list);
    change(found.length);
    if (found.length === count) end.abort();
  }, end.signal);
  return found;
}

describe('TopicDiscovery', () => {
  test('asks at once, and takes what all lookupds say together', async () => {
    const [one, other] = [
      await lookupdWith('{"topics":["a","b"]}'),
      await lookupdWith('{"topics":["b","c"]}'),
    ];
    const { discovery } = discoveryOf([one.address, other.address], 60_000);
    expect(await lists(discovery, 1)).toEqual([{ topics: new Set(['a', 'b', 'c']), isComplete: true }]);
  });

  test('goes on without a lookupd that is down, and says so once', async () => {
    const lookupd = await lookupdWith('{"topics":["a"]}');
    const { discovery, lines } = discoveryOf(['127.0.0.1:1', lookupd.address], 1);
    const found = await lists(discovery, 3);
    expect(found).toEqual(Array(3).fill({ topics: new Set(['a']), isComplete: false }));
    expect(lines).toEqual([expect.stringMatching(/^warn lookupd 127\.0\.0\.1:1: .*refused.*asking again/)]);
  });

  test('an answer that makes no sense is none, until there is one', async () => {
    const [sound, broken] = [await lookupdWith('{"topics":["a"]}'), await lookupdWith('{"topics":7}')];
    const { discovery, lines } = discoveryOf([sound.address, broken.address], 1);
    await lists(discovery, 2, () => {
      broken.answer = '{"topics":["../x","b"]}';
    }).then((found) => expect(found.at(-1)).toEqual({ topics: new Set(['a', 'b']), isComplete: true }));
    expect(lines.at(-1)).toBe(`info lookupd ${broken.address} answers again`);
  });

  test('asking leaves no connection behind', async () => {
    const lookupd = await lookupdWith('{"topics":[]}');
    const { discovery } = discoveryOf([lookupd.address], 1);
    await lists(discovery, 20);
    while (lookupd.open > 0) await new Promise(setImmediate);
    expect(lookupd.made).toBe(20);
  });

  test('with a refresh of 0 it asks until there is an answer', async () => {
    const lookupd = await lookupdWith('{"topics":["a"]}');
    const { discovery } = discoveryOf([lookupd.address], 0);
    const found: TopicList[] = [];
    await discovery.run(async (list) => void found.push(list), new AbortController().signal);
    expect(found).toHaveLength(1);
  });
});
