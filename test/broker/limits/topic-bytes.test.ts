import { describe, expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { mpubBody, sized } from '../../support/wire.js';
import { countsOf, openBroker, restart, statsOf } from '../support/brokers.js';
import { connect, consume, settled, subscribe, take, texts } from '../support/clients.js';
import { FakeConsumer } from '../support/fake-consumer.js';
import { http } from '../support/http.js';
import { bodies, bytesOnDisk, numbersOf, until } from './support/limits.js';

const LIMIT = 64 * 1024;
const REJECT = { maxTopicBytes: LIMIT, httpAddress: '127.0.0.1:0' };
const DROP = { ...REJECT, onLimit: 'drop-oldest' } as const;
const BODY = 1000;

/** Publishes one by one until that is refused; how many were taken, and why no more were. */
async function fill(broker: Broker, topic: string): Promise<{ taken: number; error: unknown }> {
  for (let taken = 0; ; taken++) {
    try {
      await broker.publish(topic, bodies(1, BODY, taken));
    } catch (error) {
      return { taken, error };
    }
  }
}

describe('a topic that is full', () => {
  it('takes no more than the limit, and says so', async () => {
    const broker = await openBroker(REJECT);
    broker.topic('t').channel('c');
    const { taken, error } = await fill(broker, 't');
    expect(error).toMatchObject({ code: 'E_LIMIT', message: expect.stringContaining('--max-topic-bytes') });
    expect(taken).toBeGreaterThan(55);
    expect(bytesOnDisk(broker, 't')).toBeLessThanOrEqual(LIMIT + 10 * 200);
    expect(broker.topic('t').messageCount).toBe(taken);
    for (const [command, body, code] of [
      ['PUB t\n', sized('x'.repeat(BODY)), 'E_PUB_FAILED'],
      ['MPUB t\n', mpubBody(bodies(2, BODY)), 'E_MPUB_FAILED'],
      ['DPUB t 100\n', sized('x'.repeat(BODY)), 'E_DPUB_FAILED'],
    ] as const) {
      const client = await connect(broker);
      client.send(command, body);
      const answer = await client.next();
      expect(answer).toMatchObject({ type: 'error', code });
      expect(JSON.stringify(answer)).toContain(`'t' is full`);
      await client.ended();
    }
    const answer = await http(broker, 'POST /pub?topic=t', { body: 'x'.repeat(BODY) });
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('LIMIT_REACHED')]);
    expect(broker.health).toBe('OK');
    await broker.publish('other', 'there is room');
  });

  it('takes messages again when consumers have made room, and loses none', async () => {
    const broker = await openBroker(REJECT);
    const client = await subscribe(broker, 't', 'c', { ready: 0 });
    const { taken } = await fill(broker, 't');
    client.send('RDY 10\n');
    expect(numbersOf(await consume(client, 20))).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await settled(client);
    const more = await fill(broker, 't');
    expect(more.taken).toBeGreaterThan(5);
    expect(numbersOf(await consume(client, taken - 20 + more.taken)).slice(taken - 20)).toEqual(
      Array.from({ length: more.taken }, (_, i) => i),
    );
    await settled(client);
    // Nothing is queued: all that may be is free, the file being written too.
    expect((await fill(broker, 't')).taken).toBe(taken);
  });

  it('refuses at durability memory too, and what is larger than the limit always', async () => {
    const broker = await openBroker({ ...REJECT, durability: 'memory' });
    await broker.publish('t', bodies(50, BODY));
    const client = await connect(broker);
    client.send('MPUB t\n', mpubBody(bodies(50, BODY)));
    expect(await client.next()).toMatchObject({ type: 'error', code: 'E_MPUB_FAILED' });
    const dropping = await openBroker(DROP);
    await expect(dropping.publish('t', bodies(100, BODY))).rejects.toMatchObject({
      code: 'E_LIMIT',
      message: expect.stringContaining('do not fit'),
    });
  });

  it('is still full after a restart', async () => {
    const broker = await openBroker(REJECT);
    broker.topic('t').channel('c');
    const { taken } = await fill(broker, 't');
    const again = await restart(broker, REJECT);
    expect(await fill(again, 't')).toMatchObject({ taken: 0, error: { code: 'E_LIMIT' } });
    expect(again.topic('t').channel('c').depth).toBe(taken);
  });

  it('does not concern ephemeral topics', async () => {
    const broker = await openBroker(REJECT);
    broker.topic('t#ephemeral').channel('c');
    await broker.publish('t#ephemeral', bodies(200, BODY));
    expect(broker.topic('t#ephemeral').channel('c').depth).toBe(200);
  });
});

