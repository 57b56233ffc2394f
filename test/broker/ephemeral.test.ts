import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { Topic } from '../../src/broker/topic.js';
import { countsOf, openBroker, restart } from './support/brokers.js';
import { consume, numbered, settled, subscribe } from './support/clients.js';

const TOPIC = 't#ephemeral';

function files({ dataPath }: Broker): string[] {
  return readdirSync(dataPath, { recursive: true }).map(String).sort();
}

function bytesOf(topic: Topic): number {
  return [...topic.log.segments].reduce((sum, { size }) => sum + size, 0);
}

/** Publishes so many messages of 1000 bytes. */
async function publishMuch(broker: Broker, topic: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 500) {
    await broker.publish(
      topic,
      Array.from({ length: 500 }, (_, n) => String(i + n).padEnd(1000, '.')),
    );
  }
}

describe('an ephemeral topic', () => {
  it('never touches the disk, nor do its channels', async () => {
    const broker = await openBroker();
    await broker.publish(TOPIC, numbered(10));
    const client = await subscribe(broker, TOPIC, 'c', { ready: 5 });
    await consume(client, 10);
    broker.topic(TOPIC).pause(true);
    broker.turn.run();
    expect(files(broker)).toEqual(['nsq-data', 'nsq-data/lock', 'nsq-data/topics']);
    expect((await restart(broker)).topics.size).toBe(0);
  });

  it('keeps the oldest messages while it has no channel, and says OK for the others', async () => {
    const broker = await openBroker({ memQueueSize: 5 });
    for (const body of numbered(8)) await broker.publish(TOPIC, body);
    expect([broker.topic(TOPIC).depth, broker.topic(TOPIC).messageCount]).toEqual([5, 8]);
    const client = await subscribe(broker, TOPIC, 'c', { ready: 10 });
    expect(await consume(client, 5)).toEqual(numbered(5));
  });

  it('goes with its last channel, at the latest when that loses its consumer', async () => {
    const broker = await openBroker();
    const durable = await subscribe(broker, TOPIC, 'durable');
    const passing = await subscribe(broker, TOPIC, 'passing#ephemeral');
    durable.close();
    passing.close();
    const topic = broker.topic(TOPIC);
    await expect.poll(() => [...topic.channels.keys()], { interval: 5 }).toEqual(['durable']);
    expect(broker.topics.get(TOPIC)).toBe(topic);
    topic.deleteChannel('durable');
    expect(broker.topics.size).toBe(0);
  });

  it('keeps its messages while it is paused, no more than its bound', async () => {
    const broker = await openBroker({ memQueueSize: 3 });
    const client = await subscribe(broker, TOPIC, 'c', { ready: 10 });
    broker.topic(TOPIC).pause(true);
    for (const body of numbered(5)) await broker.publish(TOPIC, body);
    broker.topic(TOPIC).pause(false);
    expect(await consume(client, 3)).toEqual(numbered(3));
  });

  it('keeps no memory for messages that its channels gave up', async () => {
    const broker = await openBroker({ memQueueSize: 100 });
    const topic = broker.topic(TOPIC);
    const channel = topic.channel('c');
    await publishMuch(broker, TOPIC, 6000);
    expect(channel.depth).toBe(100);
    expect(bytesOf(topic)).toBeLessThan(2_000_000);
    const client = await subscribe(broker, TOPIC, 'c', { ready: 50 });
    const bodies = await consume(client, 100);
    expect(bodies.map((body) => Number.parseInt(body, 10))).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await settled(client);
    await publishMuch(broker, TOPIC, 500);
    // Those that its consumer is waiting for come on top.
    expect(await consume(client, 150)).toHaveLength(150);
    await settled(client);
    expect(channel.deferredCount + channel.inFlightCount).toBe(0);
  });
});

