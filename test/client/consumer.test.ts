import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { encodeFrame, FrameType } from '../../src/protocol/frame.js';
import { consumerOf, failure, subscribed, take, until } from './support/clients.js';
import { deadAddress, fakeNsqd, messageId } from './support/fake-nsqd.js';
import { said, settled, standStill } from './support/script.js';

describe('Consumer: subscribing', () => {
  it('subscribes, then sends its RDY, and connects once however often it is asked', async () => {
    const { nsqd, consumer, peer } = await subscribed();
    await consumer.connect();
    await peer.next('RDY');
    expect(peer.commands.map((one) => [one.name, ...one.params])).toEqual([
      ['IDENTIFY'],
      ['SUB', 'topic', 'channel'],
      ['RDY', '10'],
    ]);
    expect(nsqd.peers).toHaveLength(1);
  });

  it('never asks for more than the broker takes', async () => {
    const { peer } = await subscribed({ maxInFlight: 5000 }, { identify: { max_rdy_count: 100 } });
    await peer.next('RDY');
    expect(peer.rdy).toBe(100);
  });

  it('connect() says so when a broker is not there, or refuses', async () => {
    const nsqd = await fakeNsqd({
      on: { SUB: (peer) => peer.error('E_SUB_FAILED too many channel consumers') },
    });
    expect(await failure(consumerOf(nsqd.address).connect())).toMatchObject({ code: 'E_SUB_FAILED' });
    expect(await failure(consumerOf(await deadAddress()).connect())).toMatchObject({ code: 'E_CONNECT' });
    const odd = await fakeNsqd({ on: { SUB: (peer) => peer.respond('KO') } });
    expect(await failure(consumerOf(odd.address).connect())).toMatchObject({ code: 'E_HANDSHAKE' });
  });

  it('goes on with the brokers that are there, and finds the other later', async () => {
    const [here, gone] = [await fakeNsqd(), await fakeNsqd()];
    await gone.stop();
    const consumer = consumerOf([here.address, gone.address], { maxInFlight: 10, outputBufferTimeout: 1 });
    expect(await failure(consumer.connect())).toMatchObject({ code: 'E_CONNECT', address: gone.address });
    const peer = await here.peer();
    await peer.until(() => peer.rdy === 10);
    const back = await (await fakeNsqd({ port: gone.port })).peer();
    await Promise.all([peer.until(() => peer.rdy === 5), back.until(() => back.rdy === 5)]);
  });

  it('subscribes again when the connection is lost', async () => {
    const { nsqd, consumer, peer } = await subscribed();
    const events: string[] = [];
    consumer.on('disconnect', (_address, error) => events.push(`disconnect ${error.code}`));
    consumer.on('retry', () => events.push('retry'));
    consumer.on('connect', () => events.push('connect'));
    peer.cut();
    const again = await nsqd.peer();
    await again.next('RDY');
    expect(events).toEqual(['disconnect E_CONNECTION_LOST', 'retry', 'connect']);
    again.message([1, 'after']);
    const [message] = await take(consumer, 1);
    expect(message?.text()).toBe('after');
  });

  it('subscribes again after a message that is none', async () => {
    const { nsqd, peer } = await subscribed();
    peer.raw(encodeFrame(FrameType.Message, 'too short'));
    await peer.closed();
    await (await nsqd.peer()).next('RDY');
  });

  it('subscribes again when the broker falls silent', async () => {
    const { nsqd, consumer } = await subscribed({ heartbeatInterval: 50, readTimeout: 100 });
    const [, error] = await once(consumer, 'disconnect');
    expect(error).toMatchObject({ code: 'E_DEAD_PEER' });
    await (await nsqd.peer()).next('SUB');
  });
});