describe('a topic that drops its oldest messages', () => {
  it('keeps the newest, counts what it dropped, and delivers the rest in order', async () => {
    const broker = await openBroker(DROP);
    const channel = broker.topic('t').channel('c');
    broker.topic('t').channel('second');
    for (let i = 0; i < 500; i += 5) await broker.publish('t', bodies(5, BODY, i));
    expect(bytesOnDisk(broker, 't')).toBeLessThanOrEqual(LIMIT + LIMIT / 4);
    const { depth } = channel;
    expect(depth).toBeGreaterThan(40);
    expect(depth).toBeLessThan(64);
    const [topic] = statsOf(broker).topics!;
    expect(topic!.dropped_count).toBe(2 * (500 - depth));
    expect(topic!.channels.map((it) => it.dropped_count)).toEqual([500 - depth, 500 - depth]);
    const client = await subscribe(broker, 't', 'c', { ready: 100 });
    const received = numbersOf(await consume(client, depth));
    expect(received).toEqual(Array.from({ length: depth }, (_, i) => 500 - depth + i));
    await settled(client);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
    const { text } = await http(broker, 'GET /stats');
    expect(text).toMatch(new RegExp(`\\[t .*dropped: ${2 * (500 - depth)}\n`));
    expect(text).toMatch(new RegExp(`\\[c .*dropped: ${500 - depth}\n`));
    expect((await http(broker, 'GET /stats')).text).not.toContain('dropped: 0');
  });

  it('lets what is in flight be finished or given back without an error; given back, it does not come again', async () => {
    const broker = await openBroker(DROP);
    const channel = broker.topic('t').channel('c');
    const client = await subscribe(broker, 't', 'c', { ready: 4 });
    await broker.publish('t', bodies(1, BODY), { deferMs: 3_600_000 });
    await broker.publish('t', bodies(4, BODY, 1));
    const [first, second, third, fourth] = await take(client, 4);
    client.send('RDY 0\n', `REQ ${fourth!.id} 3600000\n`);
    await settled(client);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 3, deferred: 2 });
    for (let i = 5; i < 200; i += 5) await broker.publish('t', bodies(5, BODY, i));
    expect(channel.deferredCount).toBe(0);
    expect(channel.inFlightCount).toBe(3);
    client.send(
      `FIN ${first!.id}\n`,
      `REQ ${second!.id} 0\n`,
      `TOUCH ${third!.id}\n`,
      `REQ ${third!.id} 1000\n`,
    );
    await settled(client);
    expect(channel.inFlightCount).toBe(0);
    expect(channel.deferredCount).toBe(0);
    expect(channel.depth + channel.droppedCount).toBe(199);
    client.send('RDY 200\n');
    const rest = numbersOf(await consume(client, channel.depth));
    expect(rest.at(-1)).toBe(199);
    expect(rest[0]).toBe(200 - rest.length);
  });

  it('keeps to the limit without a channel, and paused; the first channel begins with what is left', async () => {
    const broker = await openBroker(DROP);
    for (let i = 0; i < 200; i += 5) await broker.publish('t', bodies(5, BODY, i));
    const topic = broker.topic('t');
    expect(topic.depth + topic.limits.droppedCount).toBe(200);
    expect(topic.depth).toBeLessThan(64);
    topic.channel('c');
    topic.pause(true);
    for (let i = 200; i < 300; i += 5) await broker.publish('t', bodies(5, BODY, i));
    const again = await restart(broker, DROP);
    const channel = again.topic('t').channel('c');
    expect(channel.depth + again.topic('t').depth).toBeLessThan(64);
    expect(again.topic('t').paused).toBe(true);
    again.topic('t').pause(false);
    const client = await subscribe(again, 't', 'c', { ready: 100 });
    const rest = numbersOf(await consume(client, channel.depth));
    expect(rest).toEqual(Array.from({ length: rest.length }, (_, i) => 300 - rest.length + i));
    await settled(client);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
  });

  it('has right counts after a restart', async () => {
    const broker = await openBroker(DROP);
    const channel = broker.topic('t').channel('c');
    for (let i = 0; i < 200; i += 5) await broker.publish('t', bodies(5, BODY, i));
    const { depth } = channel;
    const again = await restart(broker, DROP);
    expect(again.topic('t').channel('c').depth).toBe(depth);
    const client = await subscribe(again, 't', 'c', { ready: 100 });
    expect(numbersOf(await consume(client, depth)).at(-1)).toBe(199);
  });

  it('knows the ids of what is in flight, also of messages of before a restart', async () => {
    const broker = await openBroker();
    broker.topic('t').channel('c');
    await broker.publish('t', bodies(3, BODY));
    const again = await restart(broker, DROP);
    const client = await subscribe(again, 't', 'c', { ready: 3 });
    const [first, second] = await take(client, 3);
    client.send('RDY 0\n');
    for (let i = 3; i < 200; i += 5) await again.publish('t', bodies(5, BODY, i));
    expect(again.topic('t').log.segments.of(2)).toBeUndefined();
    client.send(`FIN ${first!.id}\n`, `REQ ${second!.id} 0\n`);
    await settled(client);
    expect(again.topic('t').channel('c').inFlightCount).toBe(1);
  });

  it('goes on delivering to a channel that was reading what is dropped', async () => {
    const broker = await openBroker({ ...DROP, cacheSize: 0 });
    const channel = broker.topic('t').channel('c');
    await broker.publish('t', bodies(40, BODY));
    const consumer = new FakeConsumer(channel, 1);
    await until(() => consumer.deliveries.length === 1, 'the first delivery');
    for (let i = 40; i < 400; i += 5) await broker.publish('t', bodies(5, BODY, i));
    consumer.rdy(1000);
    await until(() => numbersOf(consumer.bodies).at(-1) === 399, 'the last delivery');
    expect(consumer.deliveries.length).toBe(400 - channel.droppedCount);
    expect(channel.depth).toBe(0);
    for (const { n } of consumer.deliveries) expect(consumer.fin(n)).toBe(true);
    expect(channel.inFlightCount).toBe(0);
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    consumer.leave();
    await broker.publish('t', 'more');
    expect(texts(await take(client, 1))).toEqual(['more']);
  });
});
