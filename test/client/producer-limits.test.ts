import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type BrokerOptions, startBroker } from '../../src/broker/index.js';
import { encodeFrame, FrameType } from '../../src/protocol/frame.js';
import { failure, producerTo } from './support/clients.js';
import { fakeNsqd, messagesOf, silent } from './support/fake-nsqd.js';
import { standStill } from './support/script.js';

async function broker(options: BrokerOptions): Promise<string> {
  const started = await startBroker({ httpAddress: '', ...options });
  onTestFinished(() => started.close());
  return started.tcpAddress;
}

describe('Producer: sizes a broker does not take', () => {
  it('learns the limit from the first refusal and spares the connection further ones', async () => {
    const producer = producerTo(await broker({ maxMsgSize: 100 }));
    let lost = 0;
    producer.on('disconnect', () => lost++);
    const delays: number[] = [];
    producer.on('retry', (_address, _error, delay) => delays.push(delay));
    const big = 'x'.repeat(101);
    expect(await failure(producer.publish('t', big))).toMatchObject({
      code: 'E_BAD_MESSAGE',
      mayHaveArrived: false,
    });
    const calls = [producer.publish('t', 'fits'), failure(producer.publish('t', big))];
    const [, refused] = await Promise.all([...calls, producer.publish('t', 'x'.repeat(100))]);
    expect(refused).toMatchObject({ code: 'E_BAD_MESSAGE', mayHaveArrived: false });
    expect((refused as Error).message).toMatch(/101 bytes, but the broker takes 100 \(--max-msg-size\)/);
    expect(await failure(producer.publishDeferred('t', big, 10))).toMatchObject({ code: 'E_BAD_MESSAGE' });
    expect(await failure(producer.publishBatch('t', ['a', big, 'b']))).toMatchObject({
      code: 'E_BAD_MESSAGE',
    });
    await producer.publishBatch('t', ['x'.repeat(100), 'y'.repeat(100)]);
    expect([lost, delays]).toEqual([1, [0]]);
  });

  it('sends no more than the beginning of a very large message to a broker that may refuse it', async () => {
    let received = 0;
    const refuses = (socket: Socket): void => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1', 0, 4) === '  V2') {
          socket.write(encodeFrame(FrameType.Response, '{}'));
        } else {
          received += chunk.length;
          socket.end(encodeFrame(FrameType.Error, 'E_BAD_MESSAGE PUB message too big 2000000 > 1048576'));
        }
      });
    };
    const server = createServer(refuses).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const producer = producerTo(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    const body = Buffer.alloc(2_000_000);
    expect(await failure(producer.publish('t', body))).toMatchObject({
      code: 'E_BAD_MESSAGE',
      mayHaveArrived: false,
      message: expect.stringContaining('too big'),
    });
    expect(received).toBeLessThanOrEqual(256);
  });

  it('sends the rest of it when there is no objection, nothing in between, and the next one at once', async () => {
    standStill();
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const body = Buffer.alloc(2_000_000, 'x');
    await producer.connect();
    const peer = await nsqd.peer();
    const calls = [producer.publish('t', body), producer.publish('t', 'after')];
    while (peer.chunks.at(-1) !== 256) await new Promise(setImmediate);
    peer.heartbeat();
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([peer.chunks.at(-1), peer.count('NOP')]).toEqual([256, 0]);
    vi.advanceTimersByTime(1000);
    await Promise.all(calls);
    expect(peer.commands.slice(1).map(({ name, body }) => [name, body.length])).toEqual([
      ['PUB', body.length],
      ['NOP', 0],
      ['PUB', 5],
    ]);
    await producer.publish('t', body);
  });

  it('publishes it again when the connection is lost before the rest was sent: it has not arrived', async () => {
    standStill();
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const body = Buffer.alloc(2_000_000, 'x');
    await producer.connect();
    const first = await nsqd.peer();
    const calls = [producer.publish('t', body), producer.publish('t', 'after')];
    while (first.chunks.at(-1) !== 256) await new Promise(setImmediate);
    first.cut();
    vi.useRealTimers();
    await Promise.all(calls);
    expect(first.count('PUB')).toBe(0);
    const second = await nsqd.peer();
    const published = second.commands.filter(({ name }) => name === 'PUB');
    expect(published.map(({ body: { length } }) => length)).toEqual([body.length, 5]);
  });

  it('sends the rest of what was aborted meanwhile, and at once when the producer is closed', async () => {
    standStill();
    const nsqd = await fakeNsqd();
    const producer = producerTo(nsqd.address);
    const body = Buffer.alloc(2_000_000, 'x');
    await producer.connect();
    const peer = await nsqd.peer();
    const abort = new AbortController();
    const aborted = failure(producer.publish('t', body, { signal: abort.signal }));
    while (peer.chunks.at(-1) !== 256) await new Promise(setImmediate);
    abort.abort();
    expect(await aborted).toMatchObject({ code: 'E_ABORTED', mayHaveArrived: true });
    const closed = producer.close();
    await peer.until(() => peer.count('PUB') === 1);
    expect(peer.commands.at(-1)?.body.length).toBe(body.length);
    vi.useRealTimers();
    await closed;
  });

  it('says that a batch is too large', async () => {
    const producer = producerTo(await broker({ maxMsgSize: 300, maxBodySize: 1000 }));
    const bodies = Array.from({ length: 5 }, () => 'x'.repeat(200));
    expect(await failure(producer.publishBatch('t', bodies))).toMatchObject({ code: 'E_BAD_BODY' });
    expect(await failure(producer.publishBatch('t', bodies))).toMatchObject({
      code: 'E_BAD_BODY',
      message: expect.stringContaining('batch of 1024 bytes, but the broker takes 1000 (--max-body-size)'),
    });
  });

  it('publishes joined calls one by one where their MPUB would be too large', async () => {
    const producer = producerTo(await broker({ maxMsgSize: 300, maxBodySize: 1000 }));
    let lost = 0;
    producer.on('disconnect', () => lost++);
    for (let n = 0; n < 3; n++) {
      await Promise.all(Array.from({ length: 10 }, () => producer.publish('t', 'x'.repeat(200))));
    }
    expect(lost).toBe(1);
  });

  it('takes the limits of a broker that says them, and forgets them with its connection', async () => {
    const identify = { max_msg_size: 10, max_body_size: 40 };
    const nsqd = await fakeNsqd({ identify });
    const producer = producerTo(nsqd.address);
    expect(await failure(producer.publish('t', 'x'.repeat(11)))).toMatchObject({ code: 'E_BAD_MESSAGE' });
    expect(await failure(producer.publishBatch('t', ['x'.repeat(10), 'y'.repeat(20)]))).toMatchObject({
      code: 'E_BAD_BODY',
    });
    expect(nsqd.peers[0]?.commands).toHaveLength(1);
    await nsqd.stop();
    await fakeNsqd({ port: nsqd.port });
    await producer.publish('t', 'x'.repeat(11));
  });
});

