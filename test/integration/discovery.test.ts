import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { Consumer, type ConsumerOptions, type Message } from '../../src/client/index.js';
import type { Lookupd } from '../../src/lookupd/index.js';
import { openBroker, restart } from '../broker/support/brokers.js';
import { ask, lookupdOf, producersOf, until } from '../lookupd/support/lookupd.js';
import { cleanup } from '../support/temp.js';

const LOCAL = { broadcastAddress: '127.0.0.1', httpAddress: '127.0.0.1:0' };
/** A polled lookupd would be asked again after this: what is found earlier was announced. */
const NEVER = 300_000;

function brokerAt(lookupds: readonly Lookupd[], tcpAddress = '127.0.0.1:0'): Promise<Broker> {
  return openBroker({ ...LOCAL, tcpAddress, lookupdTcpAddresses: lookupds.map((it) => it.tcpAddress) });
}

function consumerAt(lookupds: readonly Lookupd[], options: Partial<ConsumerOptions> = {}): Consumer {
  const consumer = new Consumer({
    topic: 't',
    channel: 'c',
    lookupdHttpAddresses: lookupds.map((it) => it.httpAddress),
    lookupdPollInterval: NEVER,
    maxInFlight: 100,
    ...options,
  });
  cleanup(() => consumer.close({ timeout: 0 }));
  return consumer;
}

/** Finishes so many messages; their bodies, sorted. */
async function receive(consumer: Consumer, count: number): Promise<string[]> {
  const bodies: string[] = [];
  for await (const message of consumer as AsyncIterable<Message>) {
    bodies.push(message.text());
    message.finish();
    if (bodies.length === count) break;
  }
  return bodies.sort();
}

describe('brokers, a lookupd and a consumer', () => {
  it('the consumer gets what is published on every broker, also on one that is started later', async () => {
    const lookupd = await lookupdOf(LOCAL);
    const [one, two] = await Promise.all([brokerAt([lookupd]), brokerAt([lookupd])]);
    const consumer = consumerAt([lookupd]);
    await consumer.connect();
    await one.publish('t', 'on one');
    await two.publish('t', 'on two');
    expect(await receive(consumer, 2)).toEqual(['on one', 'on two']);
    const three = await brokerAt([lookupd]);
    const connected = once(consumer, 'connect');
    const started = performance.now();
    await three.publish('t', 'on three');
    await connected;
    const found = performance.now() - started;
    expect(await receive(consumer, 1)).toEqual(['on three']);
    expect(found).toBeLessThan(1000);
  });

  it('a channel that the consumer has elsewhere gets the first message of a new broker, consumer or not', async () => {
    const lookupd = await lookupdOf(LOCAL);
    await (await brokerAt([lookupd])).topic('t').channel('c');
    await until(async () => (await ask(lookupd, '/channels?topic=t')).body.includes('"c"'));
    const later = await brokerAt([lookupd]);
    await later.publish('t', 'first');
    await until(() => Promise.resolve(later.topic('t').channels.get('c')?.depth === 1));
  });

  it('a broker that restarts is found again, with what it kept', async () => {
    const lookupd = await lookupdOf(LOCAL);
    const broker = await brokerAt([lookupd]);
    broker.topic('t').channel('c');
    await until(async () => (await producersOf(lookupd, 't')).length === 1);
    const consumer = consumerAt([lookupd]);
    await consumer.connect();
    consumer.pause();
    await broker.publish('t', 'kept');
    const options = { ...LOCAL, tcpAddress: broker.tcpAddress, lookupdTcpAddresses: [lookupd.tcpAddress] };
    await restart(broker, options);
    consumer.resume();
    expect(await receive(consumer, 1)).toEqual(['kept']);
  });

  it('a lookupd that restarts, or is gone, disturbs nothing', async () => {
    const lookupds = [await lookupdOf(LOCAL), await lookupdOf(LOCAL)] as const;
    const broker = await brokerAt(lookupds);
    broker.topic('t');
    for (const it of lookupds) await until(async () => (await producersOf(it, 't')).length === 1);
    const consumer = consumerAt(lookupds);
    await consumer.connect();
    const [first, second] = lookupds;
    await first.close();
    await second.close();
    await broker.publish('t', 'without any');
    expect(await receive(consumer, 1)).toEqual(['without any']);
    await lookupdOf({ ...LOCAL, tcpAddress: first.tcpAddress, httpAddress: first.httpAddress });
    const later = await brokerAt([first]);
    await later.publish('t', 'found again');
    expect(await receive(consumer, 1)).toEqual(['found again']);
  });

  it('a topic that is deleted is not made anew by its consumer (#343)', async () => {
    const lookupd = await lookupdOf(LOCAL);
    const broker = await brokerAt([lookupd]);
    broker.topic('t');
    await until(async () => (await producersOf(lookupd, 't')).length === 1);
    const consumer = consumerAt([lookupd], { reconnectDelay: 200 });
    await consumer.connect();
    const disconnected = once(consumer, 'disconnect');
    broker.deleteTopic('t');
    await disconnected;
    await until(async () => (await producersOf(lookupd, 't')).length === 0);
    // The next broker is found, and the old one was not come back to.
    const later = await brokerAt([lookupd]);
    await later.publish('t', 'elsewhere');
    expect(await receive(consumer, 1)).toEqual(['elsewhere']);
    expect(broker.topics.has('t')).toBe(false);
  });
});
