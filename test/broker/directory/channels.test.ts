import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { ask, lookupdOf, until } from '../../lookupd/support/lookupd.js';
import { afterCrash, openBroker, restart } from '../support/brokers.js';
import { consume, subscribe } from '../support/clients.js';
import { FakeLookupd, type FakeLookupdOptions, usual } from './support/fake-lookupd.js';

/** A fake that is asked for channels when `answer()` is called, and not before. */
async function gated(json = '{"channels":["a","b"]}', options: FakeLookupdOptions = {}) {
  const waiting: ServerResponse[] = [];
  const fake = await FakeLookupd.start({ channels: (response) => void waiting.push(response), ...options });
  const answer = (): void => {
    for (const response of waiting.splice(0)) response.end(json);
  };
  return { fake, answer };
}

function brokerOf(lookupds: readonly { tcpAddress: string }[], options: BrokerOptions = {}): Promise<Broker> {
  return openBroker({
    httpAddress: '127.0.0.1:0',
    lookupdTcpAddresses: lookupds.map((it) => it.tcpAddress),
    ...options,
  });
}

const channelsOf = (broker: Broker, topic = 't'): string[] => [...broker.topic(topic).channels.keys()].sort();
const untilChannels = (broker: Broker, names: string[]): Promise<void> =>
  until(() => Promise.resolve(channelsOf(broker).join() === names.join()));

