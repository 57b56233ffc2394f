import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { BrokerOptions } from '../../src/broker/settings.js';
import { afterCrash, countsOf, openBroker, restart } from './support/brokers.js';
import { consume, numbered, settled, stop, subscribe, take, texts } from './support/clients.js';
import { FakeConsumer } from './support/fake-consumer.js';

type Again = (broker: Broker, options?: BrokerOptions) => Promise<Broker>;
const HOUR = 3_600_000;

describe.each<[string, Again]>([
  ['a restart', restart],
  ['a crash', afterCrash],
])('after %s', (_name, again) => {
  it('messages are there, in order, and finished ones are not', async () => {
    const first = await openBroker();
    await first.publish('t', numbered(10));
    const client = await subscribe(first, 't', 'c', { ready: 5 });
    const messages = await take(client, 5);
    for (const { id } of [messages[0]!, messages[1]!, messages[3]!]) client.send('RDY 0\n', `FIN ${id}\n`);
    await settled(client);

    const second = await again(first);
    const channel = second.topic('t').channel('c');
    expect(countsOf(channel)).toEqual({ depth: 7, inFlight: 0, deferred: 0 });
    const next = await subscribe(second, 't', 'c', { ready: 10 });
    const rest = await take(next, 7);
    const numbers = texts(rest).map((text) => Number(text.slice(8)));
    expect([...numbers].sort()).toEqual([2, 4, 5, 6, 7, 8, 9]);
    const attempts = Object.fromEntries(rest.map((it, i) => [numbers[i], it.attempts]));
    expect(attempts).toEqual({ 2: 2, 4: 2, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1 });
    expect(numbers.filter((n) => n > 4)).toEqual([5, 6, 7, 8, 9]);
    expect(rest.find(({ body }) => body.toString() === 'message 2')?.id).toBe(messages[2]!.id);
  });

  it('messages that were given back have their attempts', async () => {
    const first = await openBroker();
    const channel = first.topic('t').channel('c');
    const consumer = new FakeConsumer(channel, 2);
    await first.publish('t', ['a', 'b']);
    for (let i = 0; i < 3; i++) {
      first.turn.run();
      const { n } = consumer.deliveries.findLast(({ body }) => body === 'a')!;
      consumer.req(n);
    }
    first.turn.run();
    expect(consumer.deliveries.at(-1)).toMatchObject({ body: 'a', attempts: 4 });

    const second = await again(first);
    const client = await subscribe(second, 't', 'c', { ready: 2 });
    const messages = await take(client, 2);
    expect(Object.fromEntries(messages.map(({ body, attempts }) => [body.toString(), attempts]))).toEqual({
      a: 5,
      b: 2,
    });
  });

  it('channels and topics are there, and paused if they were', async () => {
    const first = await openBroker();
    first.topic('empty');
    first.topic('paused').pause(true);
    first.topic('t').channel('a').pause(true);
    first.topic('t').channel('b').pause(true);
    first.topic('t').channel('b').pause(false);
    first.topic('t').channel('gone');
    first.topic('t').deleteChannel('gone');
    first.topic('going').pause(true);
    first.topic('going').pause(false);
    first.topic('deleted');
    first.deleteTopic('deleted');

    const second = await again(first);
    const seen = [...second.topics.values()].map(({ name, paused, channels }) => [
      name,
      paused,
      [...channels.values()].map((it) => [it.name, it.paused]),
    ]);
    expect(seen.sort()).toEqual([
      ['empty', false, []],
      ['going', false, []],
      ['paused', true, []],
      [
        't',
        false,
        [
          ['a', true],
          ['b', false],
        ],
      ],
    ]);
  });

  it('a topic without channels has everything, for its first channel', async () => {
    const first = await openBroker();
    await first.publish('t', numbered(3));
    const second = await again(first);
    expect(second.topic('t').depth).toBe(3);
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    expect(await consume(client, 3)).toEqual(numbered(3));
  });

  it('a topic that lost its last channel has what came since only', async () => {
    const first = await openBroker();
    first.topic('t').channel('c');
    await first.publish('t', numbered(3));
    first.topic('t').deleteChannel('c');
    await first.publish('t', 'since');
    const second = await again(first);
    expect(second.topic('t').depth).toBe(1);
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    expect(await consume(client, 1)).toEqual(['since']);
  });

  it('a paused topic has its messages to itself, and passes them on when it goes on', async () => {
    const first = await openBroker();
    first.topic('t').channel('c');
    await first.publish('t', 'passed on');
    first.topic('t').pause(true);
    await first.publish('t', 'kept');
    const second = await again(first);
    const topic = second.topic('t');
    expect([topic.depth, topic.channel('c').depth]).toEqual([1, 1]);
    topic.pause(false);
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    expect(await consume(client, 2)).toEqual(['passed on', 'kept']);
  });

  it('a topic that was emptied while it was paused is empty', async () => {
    const first = await openBroker();
    first.topic('t').channel('c');
    await first.publish('t', 'passed on');
    first.topic('t').pause(true);
    await first.publish('t', numbered(3));
    await first.publish('t', 'later', { deferMs: HOUR });
    first.topic('t').empty();
    first.topic('t').pause(false);
    await first.publish('t', 'after');
    const second = await again(first);
    expect(countsOf(second.topic('t').channel('c'))).toEqual({ depth: 2, inFlight: 0, deferred: 0 });
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    expect(await consume(client, 2)).toEqual(['passed on', 'after']);
  });

  it('a channel that was emptied is empty, of deferred messages too', async () => {
    const first = await openBroker();
    const channel = first.topic('t').channel('c');
    const consumer = new FakeConsumer(channel, 2);
    await first.publish('t', numbered(4));
    await first.publish('t', 'later', { deferMs: HOUR });
    first.turn.run();
    consumer.req(consumer.deliveries[0]!.n, HOUR);
    channel.empty();
    await first.publish('t', 'after');
    const second = await again(first);
    expect(countsOf(second.topic('t').channel('c'))).toEqual({ depth: 1, inFlight: 0, deferred: 0 });
  });

  it('deferred messages are due when they were to be', async () => {
    const first = await openBroker();
    const channel = first.topic('t').channel('c');
    const consumer = new FakeConsumer(channel, 1);
    const start = Date.now();
    await first.publish('t', 'given back');
    first.turn.run();
    consumer.req(consumer.deliveries[0]!.n, 700);
    await first.publish('t', 'published', { deferMs: 500 });
    await first.publish('t', 'much later', { deferMs: HOUR });
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 3 });
    first.turn.run();

    const second = await again(first);
    expect(countsOf(second.topic('t').channel('c')).deferred).toBe(3);
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    const messages = await take(client, 2);
    expect(texts(messages)).toEqual(['published', 'given back']);
    expect(messages.map(({ attempts }) => attempts)).toEqual([1, 2]);
    expect(Date.now() - start).toBeGreaterThanOrEqual(699);
    expect(countsOf(second.topic('t').channel('c')).deferred).toBe(1);
  });

  it('a deferred message that was finished before those ahead of it does not come again', async () => {
    const first = await openBroker();
    const channel = first.topic('t').channel('c');
    for (const body of numbered(3)) await first.publish('t', body);
    await first.publish('t', 'later', { deferMs: 1 });
    const consumer = new FakeConsumer(channel, 1);
    await expect.poll(() => channel.deferredCount, { interval: 2 }).toBe(0);
    for (let i = 0; !consumer.bodies.includes('later') && i < 10; i++) {
      first.turn.run();
      const { n, body } = consumer.deliveries.at(-1)!;
      if (body !== 'later') consumer.req(n);
    }
    expect(consumer.fin(consumer.deliveries.at(-1)!.n)).toBe(true);
    consumer.rdy(0);
    first.turn.run();

    const second = await again(first);
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    expect((await consume(client, 3)).sort()).toEqual(numbered(3));
    await settled(client);
    expect(countsOf(second.topic('t').channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
  });

  it('a deferred message of a paused topic is not taken for finished', async () => {
    const first = await openBroker();
    first.topic('t').channel('c');
    await first.publish('t', 'passed on', { deferMs: HOUR });
    first.topic('t').pause(true);
    await first.publish('t', 'kept', { deferMs: HOUR });
    const second = await again(first);
    // Anything that makes the journal begin anew.
    second.topic('t').channel('c').pause(true);
    second.turn.run();
    second.topic('t').pause(false);
    second.turn.run();
    const third = await again(second);
    expect(countsOf(third.topic('t').channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 2 });
  });

  it('a deferred message in another file than the ones that wait is not lost', async () => {
    const options = { maxBytesPerFile: 1, cacheSize: 0 };
    const first = await openBroker(options);
    const consumer = new FakeConsumer(first.topic('t').channel('c'), 1);
    await first.publish('t', 'later', { deferMs: 1 });
    await first.publish('t', 'now');
    first.turn.run();
    expect(consumer.bodies).toEqual(['now']);
    const second = await again(first, options);
    const client = await subscribe(second, 't', 'c', { ready: 5 });
    expect((await consume(client, 2)).sort()).toEqual(['later', 'now']);
  });

  it('ids go on, and none is given twice', async () => {
    let broker = await openBroker();
    const ids = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const client = await subscribe(broker, 't', 'c', { ready: 5 });
      await broker.publish('t', numbered(3));
      for (const { id } of await take(client, 3)) {
        expect(ids).not.toContain(id);
        ids.add(id);
        client.send(`FIN ${id}\n`);
      }
      await settled(client);
      broker = await again(broker);
    }
    expect([...ids]).toEqual([...ids].sort());
  });

  it('a backlog larger than memory is delivered whole, in order, once a channel', async () => {
    const options = { cacheSize: 0, maxBytesPerFile: 200_000 };
    const first = await openBroker(options);
    for (const name of ['a', 'b']) first.topic('t').channel(name);
    const bodies = numbered(1000).map((body, i) => (i % 50 === 0 ? body.padEnd(30_000, '.') : body));
    for (let i = 0; i < bodies.length; i += 20) await first.publish('t', bodies.slice(i, i + 20));
    const early = await subscribe(first, 't', 'a', { ready: 40 });
    expect(await consume(early, 300)).toEqual(bodies.slice(0, 300));
    await stop(early);
    const second = await again(first, options);
    // Of `a`, what was in flight comes again between the others.
    const a = await subscribe(second, 't', 'a', { ready: 100 });
    expect((await consume(a, 700)).sort()).toEqual(bodies.slice(300).sort());
    const b = await subscribe(second, 't', 'b', { ready: 100 });
    expect(await consume(b, 1000)).toEqual(bodies);
    await settled(a);
    await settled(b);
    for (const name of ['a', 'b']) {
      expect(countsOf(second.topic('t').channel(name))).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
    }
    expect([...second.topic('t').log.segments].length).toBeLessThan(3);
  });
});

it('what is consumed at a stop leaves no file behind at the next start', async () => {
  const first = await openBroker();
  const client = await subscribe(first, 't', 'c', { ready: 10 });
  await first.publish('t', numbered(5));
  await consume(client, 5);
  await settled(client);
  const second = await restart(first);
  expect([...second.topic('t').log.segments].filter(({ sealed }) => sealed)).toEqual([]);
});
