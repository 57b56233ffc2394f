import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { consumerOf, deferred, failure, subscribed, take } from './support/clients.js';
import { deadAddress, fakeNsqd, messageId, silent } from './support/fake-nsqd.js';
import { settled, standStill } from './support/script.js';

describe('Consumer: close', () => {
  it('asks for no more, gives back what waits, and waits for the handlers last answer', async () => {
    const { consumer, peer } = await subscribed();
    const started = deferred();
    const gate = deferred();
    const run = consumer.run(async () => {
      started.resolve();
      await gate.promise;
    });
    peer.message([1, 'handled'], [2, 'waiting']);
    await started.promise;
    let isClosed = false;
    const closed = consumer.close().then(() => {
      isClosed = true;
    });
    await peer.next('REQ');
    peer.message([3, 'crossing']);
    await peer.next('REQ');
    expect(isClosed).toBe(false);
    gate.resolve();
    await closed;
    await run;
    await peer.closed();
    expect(peer.commands.slice(3).map((one) => [one.name, ...one.params])).toEqual([
      ['RDY', '0'],
      ['CLS'],
      ['REQ', messageId(2), '0'],
      ['REQ', messageId(3), '0'],
      ['FIN', messageId(1)],
    ]);
  });

  it('`rest: handled`: also handles what waits, and what comes before the broker agrees', async () => {
    const nsqd = await fakeNsqd({
      on: {
        CLS: (peer) => {
          peer.message([2, 'gathered'], [3, 'gathered']);
          peer.respond('CLOSE_WAIT');
        },
      },
    });
    const consumer = consumerOf(nsqd.address, { maxInFlight: 10 });
    await consumer.connect();
    const peer = await nsqd.peer();
    const handled: string[] = [];
    const run = consumer.run(async (message) => {
      handled.push(message.id);
      await new Promise(setImmediate);
    });
    peer.message([1, 'first']);
    await peer.next('FIN');
    await consumer.close({ rest: 'handled' });
    await run;
    await peer.closed();
    expect(handled).toEqual([1, 2, 3].map(messageId));
    expect([peer.count('FIN'), peer.count('REQ')]).toEqual([3, 0]);
  });

  it('`rest: handled`: gives back what nobody has taken by the end of the time-out', async () => {
    const { consumer, peer } = await subscribed();
    peer.message([1, 'waiting']);
    while (consumer.stats().messagesInFlight === 0) await new Promise(setImmediate);
    await consumer.close({ rest: 'handled', timeout: 20 });
    await peer.closed();
    expect(peer.commands.at(-1)).toMatchObject({ name: 'REQ', params: [messageId(1), '0'] });
  });

  it('`rest: handled`: leaves a handler that never ends, and gives back what waits for it', async () => {
    const { consumer, peer } = await subscribed();
    void consumer.run(() => new Promise(() => undefined));
    peer.message([1, 'stuck'], [2, 'waiting']);
    while (consumer.stats().messagesInFlight < 2) await new Promise(setImmediate);
    await consumer.close({ rest: 'handled', timeout: 20 });
    await peer.closed();
    expect(peer.count('FIN')).toBe(0);
    expect(peer.commands.at(-1)).toMatchObject({ name: 'REQ', params: [messageId(2), '0'] });
  });

  it('`rest: handled`: handles what waits during a backoff, too, failures included', async () => {
    const { consumer, peer } = await subscribed({ requeueDelay: 0 });
    void consumer.run(async (message) => {
      await new Promise(setImmediate);
      if (message.text() === 'bad') throw new Error('bad');
    });
    peer.message([1, 'bad'], [2, 'good'], [3, 'bad']);
    await peer.next('REQ');
    expect(consumer.stats().backoffLevel).toBe(1);
    await consumer.close({ rest: 'handled' });
    await peer.closed();
    expect([peer.count('FIN'), peer.count('REQ')]).toEqual([1, 2]);
  });

  it('is begun once: later calls wait for the first; wrong options are refused and close nothing', async () => {
    const { consumer, peer } = await subscribed();
    const wrong = { rest: 'handeled' } as unknown as { rest: 'handled' };
    expect(await failure(consumer.close(wrong))).toMatchObject({ code: 'E_OPTION' });
    peer.message([1, 'held']);
    const [held] = await take(consumer, 1);
    const first = consumer.close();
    let isOver = false;
    const second = consumer.close({ timeout: 0 }).then(() => {
      isOver = true;
    });
    expect(await failure(consumer.close({ timeout: -1 }))).toMatchObject({ code: 'E_OPTION' });
    await peer.next('CLS');
    await settled(peer);
    expect(isOver).toBe(false);
    held?.finish();
    await Promise.all([first, second]);
  });

  it('also ends the connection to a broker that is being left, within its own time-out', async () => {
    const { consumer, peer, nsqd } = await subscribed();
    peer.message([1, 'held']);
    await take(consumer, 1);
    const left = consumer.disconnectFromNsqd(nsqd.address);
    await peer.next('CLS');
    await consumer.close({ timeout: 20 });
    await peer.closed();
    await left;
    expect(peer.count('CLS')).toBe(1);
  });

  it('ends loops, and runs begun later', async () => {
    const { consumer } = await subscribed();
    const loop = take(consumer, 1);
    const closes = once(consumer, 'close');
    await consumer.close();
    await closes;
    expect(await loop).toEqual([]);
    await consumer.run(() => undefined);
    expect(await take(consumer, 1)).toEqual([]);
    expect(await failure(consumer.connect())).toMatchObject({ code: 'E_CLOSED' });
  });

  it('waits no longer than it is told', async () => {
    const { consumer, peer } = await subscribed();
    peer.message([1, 'held']);
    const [held] = await take(consumer, 1);
    await consumer.close({ timeout: 20 });
    await peer.closed();
    held?.finish();
    held?.requeue();
    held?.touch();
  });

  it('waits not at all for a broker that is gone, or never came', async () => {
    const { consumer, peer, nsqd } = await subscribed();
    peer.message([1, 'held']);
    await take(consumer, 1);
    await nsqd.stop();
    await consumer.close();
    const lost = consumerOf(await deadAddress());
    const attempt = failure(lost.connect());
    await lost.close();
    expect(await attempt).toMatchObject({ code: expect.stringMatching(/^E_(CLOSED|CONNECT)$/) });
  });

  it('waits a second for a broker that does not answer CLS, and ends', async () => {
    standStill();
    const { consumer, peer } = await subscribed({}, { on: { CLS: silent } });
    peer.message([1, 'held']);
    const [held] = await take(consumer, 1);
    let isClosed = false;
    const closed = consumer.close().then(() => {
      isClosed = true;
    });
    await peer.next('CLS');
    vi.advanceTimersByTime(10_000);
    await settled(peer);
    held?.finish();
    await peer.next('FIN');
    vi.advanceTimersByTime(999);
    await settled(peer);
    expect(isClosed).toBe(false);
    vi.advanceTimersByTime(1);
    await closed;
    await peer.closed();
  });

  it('does so at the end of an `await using` block', async () => {
    const nsqd = await fakeNsqd();
    {
      await using consumer = consumerOf(nsqd.address);
      await consumer.connect();
    }
    const peer = await nsqd.peer();
    await peer.closed();
    expect(peer.count('CLS')).toBe(1);
  });
});
