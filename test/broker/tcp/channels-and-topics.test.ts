import { describe, expect, it } from 'vitest';
import type { Channel } from '../../../src/broker/channel.js';
import { countsOf, openBroker, statsOf } from '../support/brokers.js';
import { connect, consume, identify, numbered, settled, subscribe, take, texts } from '../support/clients.js';

const NONE = { depth: 0, inFlight: 0, deferred: 0 };

describe('channels of one topic', () => {
  it('get every message each', async () => {
    const broker = await openBroker();
    const [a, b] = [
      await subscribe(broker, 't', 'a', { ready: 5 }),
      await subscribe(broker, 't', 'b', { ready: 5 }),
    ];
    await broker.publish('t', numbered(5));
    expect(await consume(a, 5)).toEqual(numbered(5));
    expect(await consume(b, 5)).toEqual(numbered(5));
  });

  it('come with the messages that are published after them, but the first with all there are', async () => {
    const broker = await openBroker();
    await broker.publish('t', 'before');
    const first = broker.topic('t').channel('first');
    const second = broker.topic('t').channel('second');
    await broker.publish('t', 'after');
    expect([first.depth, second.depth]).toEqual([2, 1]);
  });
});

describe('a channel', () => {
  const busy = async (): Promise<{ broker: Awaited<ReturnType<typeof openBroker>>; channel: Channel }> => {
    const broker = await openBroker();
    const channel = broker.topic('t').channel('c');
    await broker.publish('t', numbered(10));
    await broker.publish('t', 'later', { deferMs: 60_000 });
    return { broker, channel };
  };

  it('says at once how many messages are deferred, without a consumer', async () => {
    const { channel } = await busy();
    expect(countsOf(channel)).toEqual({ depth: 10, inFlight: 0, deferred: 1 });
  });

  it('that is emptied loses what waits, what is deferred and what is in flight', async () => {
    const { broker, channel } = await busy();
    const client = await subscribe(broker, 't', 'c', { ready: 4 });
    const [message] = await take(client, 4);
    channel.empty();
    expect(countsOf(channel)).toEqual(NONE);
    await expect(client.request(`FIN ${message!.id}\n`)).rejects.toThrow('E_FIN_FAILED');
    await broker.publish('t', numbered(6, 'new'));
    expect(await consume(client, 6)).toEqual(numbered(6, 'new'));
    await settled(client);
    expect(countsOf(channel)).toEqual(NONE);
    expect(statsOf(broker).topics![0]!.channels[0]!.clients![0]!.in_flight_count).toBe(0);
  });

  it('that is paused hands out nothing, not even what comes back, until it goes on', async () => {
    const { broker, channel } = await busy();
    const client = await subscribe(broker, 't', 'c', { ready: 2 });
    const [a, b] = await take(client, 2);
    channel.pause(true);
    client.send(`REQ ${a!.id} 0\n`, `FIN ${b!.id}\n`);
    await settled(client);
    expect(client.messages).toHaveLength(2);
    expect(countsOf(channel)).toEqual({ depth: 9, inFlight: 0, deferred: 1 });
    channel.pause(false);
    await take(client, 2);
  });

  it('that is deleted closes its consumers', async () => {
    const { broker, channel } = await busy();
    const client = await subscribe(broker, 't', 'c', { ready: 2 });
    await take(client, 2);
    broker.topic('t').deleteChannel('c');
    await client.ended();
    expect(channel.consumers.size).toBe(0);
    expect(broker.topic('t').channels.size).toBe(0);
    await broker.publish('t', 'kept');
    const next = await subscribe(broker, 't', 'c', { ready: 2 });
    expect(await consume(next, 1)).toEqual(['kept']);
  });

  it('outlives a client that asks for anything before it subscribed', async () => {
    const broker = await openBroker();
    for (const line of [
      'RDY 1',
      'FIN 0123456789abcdef',
      'REQ 0123456789abcdef 0',
      'TOUCH 0123456789abcdef',
      'CLS',
    ]) {
      const client = await connect(broker);
      client.send(`${line}\n`);
      expect(await client.next()).toMatchObject({ type: 'error', code: 'E_INVALID' });
      await client.ended();
    }
    const client = await connect(broker);
    await identify(client, { heartbeat_interval: -1 });
    client.send('SUB t c\n');
    expect(await client.next()).toMatchObject({ text: 'E_INVALID cannot SUB with heartbeats disabled' });
  });
});

describe('a topic', () => {
  it('that is deleted closes its consumers, and one of its name begins anew with other ids', async () => {
    const broker = await openBroker();
    await broker.publish('t', numbered(3));
    const client = await subscribe(broker, 't', 'c', { ready: 5 });
    const old = await take(client, 3);
    // Not written yet when the topic goes.
    const lost = broker.publish('t', 'lost');
    expect(broker.deleteTopic('t')).toBe(true);
    expect(broker.deleteTopic('t')).toBe(false);
    await client.ended();
    await lost;
    await broker.publish('t', numbered(3));
    const next = await subscribe(broker, 't', 'c', { ready: 5 });
    const messages = await take(next, 3);
    expect(texts(messages)).toEqual(numbered(3));
    expect(messages.filter(({ id }) => old.some((it) => it.id === id))).toEqual([]);
    await expect(next.request(`FIN ${old[0]!.id}\n`)).rejects.toThrow('E_FIN_FAILED');
  });

  it('that is paused keeps what is published to itself, until it goes on', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { ready: 5 });
    const topic = broker.topic('t');
    topic.pause(true);
    await broker.publish('t', numbered(3));
    await settled(client);
    expect([topic.depth, topic.channel('c').depth, client.messages.length]).toEqual([3, 0, 0]);
    topic.pause(false);
    expect(await consume(client, 3)).toEqual(numbered(3));
    expect(topic.depth).toBe(0);
  });

  it('that is emptied while it is paused passes on what comes then only', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { ready: 5 });
    const topic = broker.topic('t');
    await broker.publish('t', 'before');
    topic.pause(true);
    await broker.publish('t', numbered(3));
    await broker.publish('t', 'later', { deferMs: 1 });
    topic.empty();
    expect([topic.depth, topic.channel('c').depth]).toEqual([0, 0]);
    await broker.publish('t', 'after');
    topic.pause(false);
    expect(await consume(client, 2)).toEqual(['before', 'after']);
    await settled(client);
    expect(countsOf(topic.channel('c'))).toEqual(NONE);
  });

  it.each(['.', '..', '-', 'a.b', 'x'.repeat(64)])('may be called %s', async (name) => {
    const broker = await openBroker();
    await broker.publish(name, 'a');
    const client = await subscribe(broker, name, name, { ready: 1 });
    expect(await consume(client, 1)).toEqual(['a']);
    broker.deleteTopic(name);
    await client.ended();
  });
});
