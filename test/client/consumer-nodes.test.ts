import { describe, expect, it } from 'vitest';
import { deferred, failure, subscribed, take } from './support/clients.js';
import { deadAddress, fakeNsqd } from './support/fake-nsqd.js';
import { said, settled } from './support/script.js';

describe('Consumer: nsqds at run time', () => {
  it('takes one more, which gets its share at once', async () => {
    // Were it to wait until the first must have written what it gathered, it would wait for an hour.
    const { consumer, peer } = await subscribed({ outputBufferTimeout: 3_600_000 });
    const more = await fakeNsqd();
    await consumer.connectToNsqd(more.address);
    const other = await more.peer();
    await Promise.all([peer, other].map((one) => one.until(() => one.rdy === 5)));
    expect(consumer.stats().connections).toBe(2);
    await consumer.connectToNsqd(more.address);
    expect(more.peers).toHaveLength(1);
  });

  it('says so when it is not there, and goes on trying', async () => {
    const { consumer } = await subscribed();
    const address = await deadAddress();
    expect(await failure(consumer.connectToNsqd(address))).toMatchObject({ code: 'E_CONNECT', address });
    const late = await fakeNsqd({ port: Number(address.split(':')[1]) });
    await (await late.peer()).next('RDY');
  });

  it('leaves one in order, whose share goes to the others', async () => {
    const { consumer, peer } = await subscribed({ outputBufferTimeout: 1, maxInFlight: 10 });
    const more = await fakeNsqd();
    await consumer.connectToNsqd(more.address);
    const other = await more.peer();
    await Promise.all([peer, other].map((one) => one.until(() => one.rdy === 5)));
    const started = deferred();
    const gate = deferred();
    void consumer.run(() => {
      started.resolve();
      return gate.promise;
    });
    other.message([1, 'handled'], [2, 'waits']);
    await started.promise;
    const left = consumer.disconnectFromNsqd(more.address);
    await other.next('REQ');
    await settled(other);
    gate.resolve();
    await left;
    await other.closed();
    expect(said(other).slice(-4)).toEqual(['RDY 0', 'CLS', 'REQ 2 0', 'FIN 1']);
    await peer.until(() => peer.rdy === 10);
    expect(consumer.stats()).toMatchObject({ connections: 1, messagesInFlight: 0 });
  });

  it('waits no longer than it is told', async () => {
    const { nsqd, consumer, peer } = await subscribed();
    peer.message([1, 'held']);
    await take(consumer, 1);
    await consumer.disconnectFromNsqd(nsqd.address, { timeout: 10 });
    await peer.closed();
    expect(nsqd.peers).toHaveLength(1);
  });

  it('refuses to leave what it does not consume from, and to come when closed', async () => {
    const { consumer } = await subscribed();
    expect(await failure(consumer.disconnectFromNsqd('127.0.0.1:1'))).toMatchObject({
      name: 'ConnectionError',
      code: 'E_NOT_CONNECTED',
    });
    expect(await failure(consumer.disconnectFromNsqd('nowhere'))).toMatchObject({ code: 'E_OPTION' });
    await consumer.close();
    expect(await failure(consumer.connectToNsqd('127.0.0.1:1'))).toMatchObject({ code: 'E_CLOSED' });
  });
});

describe('Consumer: max-in-flight at run time', () => {
  it('changes what is asked for', async () => {
    const { consumer, peer } = await subscribed();
    await peer.until(() => peer.rdy === 10);
    consumer.changeMaxInFlight(3);
    await peer.until(() => peer.rdy === 3);
    consumer.changeMaxInFlight(0);
    await peer.until(() => peer.rdy === 0);
    consumer.changeMaxInFlight(100);
    await peer.until(() => peer.rdy === 100);
    expect(consumer.maxInFlight).toBe(100);
    expect(() => consumer.changeMaxInFlight(-1)).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
  });
});

describe('Consumer: stats', () => {
  it('count messages, and say when a connection is starved', async () => {
    const { consumer, peer } = await subscribed({ maxInFlight: 3, maxBackoffDuration: 0 });
    expect(consumer.isStarved).toBe(false);
    peer.message([1, 'a'], [2, 'b'], [3, 'c']);
    const [a, b] = await take(consumer, 3);
    expect(consumer.isStarved).toBe(true);
    a?.finish();
    b?.requeue();
    b?.finish();
    expect(consumer.stats()).toEqual({
      messagesReceived: 3,
      messagesFinished: 1,
      messagesRequeued: 1,
      messagesInFlight: 1,
      connections: 1,
      backoffLevel: 0,
    });
    expect(consumer.isStarved).toBe(false);
  });
});
