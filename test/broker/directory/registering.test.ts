import dns from 'node:dns';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import type { Lookupd } from '../../../src/lookupd/index.js';
import { ask, lookupdOf, nodesOf, producersOf, until } from '../../lookupd/support/lookupd.js';
import { cleanup } from '../../support/temp.js';
import { openBroker } from '../support/brokers.js';
import { subscribe } from '../support/clients.js';
import { http } from '../support/http.js';
import { FakeLookupd, usual } from './support/fake-lookupd.js';

const HTTP = { httpAddress: '127.0.0.1:0' };

/** A broker that registers with all of these. */
function brokerOf(lookupds: readonly { tcpAddress: string }[], options: BrokerOptions = {}): Promise<Broker> {
  return openBroker({ ...HTTP, lookupdTcpAddresses: lookupds.map((it) => it.tcpAddress), ...options });
}

/** Topics with their channels, as the lookupd has them registered by brokers. */
async function registered(lookupd: Lookupd): Promise<Record<string, string[]>> {
  const { json } = await ask(lookupd, '/debug');
  const topics: Record<string, string[]> = {};
  for (const [key, producers] of Object.entries(json as Record<string, unknown[]>)) {
    const [category, topic = '', channel = ''] = key.split(':');
    if (producers.length === 0 || category === 'client') continue;
    topics[topic] ??= [];
    if (category === 'channel') topics[topic].push(channel);
  }
  return topics;
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** Resolves when the lookupd has exactly these topics and channels registered. */
async function untilRegistered(lookupd: Lookupd, topics: Record<string, string[]>): Promise<void> {
  const sorted = (all: Record<string, string[]>): string => JSON.stringify(Object.entries(all).sort(byKey));
  const want = sorted(topics);
  await until(async () => sorted(await registered(lookupd)) === want);
}

describe('a broker with lookupds', () => {
  it('says who it is', async () => {
    const lookupd = await lookupdOf();
    const broker = await brokerOf([lookupd], {
      broadcastAddress: 'broker.example',
      broadcastTcpPort: 5150,
      topologyRegion: 'r',
      topologyZone: 'z',
    });
    await until(async () => (await ask(lookupd, '/nodes')).body.includes('broker.example'));
    const { json } = await ask(lookupd, '/nodes');
    expect((json as { producers?: unknown[] }).producers?.[0]).toMatchObject({
      broadcast_address: 'broker.example',
      tcp_port: 5150,
      http_port: Number(broker.httpAddress.split(':')[1]),
      version: broker.version,
      topology_region: 'r',
      topology_zone: 'z',
    });
  });

  it('registers what comes and withdraws what goes', async () => {
    const lookupd = await lookupdOf();
    const broker = await brokerOf([lookupd]);
    const topic = broker.topic('t');
    await untilRegistered(lookupd, { t: [] });
    topic.channel('a');
    topic.channel('b');
    await untilRegistered(lookupd, { t: ['a', 'b'] });
    topic.deleteChannel('a');
    await untilRegistered(lookupd, { t: ['b'] });
    const client = await subscribe(broker, 't', 'x#ephemeral');
    await untilRegistered(lookupd, { t: ['b', 'x#ephemeral'] });
    client.close();
    await untilRegistered(lookupd, { t: ['b'] });
    broker.deleteTopic('t');
    await untilRegistered(lookupd, {});
  });

  it('registers the topics that were there, and those of a lookupd that restarted', async () => {
    const first = await lookupdOf();
    const broker = await openBroker(HTTP);
    broker.topic('t').channel('c');
    broker.topic('u');
    broker.setLookupdTcpAddresses([first.tcpAddress]);
    await untilRegistered(first, { t: ['c'], u: [] });
    await first.close();
    broker.deleteTopic('u');
    const again = await lookupdOf({ tcpAddress: first.tcpAddress });
    await untilRegistered(again, { t: ['c'] });
  });

  it('a topic that was deleted and made anew is listed at once, although its node was tombstoned', async () => {
    const lookupd = await lookupdOf();
    const broker = await brokerOf([lookupd], { broadcastAddress: 'b' });
    broker.topic('t');
    await untilRegistered(lookupd, { t: [] });
    const port = broker.httpAddress.split(':')[1];
    await ask(lookupd, `POST /topic/tombstone?topic=t&node=b:${port}`);
    expect(await producersOf(lookupd, 't')).toEqual([]);
    broker.deleteTopic('t');
    broker.topic('t');
    await until(async () => (await producersOf(lookupd, 't')).length === 1);
  });

  it('is out of the directory at once when it stops', async () => {
    const fake = await FakeLookupd.start();
    const lookupd = await lookupdOf();
    const broker = await brokerOf([fake, lookupd]);
    await subscribe(broker, 't', 'x#ephemeral');
    await untilRegistered(lookupd, { t: ['x#ephemeral'] });
    await broker.close();
    expect(await nodesOf(lookupd)).toEqual([]);
    expect(fake.current.slice(-2)).toEqual(['UNREGISTER t x#ephemeral', 'UNREGISTER t']);
  });

  it('has the connection probed: a lookupd whose machine was started anew does not know it', async () => {
    const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive');
    cleanup(() => keepAlive.mockRestore());
    const lookupd = await lookupdOf();
    await brokerOf([lookupd]);
    await until(async () => (await nodesOf(lookupd)).length === 1);
    expect(keepAlive).toHaveBeenCalledWith(true, 2000);
  });

  it('pings every 15 seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const fake = await FakeLookupd.start();
      await brokerOf([fake]);
      await fake.until(() => fake.current.length === 1);
      // The HTTP server has an interval of its own.
      await until(() => Promise.resolve(vi.getTimerCount() === 2));
      vi.advanceTimersByTime(14_999);
      expect(fake.current).not.toContain('PING');
      vi.advanceTimersByTime(1);
      await fake.until(() => fake.current.includes('PING'));
    } finally {
      vi.useRealTimers();
    }
  });

  it('comes again to one that has not answered for five seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const fake = await FakeLookupd.start({ answer: () => undefined });
      await brokerOf([fake]);
      await fake.until(() => fake.current.length === 1);
      vi.advanceTimersByTime(4_900);
      expect(fake.connections).toBe(1);
      await until(() => {
        vi.advanceTimersByTime(100);
        return Promise.resolve(fake.connections >= 2);
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['refuses', (command: string) => (command === 'IDENTIFY' ? 'E_BAD_BODY no' : 'OK')],
    ['says nonsense', () => 'what?'],
  ])('comes again to one that %s, and meanwhile the others are served', async (_, answer) => {
    const fake = await FakeLookupd.start({ answer });
    const lookupd = await lookupdOf();
    const broker = await brokerOf([fake, lookupd]);
    broker.topic('t');
    await untilRegistered(lookupd, { t: [] });
    await fake.until(() => fake.connections >= 2);
  });

  it('one that takes connections and says nothing delays neither the others nor publishing', async () => {
    const fake = await FakeLookupd.start({ answer: () => undefined });
    const lookupd = await lookupdOf();
    const broker = await brokerOf([fake, lookupd]);
    await broker.publish('t', 'a message');
    await untilRegistered(lookupd, { t: [] });
    await broker.close();
  });

  it.each([
    ['answers', usual],
    [
      'answers no more',
      (command: string, fake: FakeLookupd) => (command.startsWith('UN') ? undefined : usual(command, fake)),
    ],
  ])('stops in time when a lookupd %s but does not end its side', async (_, answer) => {
    const fake = await FakeLookupd.start({ keepsOpen: true, answer });
    const broker = await brokerOf([fake]);
    broker.topic('t');
    await fake.until(() => fake.current.includes('REGISTER t'));
    await broker.close();
    expect(fake.current.at(-1)).toBe('UNREGISTER t');
  });

  it('registers everything anew over a new connection', async () => {
    const fake = await FakeLookupd.start();
    const broker = await brokerOf([fake]);
    broker.topic('t').channel('c');
    await fake.until(() => fake.current.includes('REGISTER t c'));
    fake.cut();
    await fake.until(() => fake.connections === 2 && fake.current.includes('REGISTER t c'));
    expect(fake.current).toEqual(['IDENTIFY', 'REGISTER t c']);
  });

  it('resolves the name of a lookupd anew for each connection (#1233)', async () => {
    const before = await FakeLookupd.start();
    const after = await FakeLookupd.start({ host: '127.0.0.2', port: before.port });
    const broker = await openBroker(HTTP);
    let address = '127.0.0.1';
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
      const done = args.at(-1) as (error: null, found: dns.LookupAddress[]) => void;
      process.nextTick(done, null, [{ address, family: 4 }]);
    }) as typeof dns.lookup);
    cleanup(() => lookup.mockRestore());
    broker.setLookupdTcpAddresses([`lookupd.test:${before.port}`]);
    broker.topic('t');
    await before.until(() => before.current.includes('REGISTER t'));
    address = '127.0.0.2';
    await before.stop();
    await after.until(() => after.current.includes('REGISTER t'));
  });

  it('thousands of topics go over in order, and no more at once than are answered', async () => {
    let held = true;
    const fake = await FakeLookupd.start({
      answer: (command, self) => (command === 'IDENTIFY' || !held ? usual(command, self) : undefined),
    });
    const broker = await openBroker({ ...HTTP, durability: 'memory' });
    for (let i = 0; i < 1500; i++) broker.topic(`t${i}#ephemeral`);
    broker.setLookupdTcpAddresses([fake.tcpAddress]);
    await fake.until(() => fake.current.length === 1001);
    held = false;
    fake.cut();
    await fake.until(() => fake.current.length === 1501);
    expect(new Set(fake.current).size).toBe(1501);
  });

  it('changes its lookupds at run time', async () => {
    const [one, other] = [await lookupdOf(), await lookupdOf()];
    const broker = await brokerOf([one]);
    broker.topic('t');
    await untilRegistered(one, { t: [] });
    const put = (addresses: string[]): ReturnType<typeof http> =>
      http(broker, 'PUT /config/nsqlookupd_tcp_addresses', { body: JSON.stringify(addresses) });
    expect((await put(['nonsense'])).status).toBe(400);
    await put([other.tcpAddress]);
    await untilRegistered(other, { t: [] });
    await untilRegistered(one, {});
    expect(broker.settings.lookupdTcpAddresses).toEqual([other.tcpAddress]);
  });

  it('refuses addresses that are none, and to register without ports', async () => {
    const bad = openBroker({ ...HTTP, lookupdTcpAddresses: ['127.0.0.1'] });
    await expect(bad).rejects.toMatchObject({ code: 'E_OPTION' });
    const portless = openBroker({ httpAddress: '', lookupdTcpAddresses: ['127.0.0.1:4160'] });
    await expect(portless).rejects.toMatchObject({ code: 'E_OPTION' });
  });
});
