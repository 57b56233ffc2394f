import net from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Consumer, type ConsumerOptions, Producer, type ProducerOptions } from '../../src/client/index.js';
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../../src/testing/index.js';
import { failure } from '../client/support/clients.js';

async function started(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = await createTestBroker(options);
  onTestFinished(() => broker.close());
  return broker;
}

function producerTo(broker: TestBroker, options: ProducerOptions = {}): Producer {
  const producer = new Producer({ nsqdTcpAddress: broker.tcpAddress, reconnectDelay: 5, ...options });
  onTestFinished(() => producer.close({ timeout: 0 }));
  return producer;
}

function consumerOf(broker: TestBroker, options: Partial<ConsumerOptions> = {}): Consumer {
  const consumer = new Consumer({
    topic: 'orders',
    channel: 'billing',
    nsqdTcpAddresses: broker.tcpAddress,
    reconnectDelay: 5,
    maxInFlight: 50,
    maxBackoffDuration: 0,
    ...options,
  });
  onTestFinished(() => consumer.close({ timeout: 0 }));
  return consumer;
}

describe('TestBroker', () => {
  it('publishes, and says when the channel is drained', async () => {
    const broker = await started();
    const seen: string[] = [];
    const consumer = consumerOf(broker);
    void consumer.run(async (message) => {
      await new Promise(setImmediate);
      seen.push(message.text());
    });
    const bodies = Array.from({ length: 200 }, (_, n) => `${n}`);
    await broker.publishAndDrain('orders', 'billing', bodies);
    expect(seen).toEqual(bodies);
    await broker.publishAndDrain('orders', 'billing', [Buffer.from('one more')]);
    expect(seen).toHaveLength(201);
    expect(await broker.stats('orders', 'billing')).toEqual({
      depth: 0,
      inFlight: 0,
      deferred: 0,
      requeued: 0,
      timedOut: 0,
    });
  });

  it('waits for requeued messages too', async () => {
    const broker = await started();
    const attempts: number[] = [];
    void consumerOf(broker).run((message) => {
      attempts.push(message.attempts);
      if (message.attempts < 3) message.requeue({ delay: 5 });
    });
    await broker.publishAndDrain('orders', 'billing', ['x']);
    expect(attempts).toEqual([1, 2, 3]);
    expect((await broker.stats('orders', 'billing'))?.requeued).toBe(2);
  });

  it('says what is left when a channel is not drained in time, and stops for a signal', async () => {
    const broker = await started();
    expect(String(await failure(broker.drained('orders', 'billing', { timeout: 20 })))).toMatch(
      'waited 20 ms for orders/billing to be drained: there is no such channel',
    );
    void consumerOf(broker, { maxInFlight: 1 }).run(() => new Promise(() => undefined));
    await broker.publish('orders', 'a', 'b');
    expect(String(await failure(broker.drained('orders', 'billing', { timeout: 200 })))).toMatch(
      'depth 1, 1 in flight, 0 deferred',
    );
    const abort = new AbortController();
    const waiting = failure(broker.drained('orders', 'billing', { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
  });

  it('collects what is published, by whomever, without a channel of its own', async () => {
    const broker = await started();
    const producer = producerTo(broker);
    await producer.publish('orders', 'before');
    const collected = broker.collect('orders');
    await broker.publish('orders', 'directly', Buffer.from('too'));
    await producer.publish('elsewhere', 'not here');
    await Promise.all([producer.publish('orders', '{"id":1}'), producer.publish('orders', '2')]);
    await producer.publishDeferred('orders', '3', 60_000);
    const messages = await collected.first(5);
    expect(messages.map((message) => message.text())).toEqual(['directly', 'too', '{"id":1}', '2', '3']);
    expect(messages[2]?.json()).toEqual({ id: 1 });
    expect(await broker.stats('orders', 'billing')).toBeUndefined();
    expect(String(await failure(collected.first(6, { timeout: 10 })))).toMatch(
      '6 messages of orders: 5 were published',
    );
    collected.stop();
    await producer.publish('orders', 'after');
    expect(collected.messages).toHaveLength(5);
  });

  it('lets publishes fail, as many as asked for, of the topic asked for', async () => {
    const broker = await started();
    const producer = producerTo(broker);
    const collected = broker.collect('orders');
    broker.failPublishes(2, { topic: 'orders' });
    await producer.publish('elsewhere', 'fine');
    expect(await failure(producer.publish('orders', '1'))).toMatchObject({
      code: 'E_PUB_FAILED',
      mayHaveArrived: true,
    });
    expect(await failure(producer.publishBatch('orders', ['2']))).toMatchObject({ code: 'E_MPUB_FAILED' });
    await producer.publish('orders', '3');
    broker.failPublishes(1, { code: 'E_BAD_MESSAGE' });
    expect(await failure(producer.publishDeferred('orders', '4', 1))).toMatchObject({
      code: 'E_BAD_MESSAGE',
      mayHaveArrived: false,
    });
    expect(collected.messages.map((message) => message.text())).toEqual(['3']);
  });

  it.each(['before', 'after'] as const)(
    'drops the connection %s the broker has the message',
    async (when) => {
      const broker = await started();
      const producer = producerTo(broker, { autoBatch: false });
      const collected = broker.collect('orders');
      await producer.connect();
      broker.failPublishes(1, { topic: 'lost', disconnect: when });
      const lost = broker.collect('lost');
      const calls = [producer.publish('orders', 'in front'), failure(producer.publish('lost', 'x'))];
      expect(await calls[1]).toMatchObject({ code: 'E_CONNECTION_LOST', mayHaveArrived: true });
      await calls[0];
      expect(lost.messages).toHaveLength(when === 'after' ? 1 : 0);
      expect(collected.messages).toHaveLength(1);
      await producer.publish('lost', 'connected again');
    },
  );

  it('lets finishes fail: the message comes again', async () => {
    const broker = await started({ msgTimeout: 50 });
    const seen: string[] = [];
    const consumer = consumerOf(broker);
    const refused = new Promise<{ code: string }>((resolve) => consumer.once('refused', resolve));
    void consumer.run((message) => seen.push(message.text()));
    broker.failFinishes(1, { topic: 'orders', channel: 'billing' });
    await broker.publishAndDrain('orders', 'billing', ['x']);
    expect((await refused).code).toBe('E_FIN_FAILED');
    expect(seen).toEqual(['x', 'x']);
    expect((await broker.stats('orders', 'billing'))?.timedOut).toBe(1);
  });

  it('drops all connections, and takes new ones', async () => {
    const broker = await started();
    const producer = producerTo(broker);
    const consumer = consumerOf(broker);
    const seen: string[] = [];
    await Promise.all([producer.connect(), consumer.connect()]);
    void consumer.run((message) => seen.push(message.text()));
    expect(broker.connections).toBe(2);
    const lost = new Promise((resolve) => producer.once('disconnect', resolve));
    broker.dropConnections();
    expect(broker.connections).toBe(0);
    await lost;
    await producer.publish('orders', 'after');
    await broker.drained('orders', 'billing');
    expect(seen).toEqual(['after']);
  });

  it('refuses a count that is none, and broker options that are none', async () => {
    const broker = await started();
    expect(() => broker.failPublishes(-1)).toThrow('count must be a whole number from 0 up');
    expect(() => broker.failFinishes(0.5)).toThrow(RangeError);
    expect(await failure(createTestBroker({ msgTimeout: -1 }))).toMatchObject({ code: 'E_OPTION' });
  });

  it('says what is wrong with a call', async () => {
    const broker = await started();
    const order = { id: 7 } as unknown as string;
    expect(await failure(broker.publish('orders', order))).toMatchObject({
      message: 'a body must be a string or bytes, not an object: use JSON.stringify()',
    });
    const one = 'one' as unknown as readonly string[];
    expect(await failure(broker.publishAndDrain('orders', 'billing', one))).toMatchObject({
      message: 'the bodies must be an array',
    });
    expect(() => broker.failPublishes(1, { disconnect: 'later' as 'after' })).toThrow(
      "disconnect must be 'before' or 'after', not later",
    );
    await broker.close();
    expect(await failure(broker.drained('orders', 'billing'))).toMatchObject({
      message: 'the test broker is closed',
    });
  });

  it('passes on what it cannot read: compression, and what is no protocol at all', async () => {
    const broker = await started();
    const producer = producerTo(broker, { deflate: true });
    await producer.publish('orders', 'packed');
    const answer = await new Promise<string>((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port: Number(broker.tcpAddress.split(':')[1]) });
      socket.on('data', (data) => resolve(data.toString('latin1')));
      socket.write(`  V2${'x'.repeat(5000)}\n`);
    });
    expect(answer).toContain('E_INVALID');
  });

  it('ends with its clients still connected, twice', async () => {
    const broker = await createTestBroker();
    const producer = producerTo(broker);
    await producer.publish('orders', 'x');
    await Promise.all([broker.close(), broker.close()]);
    expect(broker.connections).toBe(0);
  });
});
