import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { consumerOf, failure, producerTo } from './support/clients.js';
import { fakeNsqd, silent } from './support/fake-nsqd.js';

describe('localAddress', () => {
  it('is where connections come from, also to localhost', async () => {
    const nsqd = await fakeNsqd();
    for (const host of ['127.0.0.1', 'localhost']) {
      await consumerOf(`${host}:${nsqd.port}`, { localAddress: '127.0.0.2' }).connect();
      expect((await nsqd.peer()).socket.remoteAddress).toBe('127.0.0.2');
    }
  });

  it('fails where it is none of this machine', async () => {
    const nsqd = await fakeNsqd();
    const consumer = consumerOf(nsqd.address, { localAddress: '192.0.2.1' });
    expect(await failure(consumer.connect())).toMatchObject({
      code: 'E_CONNECT',
      cause: { code: 'EADDRNOTAVAIL' },
    });
  });
});

describe('connectTimeout', () => {
  it('of 0 is none of ours', async () => {
    const nsqd = await fakeNsqd();
    await consumerOf(nsqd.address, { connectTimeout: 0 }).connect();
    expect(nsqd.peers).toHaveLength(1);
  });
});

describe('writeTimeout', () => {
  it('ends a connection whose broker takes nothing any more', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address, { writeTimeout: 100 });
    await producer.connect();
    const peer = await nsqd.peer();
    peer.socket.pause();
    const lost = once(producer, 'disconnect');
    const publish = failure(producer.publish('t', Buffer.alloc(15 * 1024 * 1024)));
    const [, error] = await lost;
    expect(error).toMatchObject({
      code: 'E_CONNECTION_LOST',
      message: expect.stringContaining('took nothing for 100 ms'),
    });
    expect(await publish).toMatchObject({ code: 'E_CONNECTION_LOST', mayHaveArrived: true });
  });
});

describe('readTimeout', () => {
  it('is how long a broker may be silent', async () => {
    const nsqd = await fakeNsqd();
    const consumer = consumerOf(nsqd.address, { heartbeatInterval: 100, readTimeout: 300 });
    await consumer.connect();
    const [, error] = await once(consumer, 'disconnect');
    expect(error).toMatchObject({ code: 'E_DEAD_PEER', message: expect.stringContaining('300 ms') });
  });
});
