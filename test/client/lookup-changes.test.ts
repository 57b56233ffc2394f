import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { consumerOf, failure, producerTo } from './support/clients.js';
import { fakeLookupd } from './support/fake-lookupd.js';
import { deadAddress, fakeNsqd } from './support/fake-nsqd.js';

const POLLING = { lookupdPollInterval: 10, lookupdPollJitter: 0 };

describe('Consumer: lookupds at run time', () => {
  it('takes one more, and what it lists; each once', async () => {
    const [first, later] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const known = await fakeLookupd([first.address]);
    const more = await fakeLookupd([first.address, later.address]);
    const consumer = consumerOf([], { lookupdHttpAddresses: known.address, maxInFlight: 10 });
    await consumer.connect();
    await consumer.connectToLookupd(more.address);
    expect(consumer.stats().connections).toBe(2);
    expect([...more.paths]).toEqual(['/lookup']);
    expect(more.queries[0]?.get('topic')).toBe('topic');
    await consumer.connectToLookupd(`http://${more.address}`);
    await consumer.connectToLookupd(known.address);
    expect([first.peers.length, later.peers.length]).toEqual([1, 1]);
  });

  it('may be the first one, besides nsqds that are named', async () => {
    const [named, found] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const lookupd = await fakeLookupd([found.address]);
    const consumer = consumerOf(named.address);
    await consumer.connectToLookupd(lookupd.address);
    expect([named.peers.length, found.peers.length]).toEqual([0, 1]);
    await consumer.connect();
    expect([named.peers.length, found.peers.length]).toEqual([1, 1]);
  });

  it('says so when one does not answer, and goes on asking', async () => {
    const nsqd = await fakeNsqd();
    const address = await deadAddress();
    const consumer = consumerOf((await fakeNsqd()).address, POLLING);
    await consumer.connect();
    expect(await failure(consumer.connectToLookupd(address))).toMatchObject({
      name: 'LookupError',
      code: 'E_LOOKUP',
      address,
    });
    const lookupd = await fakeLookupd([nsqd.address], undefined, Number(address.split(':')[1]));
    await (await nsqd.peer()).next('SUB');
    expect(lookupd.queries.length).toBeGreaterThan(0);
  });

  it('asks one no more that it is told to leave, and keeps its nsqds while they are connected', async () => {
    const [kept, dropped] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const stays = await fakeLookupd([kept.address]);
    const leaves = await fakeLookupd([dropped.address, await deadAddress()]);
    const consumer = consumerOf([], {
      lookupdHttpAddresses: [stays.address, leaves.address],
      ...POLLING,
    });
    await consumer.connect();
    await Promise.all([kept, dropped].map(async (nsqd) => (await nsqd.peer()).next('SUB')));
    consumer.disconnectFromLookupd(leaves.address);
    const asked = leaves.queries.length;
    await stays.asked(stays.queries.length + 5);
    expect(leaves.queries.length).toBeLessThanOrEqual(asked + 1);
    expect(consumer.stats().connections).toBe(2);
    const retries: string[] = [];
    consumer.on('retry', (address) => retries.push(address));
    dropped.peers[0]?.cut();
    await once(consumer, 'disconnect');
    await stays.asked(stays.queries.length + 5);
    expect([kept.peers.length, dropped.peers.length]).toEqual([1, 1]);
    expect(retries).toEqual([]);
    await consumer.connectToLookupd(leaves.address);
    expect(dropped.peers).toHaveLength(2);
  });

  it('knows one by any spelling', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd([nsqd.address], 1);
    const port = lookupd.address.split(':')[1];
    const spellings = [`:${port}`, `HTTP://127.0.0.1:${port}/`, `127.0.0.1:${port}/lookup`];
    const consumer = consumerOf([], { lookupdHttpAddresses: lookupd.address });
    await Promise.all(spellings.map((spelling) => consumer.connectToLookupd(spelling)));
    expect(lookupd.queries.filter((query) => !query.has('index'))).toHaveLength(1);
    consumer.disconnectFromLookupd(spellings[1] ?? '');
    expect(() => consumer.disconnectFromLookupd(lookupd.address)).toThrow('is not asked');
  });

  it('can be left, or all closed, while one is asked', async () => {
    const lookupd = await fakeLookupd();
    lookupd.answer = undefined;
    const consumer = consumerOf((await fakeNsqd()).address);
    const left = failure(consumer.connectToLookupd(lookupd.address));
    await lookupd.asked(1);
    consumer.disconnectFromLookupd(lookupd.address);
    expect(await left).toMatchObject({ name: 'LookupError', code: 'E_CLOSED' });
    const closed = failure(consumer.connectToLookupd(lookupd.address));
    await lookupd.asked(2);
    await consumer.close();
    expect(await closed).toMatchObject({ name: 'LookupError', code: 'E_CLOSED' });
    consumer.disconnectFromLookupd(lookupd.address);
  });

  it('can be left by a listener to its answer', async () => {
    const nsqd = await fakeNsqd();
    const lookupd = await fakeLookupd([nsqd.address]);
    const consumer = consumerOf((await fakeNsqd()).address, POLLING);
    consumer.once('lookup', () => consumer.disconnectFromLookupd(lookupd.address));
    expect(await failure(consumer.connectToLookupd(lookupd.address))).toMatchObject({ code: 'E_CLOSED' });
    await consumer.connect();
    expect(lookupd.queries).toHaveLength(1);
  });

  it('refuses what it cannot do', async () => {
    const lookupd = await fakeLookupd();
    const consumer = consumerOf([], { lookupdHttpAddresses: lookupd.address });
    expect(() => consumer.disconnectFromLookupd('127.0.0.1:1')).toThrow(
      expect.objectContaining({ name: 'LookupError', code: 'E_NOT_CONNECTED', address: '127.0.0.1:1' }),
    );
    expect(() => consumer.disconnectFromLookupd('ftp://a')).toThrow(
      expect.objectContaining({ code: 'E_OPTION' }),
    );
    expect(await failure(consumer.connectToLookupd(' '))).toMatchObject({ code: 'E_OPTION' });
    await consumer.close();
    expect(await failure(consumer.connectToLookupd(lookupd.address))).toMatchObject({ code: 'E_CLOSED' });
  });
});

