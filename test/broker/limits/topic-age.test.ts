import { describe, expect, it } from 'vitest';
import { Broker } from '../../../src/broker/broker.js';
import { Compactor } from '../../../src/broker/compactor.js';
import { type Files, REAL_FILES } from '../../../src/broker/log/files.js';
import { setStamp } from '../../../src/broker/log/record.js';
import { cleanup } from '../../support/temp.js';
import { countsOf, openBroker, restart } from '../support/brokers.js';
import { consume, settled, subscribe, take, texts } from '../support/clients.js';
import { FakeConsumer } from '../support/fake-consumer.js';
import { bodies, numbersOf, until } from './support/limits.js';

const AGE = 150;
const YOUNG = { maxTopicAge: AGE, httpAddress: '' };
const OLD = 3_600_000;

describe('messages that are too old', () => {
  it('are dropped and counted, whichever segment they are in; younger ones stay', async () => {
    const broker = await openBroker(YOUNG);
    const topic = broker.topic('t');
    const channel = topic.channel('c');
    const published = Date.now();
    await broker.publish('t', bodies(100, 50));
    await until(() => channel.depth === 0, 'all dropped');
    expect(Date.now() - published).toBeGreaterThanOrEqual(AGE - 1);
    expect([channel.droppedCount, topic.limits.droppedCount]).toEqual([100, 100]);
    await broker.publish('t', 'young');
    const client = await subscribe(broker, 't', 'c', { ready: 10 });
    expect(await consume(client, 1)).toEqual(['young']);
  });

  it('go one after the other while more are published', async () => {
    const broker = await openBroker(YOUNG);
    const channel = broker.topic('t').channel('c');
    const sent = new Map<number, number>();
    for (let i = 0; channel.droppedCount < 20; i++) {
      sent.set(i, Date.now());
      await broker.publish('t', `${i}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    const [first] = await take(client, 1);
    const age = Date.now() - sent.get(Number(first!.body))!;
    expect(age).toBeLessThan(AGE + 100);
    expect(Number(first!.body)).toBeGreaterThanOrEqual(20);
  });

  it('may be finished while they are in flight; given back, they are gone', async () => {
    const broker = await openBroker(YOUNG);
    const channel = broker.topic('t').channel('c');
    const client = await subscribe(broker, 't', 'c', { ready: 3 });
    await broker.publish('t', bodies(4, 20));
    const [a, b, c] = await take(client, 3);
    client.send('RDY 0\n', `REQ ${c!.id} ${OLD}\n`);
    await until(() => channel.droppedCount === 2, 'what was not delivered, and what was deferred, dropped');
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 2, deferred: 0 });
    client.send(`FIN ${a!.id}\n`, `REQ ${b!.id} 0\n`);
    await settled(client);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
    expect(channel.droppedCount).toBe(3);
  });

  it('are not those that were published deferred and are due: their age begins then', async () => {
    const broker = await openBroker(YOUNG);
    const channel = broker.topic('t').channel('c');
    await broker.publish('t', 'deferred', { deferMs: AGE * 2 });
    await broker.publish('t', 'now');
    await until(() => channel.droppedCount === 1, 'the other one dropped');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    expect(texts(await take(client, 1))).toEqual(['deferred']);
    client.close();
    await broker.publish('t', 'deferred too', { deferMs: AGE });
    await until(() => channel.droppedCount === 3, 'both dropped some time after they were due');
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
  });

  it('are dropped without a channel and while the topic is paused', async () => {
    const broker = await openBroker(YOUNG);
    await broker.publish('none', bodies(10, 20));
    const paused = broker.topic('paused');
    paused.channel('c');
    paused.pause(true);
    await broker.publish('paused', bodies(10, 20));
    await broker.publish('paused', 'later', { deferMs: OLD });
    await until(() => broker.topic('none').depth === 0, 'dropped without a channel');
    await until(() => paused.depth === 1, 'dropped while paused');
    paused.pause(false);
    expect(countsOf(paused.channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 1 });
  });

  it('are dropped in ephemeral topics and channels', async () => {
    const broker = await openBroker(YOUNG);
    const channel = broker.topic('t#ephemeral').channel('c');
    await broker.publish('t#ephemeral', bodies(10, 20));
    await until(() => channel.depth === 0 && channel.droppedCount === 10, 'dropped');
  });

  it('are found after a restart, message by message', async () => {
    const broker = await openBroker({ maxBytesPerFile: 2000 });
    const channel = broker.topic('t').channel('c');
    broker.topic('t').channel('other');
    await broker.publish('t', 'deferred', { deferMs: OLD });
    for (let i = 0; i < 100; i += 10) await broker.publish('t', bodies(10, 50, i));
    const client = await subscribe(broker, 't', 'c', { ready: 30 });
    await take(client, 30);
    const middle = Date.now();
    await until(() => Date.now() > middle + 300, 'time passes');
    await broker.publish('t', bodies(20, 50, 100));
    expect(channel.depth).toBe(90);
    const again = await restart(broker, { maxTopicAge: 300, maxBytesPerFile: 2000 });
    const found = again.topic('t').channel('c');
    await until(() => found.droppedCount === 100 || Date.now() > middle + 600, 'the old ones dropped');
    expect([found.droppedCount, found.depth, found.deferredCount]).toEqual([100, 20, 1]);
    const reader = await subscribe(again, 't', 'c', { ready: 100 });
    expect(numbersOf(await consume(reader, 20))[0]).toBe(100);
    await until(() => again.topic('t').channel('other').depth === 0, 'the rest dropped in the other channel');
    expect(again.topic('t').channel('other').droppedCount).toBe(120);
    // What was dropped stays so, and what is deferred is still there.
    const third = await restart(again);
    expect(countsOf(third.topic('t').channel('other'))).toEqual({ depth: 0, inFlight: 0, deferred: 1 });
    expect(countsOf(third.topic('t').channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 1 });
  });
});

it('an age is read on at the right message after a read that failed and a compaction', async () => {
  const options = { compactionInterval: 0, maxBytesPerFile: 2e6, httpAddress: '' };
  const first = await openBroker(options);
  const channel = first.topic('t').channel('c');
  const past = { hi: 0, lo: 0 };
  setStamp(past, Date.now() - OLD);
  for (const body of bodies(600, 1000)) first.topic('t').publish(past, Buffer.from(body), 0, 1000);
  first.turn.run();
  const youngFrom = Date.now();
  for (let n = 600; n < 1000; n += 100) await first.publish('t', bodies(100, 1000, n));
  const consumer = new FakeConsumer(channel, 2000);
  first.turn.run();
  for (const { n } of consumer.deliveries) n < 600 ? consumer.fin(n) : consumer.req(n, OLD);
  first.turn.run();
  await first.close();

  const age = 2200;
  let reads = 0;
  const files: Files = {
    ...REAL_FILES,
    read: (fd, buf, offset, length, position, done) => {
      // What comes first is read, what is next to it is not.
      if (++reads === 1) REAL_FILES.read(fd, buf, offset, length, position, done);
      else setImmediate(done, new Error('EIO: put in the way'), 0);
    },
  };
  const broker = new Broker({ ...options, dataPath: first.dataPath, maxTopicAge: age }, files);
  await broker.start();
  cleanup(() => broker.close());
  await until(() => reads >= 3, 'the reader waits for its next try');
  files.read = REAL_FILES.read;
  await broker.publish('t', 'of another file');
  await new Compactor(broker).run();
  expect(broker.topic('t').log.compactions).toBe(1);
  const held = broker.topic('t').channel('c');
  expect(held.deferredCount).toBe(400);
  await until(() => held.droppedCount > 0, 'dropped when they are old');
  expect(Date.now() - youngFrom).toBeGreaterThanOrEqual(age);
  await until(() => held.deferredCount === 0, 'all of them');
});