describe('an ephemeral channel', () => {
  const CHANNEL = 'c#ephemeral';

  it('goes with its last consumer, and what it had with it', async () => {
    const broker = await openBroker();
    await broker.publish('t', numbered(3));
    const [first, second] = [
      await subscribe(broker, 't', CHANNEL, { ready: 1 }),
      await subscribe(broker, 't', CHANNEL),
    ];
    await first.nextMessage();
    first.close();
    const topic = broker.topic('t');
    await expect.poll(() => topic.channels.get(CHANNEL)?.consumers.size, { interval: 5 }).toBe(1);
    expect(countsOf(topic.channel(CHANNEL))).toEqual({ depth: 3, inFlight: 0, deferred: 0 });
    second.close();
    await expect.poll(() => topic.channels.size, { interval: 5 }).toBe(0);
    await broker.publish('t', 'next');
    const third = await subscribe(broker, 't', CHANNEL, { ready: 5 });
    expect(await consume(third, 1)).toEqual(['next']);
  });

  it('is taken up by one who comes as the last one leaves', async () => {
    const broker = await openBroker();
    for (let i = 0; i < 20; i++) {
      const last = await subscribe(broker, 't', CHANNEL);
      last.close();
      const next = await subscribe(broker, 't', CHANNEL, { ready: 1 });
      await settled(next);
      await broker.publish('t', `message ${i}`);
      expect(await consume(next, 1)).toEqual([`message ${i}`]);
      next.close();
      await expect.poll(() => broker.topic('t').channels.size, { interval: 2 }).toBe(0);
    }
  });

  it('keeps the oldest messages of those that nobody takes', async () => {
    const broker = await openBroker({ memQueueSize: 4 });
    const client = await subscribe(broker, 't', CHANNEL);
    for (const body of numbered(9)) await broker.publish('t', body);
    const channel = broker.topic('t').channel(CHANNEL);
    expect([channel.depth, channel.messageCount, channel.lostCount]).toEqual([4, 9, 5]);
    client.send('RDY 10\n');
    expect(await consume(client, 4)).toEqual(numbered(4));
    await broker.publish('t', 'next');
    expect(await consume(client, 1)).toEqual(['next']);
  });

  it('gets more than its bound at once if its consumers take it', async () => {
    const broker = await openBroker({ memQueueSize: 4 });
    const client = await subscribe(broker, 't', CHANNEL, { ready: 50 });
    await settled(client);
    await broker.publish('t', numbered(50));
    expect(await consume(client, 50)).toEqual(numbered(50));
  });

  it('gives up no deferred message for those that wait', async () => {
    const broker = await openBroker({ memQueueSize: 2 });
    const client = await subscribe(broker, 't', CHANNEL);
    for (const body of numbered(4)) {
      await broker.publish('t', 'later', { deferMs: 60_000 });
      await broker.publish('t', body);
    }
    const channel = broker.topic('t').channel(CHANNEL);
    expect(countsOf(channel)).toEqual({ depth: 2, inFlight: 0, deferred: 4 });
    client.send('RDY 10\n');
    expect(await consume(client, 2)).toEqual(numbered(2));
    await settled(client);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: 0, deferred: 4 });
  });

  it('is not there after a restart, and leaves the messages of others alone', async () => {
    const first = await openBroker();
    const client = await subscribe(first, 't', CHANNEL, { ready: 10 });
    first.topic('t').channel('durable');
    await first.publish('t', numbered(3));
    await consume(client, 3);
    const second = await restart(first);
    expect([...second.topic('t').channels.keys()]).toEqual(['durable']);
    expect(second.topic('t').channel('durable').depth).toBe(3);
  });

  it('holds no files that hold only what it gave up', async () => {
    const broker = await openBroker({ memQueueSize: 100, maxBytesPerFile: 100_000 });
    await subscribe(broker, 't', CHANNEL);
    const topic = broker.topic('t');
    await publishMuch(broker, 't', 3000);
    expect(bytesOf(topic)).toBeLessThan(1_600_000);
    await expect
      .poll(() => files(broker).filter((name) => name.endsWith('.log')).length, { interval: 5 })
      .toBeLessThan(4);
  });
});