describe('the channels of a new topic', () => {
  it('that lookupd knows get its first message, ephemeral ones left out (#826)', async () => {
    const lookupd = await lookupdOf({ broadcastAddress: '127.0.0.1' });
    for (const channel of ['a', 'b', 'x%23ephemeral'])
      await ask(lookupd, `POST /channel/create?topic=t&channel=${channel}`);
    const broker = await brokerOf([lookupd]);
    await broker.publish('t', 'first');
    await untilChannels(broker, ['a', 'b']);
    for (const channel of ['a', 'b']) {
      expect(await consume(await subscribe(broker, 't', channel, { ready: 1 }), 1)).toEqual(['first']);
    }
  });

  it('are waited for: messages are taken and kept from a channel that came first', async () => {
    const { fake, answer } = await gated();
    const broker = await brokerOf([fake]);
    const client = await subscribe(broker, 't', 'own', { ready: 10 });
    await fake.until(() => fake.requests === 1);
    await broker.publish('t', ['one', 'two']);
    expect(broker.topic('t')).toMatchObject({ depth: 2, pumped: 0 });
    expect(channelsOf(broker)).toEqual(['own']);
    answer();
    expect(await consume(client, 2)).toEqual(['one', 'two']);
    expect(await consume(await subscribe(broker, 't', 'b', { ready: 2 }), 2)).toEqual(['one', 'two']);
  });

  it('are what all lookupds together know, those of one that fails left out', async () => {
    const lookupds = await Promise.all([
      FakeLookupd.start({ channels: (response) => response.end('{"channels":["a",5,null,"no good"]}') }),
      FakeLookupd.start({ channels: (response) => response.end('{"channels":["b"]}') }),
      FakeLookupd.start({ channels: (response) => response.writeHead(500).end('{}') }),
      FakeLookupd.start({ channels: (response) => response.destroy() }),
      FakeLookupd.start({ channels: (response) => response.end('no JSON') }),
    ]);
    const broker = await brokerOf(lookupds);
    const client = await subscribe(broker, 't', 'own', { ready: 1 });
    await broker.publish('t', 'first');
    expect(await consume(client, 1)).toEqual(['first']);
    expect(channelsOf(broker)).toEqual(['a', 'b', 'own']);
  });

  it('are asked for no longer than is set; then messages flow, and it is logged', async () => {
    const errors: string[] = [];
    const note = (line: string): unknown => errors.push(line);
    const logger = { debug: () => 0, info: () => 0, warn: () => 0, error: note };
    const { fake } = await gated();
    const broker = await brokerOf([fake], { httpClientRequestTimeout: 30, logger });
    const client = await subscribe(broker, 't', 'own', { ready: 1 });
    await broker.publish('t', 'first');
    expect(await consume(client, 1)).toEqual(['first']);
    expect(errors).toEqual(['TOPIC(t): no lookupd says which channels it has; asking again later']);
  });

  it('are asked for again when a lookupd that did not say is back (#973)', async () => {
    let down = true;
    const fake = await FakeLookupd.start({
      answer: (command, self) => (down ? 'E_INVALID not yet' : usual(command, self)),
      channels: (response) => response.end('{"channels":["late"]}'),
    });
    const broker = await brokerOf([fake]);
    const client = await subscribe(broker, 't', 'own', { ready: 1 });
    await broker.publish('t', 'first');
    expect(await consume(client, 1)).toEqual(['first']);
    expect(channelsOf(broker)).toEqual(['own']);
    down = false;
    await untilChannels(broker, ['late', 'own']);
  });

  it('wait for the first attempt to reach a lookupd', async () => {
    const fake = await FakeLookupd.start({ channels: (response) => response.end('{"channels":["a"]}') });
    const broker = await brokerOf([fake]);
    // Not a turn of the event loop has passed: no lookupd can be connected to.
    const published = broker.publish('t', 'first');
    expect(channelsOf(broker)).toEqual([]);
    await published;
    await untilChannels(broker, ['a']);
    expect(await consume(await subscribe(broker, 't', 'a', { ready: 1 }), 1)).toEqual(['first']);
  });

  it('wait for one that is silent from the start no longer than for a connection', async () => {
    const silent = await FakeLookupd.start({ answer: () => undefined });
    const fake = await FakeLookupd.start({ channels: (response) => response.end('{"channels":["a"]}') });
    const broker = await brokerOf([silent, fake], { httpClientConnectTimeout: 100 });
    const start = performance.now();
    await broker.publish('t', 'first');
    await untilChannels(broker, ['a']);
    expect(await consume(await subscribe(broker, 't', 'a', { ready: 1 }), 1)).toEqual(['first']);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('are not made for a topic that is gone meanwhile, nor asked for when it is not new', async () => {
    const { fake, answer } = await gated();
    const broker = await brokerOf([fake]);
    const topic = broker.topic('t');
    await fake.until(() => fake.requests === 1);
    broker.deleteTopic('t');
    answer();
    broker.topic('u');
    await fake.until(() => fake.requests === 2);
    expect(topic.channels.size).toBe(0);
    answer();
    await until(() => Promise.resolve(!broker.topic('u').held));
    await broker.publish('u', 'kept');
    const again = await restart(broker, {
      httpAddress: '127.0.0.1:0',
      lookupdTcpAddresses: [fake.tcpAddress],
    });
    await fake.until(() => fake.current.includes('REGISTER u'));
    expect(fake.requests).toBe(2);
    expect(await consume(await subscribe(again, 'u', 'a', { ready: 1 }), 1)).toEqual(['kept']);
  });

  it('are not made if the broker had and deleted them meanwhile: a lookupd may know them from it', async () => {
    const { fake, answer } = await gated();
    const broker = await brokerOf([fake]);
    const topic = broker.topic('t');
    topic.channel('a');
    await fake.until(() => fake.requests === 1);
    topic.deleteChannel('a');
    answer();
    await untilChannels(broker, ['b']);
  });

  it.each([
    ['is killed', afterCrash],
    ['is stopped', restart],
  ])('are asked for again after a start, if the broker %s before it knew them', async (_, again) => {
    const { fake, answer } = await gated();
    const broker = await brokerOf([fake]);
    await subscribe(broker, 't', 'own');
    await fake.until(() => fake.requests === 1);
    await broker.publish('t', ['one', 'two']);
    const later = await again(broker, {
      httpAddress: '127.0.0.1:0',
      lookupdTcpAddresses: [fake.tcpAddress],
    });
    await fake.until(() => fake.requests === 2);
    expect(later.topic('t')).toMatchObject({ depth: 2, pumped: 0 });
    answer();
    for (const channel of ['a', 'b', 'own'])
      expect(await consume(await subscribe(later, 't', channel, { ready: 2 }), 2)).toEqual(['one', 'two']);
  });

  it('are not waited for after a start without lookupds, nor by a topic that has them', async () => {
    const { fake, answer } = await gated();
    const broker = await brokerOf([fake]);
    await subscribe(broker, 't', 'own');
    await broker.publish('t', 'first');
    await broker.publish('u', 'first');
    await fake.until(() => fake.requests === 2);
    const alone = await afterCrash(broker, { httpAddress: '127.0.0.1:0' });
    expect(await consume(await subscribe(alone, 't', 'own', { ready: 1 }), 1)).toEqual(['first']);
    const known = await restart(alone, {
      httpAddress: '127.0.0.1:0',
      lookupdTcpAddresses: [fake.tcpAddress],
    });
    answer();
    expect(await consume(await subscribe(known, 'u', 'c', { ready: 1 }), 1)).toEqual(['first']);
    expect(fake.requests).toBe(2);
  });

  it('an ephemeral topic keeps as many messages meanwhile as it may hold', async () => {
    const { fake, answer } = await gated('{"channels":["a"]}');
    const broker = await brokerOf([fake], { memQueueSize: 2 });
    const client = await subscribe(broker, 't#ephemeral', 'own', { ready: 10 });
    await fake.until(() => fake.requests === 1);
    for (const body of ['1', '2', '3']) await broker.publish('t#ephemeral', body);
    answer();
    expect(await consume(client, 2)).toEqual(['1', '2']);
    expect(broker.topic('t#ephemeral').depth).toBe(0);
  });
});
