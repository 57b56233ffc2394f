import { describe, expect, it, vi } from 'vitest';
import type { Message } from '../../src/client/message.js';
import { consumerOf, deferred, subscribed, take, until } from './support/clients.js';
import { fakeLookupd } from './support/fake-lookupd.js';
import { fakeNsqd } from './support/fake-nsqd.js';
import { said, settled, standStill } from './support/script.js';

const FAST = { requeueDelay: 0, maxBackoffDuration: 0 };

describe('Consumer: giving up', () => {
  it('finishes what was handed out too often, before any handler, and says so', async () => {
    const { consumer, peer } = await subscribed({ maxAttempts: 2 });
    const handled: string[] = [];
    const givenUp: string[] = [];
    consumer.on('giveUp', (message) => givenUp.push(message.text()));
    void consumer.run((message) => handled.push(message.text()));
    peer.message([1, 'once', 1], [2, 'twice', 2], [3, 'thrice', 3]);
    await peer.until(() => peer.count('FIN') === 3);
    expect([handled, givenUp]).toEqual([['once', 'twice'], ['thrice']]);
  });

  it('does so after five by default, and never with 0', async () => {
    const usual = await subscribed();
    usual.peer.message([1, 'five', 5], [2, 'six', 6], [3, 'one', 1]);
    const taken = await take(usual.consumer, 2);
    expect(taken.map((message) => message.text())).toEqual(['five', 'one']);
    await usual.peer.until(() => said(usual.peer).includes('FIN 2'));

    const endless = await subscribed({ maxAttempts: 0 });
    endless.peer.message([1, 'often', 65_535]);
    expect((await take(endless.consumer, 1))[0]?.attempts).toBe(65_535);
  });

  it('also in a loop that waits already', async () => {
    const { consumer, peer } = await subscribed({ maxAttempts: 1 });
    const loop = take(consumer, 1);
    peer.message([1, 'twice', 2], [2, 'once', 1]);
    expect((await loop)[0]?.text()).toBe('once');
    await peer.until(() => said(peer).includes('FIN 1'));
  });

  it('publishes to the dead letter topic first, on the same nsqd', async () => {
    const { nsqd, consumer, peer } = await subscribed({ maxAttempts: 1, deadLetterTopic: 'dead' });
    void consumer.run(() => undefined);
    peer.message([1, 'lost cause', 2]);
    const publisher = await nsqd.peer();
    const publish = await publisher.next('PUB');
    expect([publish.params, publish.body.toString()]).toEqual([['dead'], 'lost cause']);
    await peer.next('FIN');
    await consumer.close();
    await publisher.closed();
  });

  it('publishes it there also when lookupds know of others', async () => {
    const [nsqd, other] = [await fakeNsqd(), await fakeNsqd()];
    const lookupd = await fakeLookupd([nsqd.address]);
    const consumer = consumerOf([], {
      lookupdHttpAddresses: lookupd.address,
      maxAttempts: 1,
      deadLetterTopic: 'dead',
    });
    await consumer.connect();
    const peer = await nsqd.peer();
    void consumer.run(() => undefined);
    lookupd.lists([nsqd.address, other.address]);
    peer.message([1, 'lost cause', 2]);
    await (await nsqd.peer()).next('PUB');
    await peer.next('FIN');
    expect([...lookupd.paths]).toEqual(['/lookup']);
  });

  it('does not finish before the dead letter is in', async () => {
    const { nsqd, consumer, peer } = await subscribed(
      { maxAttempts: 1, deadLetterTopic: 'dead' },
      { on: { PUB: () => undefined } },
    );
    void consumer.run(() => undefined);
    peer.message([1, 'lost cause', 2]);
    const publisher = await nsqd.peer();
    await publisher.next('PUB');
    await settled(peer);
    expect(said(peer)).toEqual(['RDY 10']);
    publisher.respond('OK');
    await peer.next('FIN');
  });

  it('touches what waits for the dead letter to be in, so that it does not come twice', async () => {
    standStill();
    const { nsqd, consumer, peer } = await subscribed(
      { maxAttempts: 1, deadLetterTopic: 'dead', readTimeout: 300_000 },
      { identify: { msg_timeout: 10_000 }, on: { PUB: () => undefined } },
    );
    peer.message([1, 'waits in the client', 2]);
    await settled(peer);
    vi.advanceTimersByTime(8000);
    void consumer.run(() => undefined);
    const publisher = await nsqd.peer();
    await publisher.next('PUB');
    for (let touches = 1; touches <= 4; touches++) {
      await settled(peer);
      expect(peer.count('TOUCH')).toBe(touches);
      vi.advanceTimersByTime(5000);
    }
    publisher.respond('OK');
    await peer.next('FIN');
    vi.advanceTimersByTime(20_000);
    await settled(peer);
    expect(said(peer).slice(-2)).toEqual(['TOUCH 1', 'FIN 1']);
  });

  it('publishes no more to an nsqd that is gone', async () => {
    const { nsqd, consumer, peer } = await subscribed({ maxAttempts: 1, deadLetterTopic: 'dead' });
    void consumer.run(() => undefined);
    peer.message([1, 'lost cause', 2]);
    const publisher = await nsqd.peer();
    await peer.next('FIN');
    await consumer.disconnectFromNsqd(nsqd.address);
    await publisher.closed();
    expect(nsqd.peers).toHaveLength(2);
  });

  it('requeues what the dead letter topic does not take', async () => {
    const { consumer, peer } = await subscribed(
      { ...FAST, maxAttempts: 1, deadLetterTopic: 'dead' },
      { on: { PUB: (other) => other.error('E_BAD_TOPIC no') } },
    );
    const errors: unknown[] = [];
    consumer.on('handlerError', (error) => errors.push(error));
    void consumer.run(() => undefined);
    peer.message([1, 'lost cause', 2]);
    await peer.next('REQ');
    expect(errors).toEqual([expect.objectContaining({ name: 'PublishError', code: 'E_BAD_TOPIC' })]);
    expect(peer.count('FIN')).toBe(0);
  });

  it('calls the hook, waits for it, and answers by its outcome', async () => {
    const gate = deferred();
    const seen: string[] = [];
    const onGiveUp = async (message: Message): Promise<void> => {
      seen.push(message.text());
      if (message.text() === 'waits') await gate.promise;
      if (message.text() === 'fails') throw new Error('no');
      if (message.text() === 'answers') message.requeue({ delay: 7, backoff: false });
    };
    const { consumer, peer } = await subscribed({ ...FAST, maxAttempts: 1, onGiveUp });
    void consumer.run(() => expect.unreachable(), { concurrency: 10 });
    peer.message([1, 'waits', 2], [2, 'fails', 2], [3, 'answers', 2]);
    await peer.until(() => peer.count('REQ') === 2);
    expect(said(peer).slice(1).sort()).toEqual(['REQ 2 0', 'REQ 3 7']);
    gate.resolve();
    await peer.next('FIN');
    expect(seen).toEqual(['waits', 'fails', 'answers']);
  });

  it('runs no more hooks at a time than handlers', async () => {
    const gates: (() => void)[] = [];
    const onGiveUp = (): Promise<void> => new Promise((resolve) => gates.push(resolve));
    const { consumer, peer } = await subscribed({ maxAttempts: 1, onGiveUp });
    void consumer.run(() => undefined, { concurrency: 2 });
    peer.message([1, 'a', 2], [2, 'b', 2], [3, 'c', 2]);
    await until(() => gates.length === 2);
    await settled(peer);
    expect(gates).toHaveLength(2);
    gates[0]?.();
    await until(() => gates.length === 3);
  });

  it('closing waits for it', async () => {
    const gate = deferred();
    const { consumer, peer } = await subscribed({ maxAttempts: 1, onGiveUp: () => gate.promise });
    void consumer.run(() => undefined);
    peer.message([1, 'a', 2]);
    await settled(peer);
    const closed = consumer.close();
    await peer.next('CLS');
    gate.resolve();
    await closed;
    expect(said(peer).at(-1)).toBe('FIN 1');
  });
});