describe('Producer: when it is full', () => {
  it('waits instead of refusing, and hands no more than its bounds to the broker', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent, MPUB: silent } });
    const producer = producerTo(nsqd.address, { maxPending: 4, whenFull: 'wait', autoBatch: false });
    const calls = Array.from({ length: 10 }, (_, n) => producer.publish('t', `${n}`));
    const peer = await nsqd.peer();
    await peer.until(() => peer.count('PUB') === 4);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(peer.count('PUB')).toBe(4);
    peer.respond('OK');
    await peer.until(() => peer.count('PUB') === 5);
    for (let answered = 1; answered < 10; answered++) {
      await peer.until(() => peer.count('PUB') > answered);
      peer.respond('OK');
    }
    await Promise.all(calls);
  });

  it('joins no more calls than its bounds', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent, MPUB: silent } });
    const producer = producerTo(nsqd.address, { maxPending: 4, whenFull: 'wait' });
    const calls = Array.from({ length: 10 }, (_, n) => producer.publish('t', `${n}`));
    const peer = await nsqd.peer();
    for (const sent of [4, 8, 10]) {
      await peer.until(() => peer.commands.slice(1).flatMap(messagesOf).length >= sent);
      expect(peer.commands.slice(1).flatMap(messagesOf)).toHaveLength(sent);
      peer.respond('OK');
    }
    await Promise.all(calls);
  });

  it('bounds what waits too, by its time-out and its signal', async () => {
    const nsqd = await fakeNsqd({ on: { PUB: silent } });
    const producer = producerTo(nsqd.address, { maxPending: 1, whenFull: 'wait', autoBatch: false });
    const first = producer.publish('t', 'first');
    const abort = new AbortController();
    const timedOut = failure(producer.publish('t', 'late', { timeout: 20 }));
    const aborted = failure(producer.publish('t', 'unwanted', { signal: abort.signal }));
    const peer = await nsqd.peer();
    await peer.next('PUB');
    abort.abort();
    expect(await aborted).toMatchObject({ code: 'E_ABORTED', mayHaveArrived: false });
    expect(await timedOut).toMatchObject({ code: 'E_TIMEOUT', mayHaveArrived: false });
    peer.respond('OK');
    await first;
    expect(peer.count('PUB')).toBe(1);
  });

  it('says how much is under way', async () => {
    const nsqd = await fakeNsqd({ on: { MPUB: silent } });
    const producer = producerTo(nsqd.address);
    const calls = [producer.publish('t', 'abc'), producer.publish('t', 'abc')];
    expect([producer.pending, producer.pendingBytes]).toEqual([2, 2 * 'PUB t\n....abc'.length]);
    const peer = await nsqd.peer();
    await peer.next('MPUB');
    peer.respond('OK');
    await Promise.all(calls);
    expect([producer.pending, producer.pendingBytes]).toEqual([0, 0]);
  });
});
