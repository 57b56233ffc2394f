import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Consumer } from '../../src/client/consumer.js';
import type { ConsumerOptions } from '../../src/client/options.js';
import { certificates } from '../support/certificates.js';
import { consumerOf, failure, take, until } from './support/clients.js';
import { type FakeLookupd, fakeLookupd, lookupBody } from './support/fake-lookupd.js';
import { deadAddress, fakeNsqd } from './support/fake-nsqd.js';

/** A consumer that finds its brokers by these. */
function finding(lookupds: readonly FakeLookupd[], options: Partial<ConsumerOptions> = {}): Consumer {
  const lookupdHttpAddresses = lookupds.map(({ address }) => address);
  return consumerOf([], { lookupdHttpAddresses, maxInFlight: 10, ...options });
}

/** Names of the events from now on. */
function eventsOf(consumer: Consumer): string[] {
  const events: string[] = [];
  for (const name of ['connect', 'disconnect', 'retry', 'lookupFailed'] as const)
    consumer.on(name, (...[address]: readonly unknown[]) => events.push(`${name} ${address}`));
  return events;
}

describe('Consumer: finding brokers', () => {
  it('shows its secret to the lookupd, unless told not to', async () => {
    const lookupd = await fakeLookupd();
    await finding([lookupd], { authSecret: 'secret' }).connect();
    await finding([lookupd], { authSecret: 'secret', lookupdAuthorization: false }).connect();
    await finding([lookupd]).connect();
    const [first, second, third] = lookupd.authorizations;
    expect([first, second, third]).toEqual(['Bearer secret', undefined, undefined]);
  });

  it('leaves a broker that it is told to leave, listed or not, until it is told to come back', async () => {
    const [one, two] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd([one.address, two.address]);
    const consumer = finding([lookupd], { lookupdPollInterval: 10, lookupdPollJitter: 0 });
    await consumer.connect();
    await consumer.disconnectFromNsqd(two.address);
    await lookupd.asked(lookupd.queries.length + 3);
    expect([one.peers.length, two.peers.length]).toEqual([1, 1]);
    await consumer.connectToNsqd(two.address);
    expect([one.peers.length, two.peers.length]).toEqual([1, 2]);
  });

  it('connects to every broker that some lookupd lists, once', async () => {
    const [one, two, three] = await Promise.all([fakeNsqd(), fakeNsqd(), fakeNsqd()]);
    const lookupds = [
      await fakeLookupd([one.address, two.address]),
      await fakeLookupd([two.address, three.address]),
    ];
    const consumer = finding(lookupds);
    await consumer.connect();
    for (const nsqd of [one, two, three]) expect(nsqd.peers).toHaveLength(1);
    expect(lookupds[0]?.queries[0]?.get('topic')).toBe('topic');
  });

  it('consumes from brokers that are named, too, and from no other by default', async () => {
    const [named, found] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd([found.address]);
    const consumer = consumerOf(named.address, { lookupdHttpAddresses: lookupd.address });
    await consumer.connect();
    expect([named.peers.length, found.peers.length]).toEqual([1, 1]);
  });

  it('connect() fails when no lookupd answers, and a lookupd that comes later is found', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd();
    lookupd.says(500, '{"message":"INTERNAL_ERROR"}');
    const consumer = finding([lookupd]);
    expect(await failure(consumer.connect())).toMatchObject({
      name: 'LookupError',
      code: 'E_LOOKUP',
      address: lookupd.address,
    });
    lookupd.lists([nsqd.address]);
    await (await nsqd.peer()).next('RDY');
  });

  it('connect() is content with a topic that is nowhere, and with a broker that is gone', async () => {
    const nowhere = await fakeLookupd();
    nowhere.says(404, '{"message":"TOPIC_NOT_FOUND"}');
    await finding([nowhere]).connect();
    await finding([await fakeLookupd([await deadAddress()])]).connect();
  });

  it.each([
    ['does not answer', (fake: FakeLookupd) => fake.stop()],
    ['says nonsense', (fake: FakeLookupd) => fake.says(200, '<html>')],
    ['lists nonsense', (fake: FakeLookupd) => fake.says(200, '{"producers":[null,{"tcp_port":"x"}]}')],
    [
      'breaks off',
      (fake: FakeLookupd) => {
        fake.answer = (response) => {
          response.writeHead(200, { 'Content-Length': 100 }).write('{');
          setImmediate(() => response.destroy());
        };
      },
    ],
    [
      'never ends',
      (fake: FakeLookupd) => {
        fake.answer = (response) => {
          const more = (): void => {
            if (!response.destroyed) response.write(Buffer.alloc(1 << 20, ' '), more);
          };
          more();
        };
      },
    ],
    [
      'says nothing',
      (fake: FakeLookupd) => {
        fake.answer = undefined;
      },
    ],
  ])('one lookupd that %s does not keep it from the others', async (_, spoil) => {
    const nsqd = await fakeNsqd();
    const [good, bad] = [await fakeLookupd([nsqd.address]), await fakeLookupd()];
    const consumer = finding([good, bad], { lookupdPollTimeout: 300 });
    spoil(bad);
    await consumer.connect();
    expect(nsqd.peers).toHaveLength(1);
  });

  it('one that hangs does not keep connect() for the whole time that it may take', async () => {
    const nsqd = await fakeNsqd();
    const [good, bad] = [await fakeLookupd([nsqd.address]), await fakeLookupd()];
    bad.answer = undefined;
    await finding([bad, good]).connect();
    expect(nsqd.peers).toHaveLength(1);
  });

  it('a watch over a connection that died without a word is given up soon after its time', async () => {
    const lookupd = await fakeLookupd([], 5);
    const consumer = finding([lookupd]);
    await consumer.connect();
    lookupd.answer = undefined;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const failed = once(consumer, 'lookupFailed');
    await vi.advanceTimersByTimeAsync(100);
    await lookupd.asked(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect((await failed)[1]).toMatchObject({
      message: expect.stringContaining('no answer within 20000 ms'),
    });
  });

  it.each([
    ['', 'is not host:port'],
    ['host', 'has no port, as in "host:4161"'],
    ['host:', 'has no port, as in "host:4161"'],
    ['[::1]', 'has no port, as in "[::1]:4161"'],
    ['host/path', 'has no port, as in "host:4161/path"'],
  ])('refuses the address %j: port 80 is meant least of all', (address, words) => {
    expect(() => consumerOf([], { lookupdHttpAddresses: address })).toThrow(words);
  });

  it('gives the name and password of an address, and shows them to nobody else', async () => {
    const lookupd = await fakeLookupd();
    const consumer = consumerOf([], { lookupdHttpAddresses: `http://me:pass@${lookupd.address}` });
    const asked = once(consumer, 'lookup');
    await consumer.connect();
    expect(lookupd.authorizations).toEqual([`Basic ${Buffer.from('me:pass').toString('base64')}`]);
    expect(await asked).toMatchObject([lookupd.address, []]);
    expect(() => consumerOf([], { lookupdHttpAddresses: 'ftp://me:pass@host:1' })).toThrow(
      'lookupd address "ftp://host:1" is not',
    );
  });

  it('a lookupd that can be watched is asked to say when something changes', async () => {
    const [first, later] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd();
    let announce: () => void = () => undefined;
    lookupd.answer = (response, query) => {
      if (query.get('index') === null)
        return void response.end(JSON.stringify({ ...lookupBody([first.address]), index: 5 }));
      announce = () => {
        lookupd.answer = undefined;
        response.end(JSON.stringify({ ...lookupBody([first.address, later.address]), index: 6 }));
      };
    };
    const consumer = finding([lookupd]);
    await consumer.connect();
    await lookupd.asked(2);
    expect(lookupd.queries[1]?.get('index')).toBe('5');
    expect(lookupd.queries[1]?.get('wait')).toMatch(/^\d+ms$/);
    announce();
    await later.peer();
    await lookupd.asked(3);
    expect(lookupd.queries[2]?.get('index')).toBe('6');
    expect(first.peers).toHaveLength(1);
  });

  it('one that cannot be watched is polled', async () => {
    const [first, later] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd([first.address]);
    const consumer = finding([lookupd], { lookupdPollInterval: 10 });
    await consumer.connect();
    lookupd.lists([first.address, later.address]);
    await later.peer();
    expect(lookupd.queries.every((query) => query.get('index') === null)).toBe(true);
  });

  it('polls no more often than it is told', async () => {
    const lookupd = await fakeLookupd();
    const consumer = finding([lookupd], { lookupdPollInterval: 40, lookupdPollJitter: 0.5 });
    const times: number[] = [];
    consumer.on('lookup', () => times.push(performance.now()));
    await consumer.connect();
    await lookupd.asked(5);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(18);
  });

  it('asks at once when a connection is lost', async () => {
    const [first, later] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd([first.address]);
    const consumer = finding([lookupd], { lookupdPollInterval: 300_000 });
    await consumer.connect();
    lookupd.lists([later.address]);
    await first.stop();
    await later.peer();
  });

  it('a broker that is lost and listed no more is not connected to again: its topic may have been deleted (#343)', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd([nsqd.address]);
    const consumer = finding([lookupd], { reconnectDelay: 1000, maxReconnectDelay: 1000 });
    await consumer.connect();
    const events = eventsOf(consumer);
    lookupd.lists([]);
    (await nsqd.peer()).cut();
    await once(consumer, 'disconnect');
    await once(consumer, 'lookup');
    expect(events).toEqual([`disconnect ${nsqd.address}`, `retry ${nsqd.address}`]);
    // Listed again, it is another broker: it is connected to at once, and not after the old one's delay.
    lookupd.lists([nsqd.address]);
    await nsqd.peer();
  });

  it('nor is one that is listed no more while it waits for its next attempt (#343)', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd([nsqd.address]);
    const consumer = finding([lookupd], {
      reconnectDelay: 100,
      maxReconnectDelay: 100,
      lookupdPollInterval: 10,
    });
    await consumer.connect();
    lookupd.lists([]);
    (await nsqd.peer()).cut();
    await once(consumer, 'disconnect');
    await lookupd.asked(lookupd.queries.length + 25);
    expect(nsqd.peers).toHaveLength(1);
  });

  it('a broker that is listed no more is kept while it is connected', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd([nsqd.address]);
    const consumer = finding([lookupd], { lookupdPollInterval: 10 });
    await consumer.connect();
    lookupd.lists([]);
    await lookupd.asked(4);
    const peer = await nsqd.peer();
    peer.message([1, 'still here']);
    expect((await take(consumer, 1)).map((message) => message.text())).toEqual(['still here']);
  });

  it('goes on with what it knows when every lookupd is gone', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd([nsqd.address]);
    const consumer = finding([lookupd], { lookupdPollInterval: 10 });
    await consumer.connect();
    lookupd.stop();
    await once(consumer, 'lookupFailed');
    (await nsqd.peer()).cut();
    await (await nsqd.peer()).next('RDY');
  });

  it('shares what may be in flight with brokers that are found later', async () => {
    const [first, later] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd([first.address]);
    const consumer = finding([lookupd], { lookupdPollInterval: 10, outputBufferTimeout: 1 });
    await consumer.connect();
    const peer = await first.peer();
    await peer.until(() => peer.rdy === 10);
    lookupd.lists([first.address, later.address]);
    const second = await later.peer();
    await Promise.all([peer.until(() => peer.rdy === 5), second.until(() => second.rdy === 5)]);
  });

  it('asks over HTTPS, trusting whom it is to trust for brokers', async () => {
    const { ca, server } = await certificates();
    const nsqd = await fakeNsqd();
    const asked: (string | undefined)[] = [];
    const lookupd = createServer(server, (request, response) => {
      asked.push(request.url);
      response.end(JSON.stringify(lookupBody([nsqd.address])));
    });
    await once(lookupd.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      lookupd.close();
      lookupd.closeAllConnections();
    });
    const address = `https://localhost:${(lookupd.address() as AddressInfo).port}`;
    // The fake nsqd does no TLS: the attempt at it says that it was found.
    const consumer = consumerOf([], { lookupdHttpAddresses: address, tls: { ca } });
    const retried = once(consumer, 'retry');
    await consumer.connect();
    expect(asked[0]).toMatch(/^\/lookup\?topic=topic&/);
    expect((await retried).slice(0, 2)).toEqual([nsqd.address, expect.objectContaining({ code: 'E_TLS' })]);
    const stranger = consumerOf([], { lookupdHttpAddresses: address });
    expect(await failure(stranger.connect())).toMatchObject({
      code: 'E_LOOKUP',
      message: expect.stringMatching(/certificate/),
    });
  });

  it('asks nobody any more once it is closed', async () => {
    const lookupd = await fakeLookupd([], 1);
    const consumer = finding([lookupd]);
    await consumer.connect();
    lookupd.answer = undefined;
    await lookupd.asked(2);
    await consumer.close();
    expect(await failure(consumer.connect())).toMatchObject({ code: 'E_CLOSED' });
    const events = eventsOf(consumer);
    lookupd.stop();
    await until(() => true);
    expect(events).toEqual([]);
  });
});