describe('Producer: lookupds at run time', () => {
  it('publishes to what one more lists, and no more to what one that it left had listed', async () => {
    const [first, later] = await Promise.all([fakeNsqd(), fakeNsqd()]);
    const old = await fakeLookupd([first.address]);
    const successor = await fakeLookupd([later.address]);
    const producer = producerTo(undefined, { lookupdHttpAddresses: old.address, ...POLLING });
    await producer.publish('topic', 'one');
    await producer.connectToLookupd(successor.address);
    producer.disconnectFromLookupd(old.address);
    await later.peer();
    await producer.connect();
    while (later.peers[0]?.count('PUB') !== 2) await producer.publish('topic', 'more');
    const toFirst = first.peers[0]?.count('PUB');
    await producer.publish('topic', 'last');
    expect(first.peers[0]?.count('PUB')).toBe(toFirst);
    expect([...successor.paths]).toEqual(['/nodes']);
  });

  it('refuses what it cannot do', async () => {
    const producer = producerTo((await fakeNsqd()).address);
    expect(() => producer.disconnectFromLookupd('127.0.0.1:1')).toThrow(
      expect.objectContaining({ code: 'E_NOT_CONNECTED' }),
    );
    expect(await failure(producer.connectToLookupd(await deadAddress()))).toMatchObject({ code: 'E_LOOKUP' });
    await producer.close();
    expect(await failure(producer.connectToLookupd('127.0.0.1:1'))).toMatchObject({ code: 'E_CLOSED' });
  });
});