describe('Consumer: messages', () => {
  it('hands out messages with all that is known of them', async () => {
    const { nsqd, consumer, peer } = await subscribed();
    peer.message([7, '{"a":1}', 3]);
    const [message] = await take(consumer, 1);
    expect(message).toMatchObject({
      id: messageId(7),
      attempts: 3,
      timestamp: 1_700_000_000_000_000_007n,
      topic: 'topic',
      channel: 'channel',
      nsqdAddress: nsqd.address,
      body: Buffer.from('{"a":1}'),
      isAnswered: false,
    });
    expect(message?.text()).toBe('{"a":1}');
    expect(message?.json()).toEqual({ a: 1 });
  });

  it('answers once, whatever is called afterwards', async () => {
    const { consumer, peer } = await subscribed();
    peer.message([1, 'a'], [2, 'b']);
    const [first, second] = await take(consumer, 2);
    first?.touch();
    first?.finish();
    first?.finish();
    first?.requeue();
    first?.touch();
    second?.requeue({ delay: 1500, backoff: false });
    second?.finish();
    await peer.next('REQ');
    const answers = peer.commands.slice(3).map((one) => [one.name, ...one.params]);
    expect(answers).toEqual([
      ['TOUCH', messageId(1)],
      ['FIN', messageId(1)],
      ['REQ', messageId(2), '1500'],
    ]);
    expect([first?.isAnswered, second?.isAnswered]).toEqual([true, true]);
  });

  it('requeues with a delay that grows with the attempts, up to a limit', async () => {
    const { consumer, peer } = await subscribed({ requeueDelay: 100, maxRequeueDelay: 250 });
    peer.message([1, 'a', 1], [2, 'b', 2], [3, 'c', 3]);
    for (const message of await take(consumer, 3)) message.requeue();
    await peer.until(() => peer.count('REQ') === 3);
    expect(peer.commands.filter((one) => one.name === 'REQ').map((one) => one.params[1])).toEqual([
      '100',
      '200',
      '250',
    ]);
  });

  it('leaves a message open when its delay is refused', async () => {
    const { consumer, peer } = await subscribed();
    peer.message([1, 'a']);
    const [message] = await take(consumer, 1);
    expect(() => message?.requeue({ delay: -1 })).toThrow(expect.objectContaining({ code: 'E_INVALID' }));
    message?.finish();
    await peer.next('FIN');
  });

  it('sends the answers of a turn in one write', async () => {
    const { consumer, peer } = await subscribed({ maxInFlight: 500 });
    await peer.next('RDY');
    const before = peer.chunks.length;
    let handled = 0;
    void consumer.run(() => {
      handled++;
    });
    peer.message(...Array.from({ length: 500 }, (_, id) => [id, 'x'] as const));
    await peer.until(() => peer.count('FIN') === 500);
    expect(handled).toBe(500);
    expect(peer.chunks.length - before).toBeLessThanOrEqual(3);
  });

  it('emits what the broker refuses, and goes on', async () => {
    const { consumer, peer } = await subscribed();
    peer.error(`E_FIN_FAILED FIN ${messageId(1)} failed ID not in flight`);
    const [error] = await once(consumer, 'refused');
    expect(error).toMatchObject({ name: 'BrokerError', code: 'E_FIN_FAILED' });
    peer.error('E_TOUCH_FAILED');
    peer.message([2, 'next']);
    expect((await take(consumer, 1))[0]?.text()).toBe('next');
  });

  it('hands out none of a lost connection, for others have them, and answers none', async () => {
    const { nsqd, consumer, peer } = await subscribed();
    peer.message([1, 'held'], [2, 'waiting']);
    const [held] = await take(consumer, 1);
    const lost = once(consumer, 'disconnect');
    peer.cut();
    await lost;
    held?.finish();
    held?.touch();
    const again = await nsqd.peer();
    await again.next('RDY');
    again.message([3, 'new']);
    expect((await take(consumer, 1))[0]?.text()).toBe('new');
    expect(again.count('FIN')).toBe(0);
  });

  it('hands out none that the broker has taken back while it waited', async () => {
    const { consumer, peer } = await subscribed({}, { identify: { msg_timeout: 50 } });
    const received = once(peer.socket, 'data');
    peer.message([1, 'old']);
    peer.heartbeat();
    await received;
    await new Promise((resolve) => setTimeout(resolve, 60));
    peer.message([2, 'fresh']);
    expect((await take(consumer, 1))[0]?.text()).toBe('fresh');
  });

  it('gives each message to one of several loops', async () => {
    const { consumer, peer } = await subscribed();
    const loops = [take(consumer, 2), take(consumer, 2)];
    peer.message([1, 'a'], [2, 'b'], [3, 'c'], [4, 'd']);
    const taken = (await Promise.all(loops)).flat().map((message) => message.text());
    expect(taken.sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('Consumer: run', () => {
  it('finishes what the handler returns from, now or later', async () => {
    const { consumer, peer } = await subscribed();
    void consumer.run((message) => (message.text() === 'later' ? Promise.resolve() : undefined), {
      concurrency: 2,
    });
    peer.message([1, 'now'], [2, 'later']);
    await peer.until(() => peer.count('FIN') === 2);
  });

  it('requeues what the handler fails at, and says so', async () => {
    const { consumer, peer } = await subscribed({ requeueDelay: 5 });
    const errors: unknown[] = [];
    consumer.on('handlerError', (error, message) => errors.push([error, message.text()]));
    void consumer.run(
      (message) => {
        if (message.text() === 'sync') throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      },
      { concurrency: 2 },
    );
    peer.message([1, 'sync'], [2, 'async']);
    await peer.until(() => peer.count('REQ') === 2);
    expect(errors).toEqual([
      [new Error('thrown'), 'sync'],
      [new Error('rejected'), 'async'],
    ]);
    expect(peer.count('FIN')).toBe(0);
  });

  it('leaves alone what the handler has answered', async () => {
    const { consumer, peer } = await subscribed();
    void consumer.run((message) => message.requeue({ delay: 0 }));
    peer.message([1, 'a']);
    await peer.next('REQ');
    peer.heartbeat();
    await peer.next('NOP');
    expect(peer.count('FIN')).toBe(0);
  });

  it('has never more in the handler than its concurrency', async () => {
    const { consumer, peer } = await subscribed();
    const gates: (() => void)[] = [];
    void consumer.run(() => new Promise<void>((resolve) => gates.push(resolve)), { concurrency: 3 });
    peer.message(...Array.from({ length: 5 }, (_, id) => [id, 'x'] as const));
    await until(() => gates.length === 3);
    peer.heartbeat();
    await peer.next('NOP');
    expect(gates).toHaveLength(3);
    gates[0]?.();
    await until(() => gates.length === 4);
    for (const open of gates) open();
    await until(() => gates.length === 5);
    gates[4]?.();
    await peer.until(() => peer.count('FIN') === 5);
  });

  it('refuses a concurrency that is none', async () => {
    const { consumer } = await subscribed();
    expect(await failure(consumer.run(() => undefined, { concurrency: 0 }))).toMatchObject({
      code: 'E_OPTION',
    });
  });
});

describe('Consumer: RDY', () => {
  it('spreads max-in-flight over its brokers from the start', async () => {
    const nsqds = [await fakeNsqd(), await fakeNsqd(), await fakeNsqd()];
    const consumer = consumerOf(
      nsqds.map((one) => one.address),
      { maxInFlight: 10 },
    );
    await consumer.connect();
    const peers = await Promise.all(nsqds.map((one) => one.peer()));
    await Promise.all(peers.map((peer) => peer.next('RDY')));
    expect(peers.map((peer) => peer.rdy).sort()).toEqual([3, 3, 4]);
    expect(peers.every((peer) => peer.count('RDY') === 1)).toBe(true);
  });

  it('passes it around when there are more brokers than messages in flight', async () => {
    standStill();
    const nsqds = [await fakeNsqd(), await fakeNsqd(), await fakeNsqd()];
    const consumer = consumerOf(
      nsqds.map((one) => one.address),
      { maxInFlight: 1, lowRdyIdleTimeout: 1000, rdyRedistributeInterval: 100 },
    );
    await consumer.connect();
    const peers = await Promise.all(nsqds.map((one) => one.peer()));
    const holders = new Set<number>();
    for (let second = 0; second < 6; second++) {
      await Promise.all(peers.map(settled));
      expect(peers.reduce((sum, peer) => sum + peer.rdy, 0)).toBeLessThanOrEqual(1);
      holders.add(peers.findIndex((peer) => peer.rdy === 1));
      vi.advanceTimersByTime(1000);
    }
    expect([...holders].filter((one) => one >= 0).sort()).toEqual([0, 1, 2]);
  });

  it('gives the share of a lost broker to the others', async () => {
    const [a, b] = [await fakeNsqd(), await fakeNsqd()];
    const consumer = consumerOf([a.address, b.address], { maxInFlight: 10 });
    await consumer.connect();
    const peer = await a.peer();
    await peer.until(() => peer.rdy === 5);
    await b.stop();
    await peer.until(() => peer.rdy === 10);
  });

  it('pauses and resumes', async () => {
    const { consumer, peer } = await subscribed();
    await peer.until(() => peer.rdy === 10);
    consumer.pause();
    expect(consumer.isPaused).toBe(true);
    await peer.until(() => peer.rdy === 0);
    consumer.resume();
    await peer.until(() => peer.rdy === 10);
  });

  it('gives what an ended loop waited for to the next one', async () => {
    const { consumer, peer } = await subscribed();
    const ended = consumer[Symbol.asyncIterator]();
    const waiting = ended.next();
    await ended.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await ended.next()).toEqual({ done: true, value: undefined });
    peer.message([1, 'one']);
    const [one] = await take(consumer, 1);
    expect(one?.text()).toBe('one');
  });

  it('refuses a handler that is none', async () => {
    const { consumer } = await subscribed();
    const error = await failure(consumer.run(undefined as unknown as () => void));
    expect(error).toMatchObject({ code: 'E_OPTION', message: 'the handler must be a function' });
  });

  it('answers by what a handler returns that is a promise of another kind', async () => {
    const { consumer, peer } = await subscribed({ requeueDelay: 0, maxBackoffDuration: 0 });
    const thenables: Readonly<Record<string, unknown>> = {
      // biome-ignore-start lint/suspicious/noThenProperty: that is what it is about
      good: { then: (done: () => void) => done() },
      bad: { then: (_done: unknown, failed: (error: unknown) => void) => failed(new Error('bad')) },
      worse: {
        then() {
          throw new Error('worse');
        },
      },
      // biome-ignore-end lint/suspicious/noThenProperty: that is what it is about
    };
    void consumer.run((message) => thenables[message.text()]);
    peer.message([1, 'worse'], [2, 'bad'], [3, 'good']);
    await peer.next('FIN');
    await peer.until(() => peer.count('REQ') === 2);
    expect(said(peer).slice(1).sort()).toEqual(['FIN 3', 'REQ 1 0', 'REQ 2 0']);
  });

  it('asks for nothing when it connects paused', async () => {
    const nsqd = await fakeNsqd();
    const consumer = consumerOf(nsqd.address, { maxInFlight: 3 });
    consumer.pause();
    await consumer.connect();
    const peer = await nsqd.peer();
    peer.heartbeat();
    await peer.next('NOP');
    expect(peer.count('RDY')).toBe(0);
    consumer.resume();
    await peer.until(() => peer.rdy === 3);
  });
});
