import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { Compactor } from '../../src/broker/compactor.js';
import { afterCrash, countsOf, openBroker, restart } from './support/brokers.js';
import { consume, numbered, settled, subscribe, take, texts } from './support/clients.js';
import { FakeConsumer } from './support/fake-consumer.js';

const HOUR = 3_600_000;
/** The journal's files are small here, the segments' are not. */
const SMALL = { maxBytesPerFile: 100_000, compactionInterval: 0 };

function bytesOnDisk(broker: Broker, topic: string): number {
  const directory = join(broker.dataPath, 'nsq-data', 'topics', `${topic}.topic`);
  const sizes = readdirSync(directory)
    .filter((name) => name.includes('.log'))
    .map((name) => statSync(join(directory, name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Messages of a kilobyte, enough for several files. */
function bodies(count: number): string[] {
  return numbered(count).map((it) => it.padEnd(1000, '.'));
}

async function publishAll(broker: Broker, all: readonly string[]): Promise<void> {
  for (let at = 0; at < all.length; at += 20) await broker.publish('t', all.slice(at, at + 20));
}

describe('messages that wait long', () => {
  it('hold their own bytes and not the files they came in, and come when they are due', async () => {
    const broker = await openBroker(SMALL);
    const channel = broker.topic('t').channel('c');
    const all = bodies(600);
    for (let at = 0; at < all.length; at += 20) {
      await broker.publish('t', all.slice(at, at + 20));
      if (at % 100 === 0) await broker.publish('t', `deferred ${at}`, { deferMs: HOUR });
    }
    const consumer = new FakeConsumer(channel, 10_000);
    broker.turn.run();
    expect(consumer.deliveries).toHaveLength(600);
    const kept = new Set(consumer.deliveries.filter((_, i) => i % 50 === 7));
    const requeued = [...kept].filter((_, i) => i % 2 === 0);
    for (const it of consumer.deliveries) if (!kept.has(it)) consumer.fin(it.n);
    for (const { n } of requeued) consumer.req(n, HOUR);
    broker.turn.run();
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 6, deferred: 12 });
    expect(bytesOnDisk(broker, 't')).toBeGreaterThan(500_000);

    await new Compactor(broker).run();
    expect(bytesOnDisk(broker, 't')).toBeLessThan(150_000);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 6, deferred: 12 });

    consumer.leave();
    const next = new FakeConsumer(channel, 100);
    while (next.deliveries.length < 6) {
      broker.turn.run();
      await new Promise(setImmediate);
    }
    const inFlight = [...kept].filter((it) => !requeued.includes(it));
    expect(next.bodies).toEqual(inFlight.map(({ body }) => body));
    expect(next.deliveries.every(({ attempts }) => attempts === 2)).toBe(true);
    for (const { n } of next.deliveries) expect(next.fin(n)).toBe(true);
    broker.turn.run();
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 12 });
  });

  it.each([
    ['a restart', restart],
    ['a crash', afterCrash],
  ])('are found after %s, in files that were compacted', async (_name, again) => {
    const first = await openBroker(SMALL);
    first.topic('t').channel('c');
    first.topic('t').channel('other');
    const all = bodies(300);
    await publishAll(first, all);
    const client = await subscribe(first, 't', 'c', { ready: 2500 });
    const messages = await take(client, 300);
    const kept = messages.filter((_, i) => i % 60 === 3);
    for (const it of messages) if (!kept.includes(it)) client.send(`FIN ${it.id}\n`);
    await settled(client);
    const other = await subscribe(first, 't', 'other', { ready: 2500 });
    await consume(other, 300);
    await settled(other);
    await new Compactor(first).run();
    expect(bytesOnDisk(first, 't')).toBeLessThan(120_000);

    const second = await again(first, SMALL);
    expect(countsOf(second.topic('t').channel('c'))).toEqual({ depth: 5, inFlight: 0, deferred: 0 });
    expect(countsOf(second.topic('t').channel('other'))).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
    const next = await subscribe(second, 't', 'c', { ready: 100 });
    const rest = await take(next, 5);
    expect(rest.map(({ id, attempts }) => [id, attempts])).toEqual(kept.map(({ id }) => [id, 2]));
    expect(texts(rest)).toEqual(texts(kept));
    await second.publish('t', 'later');
    expect(await consume(next, 1)).toEqual(['later']);
  });

  it('hold what another channel has yet to read', async () => {
    const broker = await openBroker(SMALL);
    const topic = broker.topic('t');
    const consumer = new FakeConsumer(topic.channel('c'), 10_000);
    topic.channel('behind');
    await publishAll(broker, bodies(300));
    broker.turn.run();
    for (const { n } of consumer.deliveries.slice(1)) consumer.fin(n);
    broker.turn.run();
    await new Compactor(broker).run();
    expect(bytesOnDisk(broker, 't')).toBeGreaterThan(300_000);
    expect(topic.channel('behind').depth).toBe(300);
  });

  it('are looked for by the broker itself', async () => {
    const broker = await openBroker({ ...SMALL, compactionInterval: 10 });
    const consumer = new FakeConsumer(broker.topic('t').channel('c'), 10_000);
    await publishAll(broker, bodies(300));
    broker.turn.run();
    for (const { n } of consumer.deliveries.slice(1)) consumer.fin(n);
    broker.turn.run();
    await expect.poll(() => bytesOnDisk(broker, 't')).toBeLessThan(110_000);
  });
});
