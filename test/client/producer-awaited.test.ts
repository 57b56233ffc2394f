import { describe, expect, it } from 'vitest';
import { failure, producerTo } from './support/clients.js';
import { type FakePeer, fakeNsqd, messagesOf } from './support/fake-nsqd.js';

/** What a fake nsqd was sent, in order, MPUBs as lists. */
function published(peer: FakePeer): (string | string[])[] {
  return peer.commands
    .filter(({ name }) => name !== 'IDENTIFY')
    .map((command) => (command.name === 'MPUB' ? messagesOf(command) : command.body.toString()));
}

describe('Producer: calls that follow an outcome', () => {
  it('go to each broker in turn, and all to the other one when one is lost', async () => {
    const nsqds = [await fakeNsqd(), await fakeNsqd()];
    const producer = producerTo(
      nsqds.map(({ address }) => address),
      { reconnectDelay: 3_600_000, maxReconnectDelay: 3_600_000 },
    );
    const connected: string[] = [];
    producer.on('connect', (address) => connected.push(address));
    await producer.connect();
    const [a, b] = await Promise.all(nsqds.map((nsqd) => nsqd.peer()));
    while (connected.length < 2) await new Promise(setImmediate);
    for (let n = 0; n < 20; n++) await producer.publish('t', `${n}`);
    expect([a?.count('PUB'), b?.count('PUB')]).toEqual([10, 10]);
    a?.cut();
    await new Promise((resolve) => producer.once('disconnect', resolve));
    for (let n = 0; n < 5; n++) await producer.publish('t', `${n}`);
    expect([a?.count('PUB'), b?.count('PUB')]).toEqual([10, 15]);
  });

  it('leave timers and other callbacks their turn', async () => {
    const producer = producerTo((await fakeNsqd()).address);
    await producer.publish('t', 'first');
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    count();
    for (let n = 0; n < 200; n++) await producer.publish('t', `${n}`);
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(200);
  });

  it('leave them their turn also when each is refused without asking a broker', async () => {
    const producer = producerTo((await fakeNsqd({ identify: { max_msg_size: 10 } })).address);
    await producer.publish('t', 'first');
    let isOver = false;
    setTimeout(() => (isOver = true), 5);
    let refused = 0;
    while (!isOver) {
      await failure(producer.publish('t', 'x'.repeat(11)));
      refused++;
    }
    expect(refused).toBeGreaterThan(0);
  });

  it('keep their order with what the same continuation publishes, of any kind, joined or not', async () => {
    for (const autoBatch of [true, false]) {
      const nsqd = await fakeNsqd();
      const producer = producerTo(nsqd.address, { autoBatch });
      await producer.publish('t', '0');
      const large = 'x'.repeat(20_000);
      await Promise.all([
        producer.publish('t', '1'),
        producer.publish('t', '2'),
        producer.publish('t', large),
        producer.publish('u', 'other'),
        producer.publish('t', '3'),
        producer.publishBatch('t', ['4', '5']),
        producer.publish('t', '6'),
      ]);
      const peer = await nsqd.peer();
      const joined = autoBatch ? [['1', '2']] : ['1', '2'];
      expect(published(peer)).toEqual(['0', ...joined, large, 'other', '3', ['4', '5'], '6']);
      await producer.publish('t', 'last');
      expect(peer.chunks.length).toBeLessThanOrEqual(6);
    }
  });

  it('are not sent when they are given up in the same breath', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    await producer.publish('t', 'first');
    const abort = new AbortController();
    const aborted = failure(producer.publish('t', 'aborted', { signal: abort.signal }));
    const kept = producer.publish('t', 'kept');
    abort.abort();
    expect(await aborted).toMatchObject({ code: 'E_ABORTED', mayHaveArrived: false });
    await kept;
    expect(published(await nsqd.peer())).toEqual(['first', 'kept']);
  });

  it('still go out when the producer is closed in the same breath', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    await producer.publish('t', 'first');
    const last = producer.publish('t', 'last');
    const closed = producer.close();
    await Promise.all([last, closed]);
    expect(published(await nsqd.peer())).toEqual(['first', 'last']);
  });

  it('may be made by a listener', async () => {
    const nsqds = [await fakeNsqd(), await fakeNsqd()];
    const producer = producerTo(nsqds.map(({ address }) => address));
    const calls: Promise<void>[] = [];
    producer.on('connect', () => calls.push(producer.publish('t', 'connected')));
    producer.once('disconnect', () => calls.push(producer.publish('t', 'disconnected')));
    await producer.publish('t', 'first');
    const peer = await nsqds[0]?.peer();
    peer?.cut();
    await new Promise((resolve) => producer.once('disconnect', resolve));
    await Promise.all(calls);
    expect(calls.length).toBeGreaterThanOrEqual(2);
  });

  it('may change their bytes once it has returned', async () => {
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    for (const size of [5, 20_000, 300_000]) {
      const body = Buffer.alloc(size, 'a');
      const calls = [
        producer.publish('t', body),
        producer.publishBatch('t', [body]),
        producer.publishDeferred('t', body, 1),
      ];
      body.fill('b');
      await Promise.all(calls);
    }
    const peer = await nsqd.peer();
    expect(peer.commands.slice(1).some(({ body }) => body.includes('b'))).toBe(false);
  });
});
