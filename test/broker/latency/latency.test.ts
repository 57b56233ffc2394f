import { describe, expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import type { LatencyStats } from '../../../src/broker/latency/latency-stats.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { afterCrash, openBroker, restart, statsOf } from '../support/brokers.js';
import { consume, numbered, settled, subscribe, take } from '../support/clients.js';
import { FakeConsumer } from '../support/fake-consumer.js';
import { http } from '../support/http.js';

const NS_PER_MS = 1e6;
const MEASURED = { e2eProcessingLatencyPercentiles: [1, 0.5] } satisfies BrokerOptions;

function latencyOf(broker: Broker, topic: string, channel?: string): LatencyStats {
  const found = statsOf(broker).topics!.find((it) => it.topic_name === topic)!;
  if (channel === undefined) return found.e2e_processing_latency;
  return found.channels.find((it) => it.channel_name === channel)!.e2e_processing_latency;
}

/** The largest latency, in ms. */
function largest({ percentiles }: LatencyStats): number {
  return percentiles![0]!.value / NS_PER_MS;
}

/** Goes by without a message being looked at. */
async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('the time from publish to FIN', () => {
  it('is that of each message, in ns', async () => {
    const broker = await openBroker(MEASURED);
    const client = await subscribe(broker, 't', 'c', { ready: 10 });
    const before = performance.now();
    await broker.publish('t', 'slow');
    const published = performance.now();
    const [slow] = await take(client, 1);
    await pass(30);
    client.send(`FIN ${slow!.id}\n`);
    const finished = performance.now();
    await settled(client);
    const one = latencyOf(broker, 't', 'c');
    const value = largest(one);
    expect(value).toBeGreaterThanOrEqual(finished - published - 2);
    expect(value).toBeLessThanOrEqual(performance.now() - before + 2);
    expect(one).toEqual({
      count: 1,
      percentiles: [
        { quantile: 1, value: one.percentiles![0]!.value },
        { quantile: 0.5, value: one.percentiles![0]!.value },
      ],
    });

    const start = performance.now();
    await broker.publish('t', numbered(3));
    await consume(client, 3);
    await settled(client);
    const four = latencyOf(broker, 't', 'c');
    expect(four.count).toBe(4);
    expect(largest(four)).toBeGreaterThanOrEqual(value);
    expect(four.percentiles![1]!.value / NS_PER_MS).toBeLessThanOrEqual(performance.now() - start + 2);
  });

  it('counts delays, deliveries that failed, and TOUCH', async () => {
    const broker = await openBroker(MEASURED);
    const brief = await openBroker({ ...MEASURED, msgTimeout: 30 });

    const requeued = await subscribe(broker, 'requeued', 'c', { ready: 1 });
    await broker.publish('requeued', 'x');
    requeued.send(`REQ ${(await take(requeued, 1))[0]!.id} 30\n`);
    await consume(requeued, 1);
    await settled(requeued);

    const deferred = await subscribe(broker, 'deferred', 'c', { ready: 1 });
    await broker.publish('deferred', 'x', { deferMs: 30 });
    await consume(deferred, 1);
    await settled(deferred);

    const touched = await subscribe(broker, 'touched', 'c', { ready: 3 });
    await broker.publish('touched', numbered(3));
    const messages = await take(touched, 3);
    await pass(30);
    for (const { id } of messages) touched.send(`TOUCH ${id}\n`, `FIN ${id}\n`);
    await settled(touched);

    const lost = await subscribe(broker, 'lost', 'c', { ready: 1 });
    await broker.publish('lost', 'x');
    await take(lost, 1);
    await pass(30);
    lost.close();
    const heir = await subscribe(broker, 'lost', 'c', { ready: 1 });
    await consume(heir, 1);
    await settled(heir);

    const late = await subscribe(brief, 'timed-out', 'c', { ready: 1 });
    await brief.publish('timed-out', 'x');
    const [, again] = await take(late, 2);
    late.send(`FIN ${again!.id}\n`);
    await settled(late);

    for (const topic of ['requeued', 'deferred', 'touched', 'lost', 'timed-out']) {
      const latency = latencyOf(topic === 'timed-out' ? brief : broker, topic, 'c');
      expect([topic, latency.count]).toEqual([topic, topic === 'touched' ? 3 : 1]);
      expect(latency.percentiles![1]!.value / NS_PER_MS).toBeGreaterThanOrEqual(28);
    }
  });

  it('is not that of messages that are not finished', async () => {
    const broker = await openBroker(MEASURED);
    const channel = broker.topic('t').channel('c');
    const consumer = new FakeConsumer(channel, 5);
    await broker.publish('t', numbered(5));
    broker.turn.run();
    consumer.req(0);
    consumer.leave();
    expect(consumer.fin(1)).toBe(false);
    channel.empty();
    expect(latencyOf(broker, 't', 'c').count).toBe(0);
  });

  it.each([
    ['a restart', restart],
    ['a crash', afterCrash],
  ])('goes on over %s; what was measured before is forgotten', async (_name, again) => {
    const first = await openBroker(MEASURED);
    const client = await subscribe(first, 't', 'c', { ready: 2 });
    await first.publish('t', numbered(2));
    const [one] = await take(client, 2);
    client.send(`FIN ${one!.id}\n`);
    await settled(client);
    expect(latencyOf(first, 't').count).toBe(1);
    await pass(30);

    const second = await again(first, MEASURED);
    expect(latencyOf(second, 't')).toEqual({
      count: 0,
      percentiles: [
        { quantile: 1, value: 0 },
        { quantile: 0.5, value: 0 },
      ],
    });
    const next = await subscribe(second, 't', 'c', { ready: 2 });
    await consume(next, 1);
    await settled(next);
    const { count } = latencyOf(second, 't', 'c');
    expect(count).toBe(1);
    expect(largest(latencyOf(second, 't', 'c'))).toBeGreaterThanOrEqual(28);
  });

  it('holds for messages of many sizes that come and go in runs, and in any order', async () => {
    const broker = await openBroker({ ...MEASURED, cacheSize: 0, maxBytesPerFile: 64 * 1024 });
    const channel = broker.topic('t').channel('c');
    const consumer = new FakeConsumer(channel);
    const started = performance.now();
    for (let round = 0; round < 40; round++) {
      await broker.publish('t', numbered(50, 'x'.repeat((round * 997) % 3000)));
    }
    await pass(20);
    consumer.rdy(3000);
    while (consumer.deliveries.length < 2000) await pass(1);
    for (const { n } of consumer.deliveries.toReversed()) if (n % 7 !== 0) expect(consumer.fin(n)).toBe(true);
    for (const { n } of [...consumer.deliveries]) if (n % 7 === 0) consumer.req(n);
    while (consumer.inFlight < 286) await pass(1);
    for (let n = 0; n < 2000; n += 7) expect(consumer.fin(n)).toBe(true);
    const latency = latencyOf(broker, 't', 'c');
    expect(latency.count).toBe(2000);
    expect(largest(latency)).toBeLessThanOrEqual(performance.now() - started + 2);
    expect(latency.percentiles![1]!.value / NS_PER_MS).toBeGreaterThanOrEqual(18);
  });
});

describe('/stats', () => {
  it("has a topic's channels together, also where one channel is asked for", async () => {
    const broker = await openBroker({ ...MEASURED, httpAddress: '127.0.0.1:0' });
    const clients = [
      await subscribe(broker, 't', 'a', { ready: 5 }),
      await subscribe(broker, 't', 'b', { ready: 5 }),
    ];
    broker.topic('t').channel('idle');
    await broker.publish('t', numbered(2));
    await consume(clients[0]!, 2);
    await pass(20);
    await consume(clients[1]!, 2);
    for (const client of clients) await settled(client);
    const [a, b, topic] = [latencyOf(broker, 't', 'a'), latencyOf(broker, 't', 'b'), latencyOf(broker, 't')];
    expect([a.count, b.count, topic.count]).toEqual([2, 2, 4]);
    expect(largest(topic)).toBe(largest(b));
    expect(largest(a)).toBeLessThan(largest(b));

    const { text } = await http(broker, 'GET /stats?format=json&topic=t&channel=idle');
    const [asked] = (JSON.parse(text) as ReturnType<typeof statsOf>).topics!;
    expect(asked!.e2e_processing_latency).toEqual(topic);
    const nothing = [1, 0.5].map((quantile) => ({ quantile, value: 0 }));
    expect(asked!.channels.map((it) => it.e2e_processing_latency)).toEqual([
      { count: 0, percentiles: nothing },
    ]);
    expect(text).toContain('"e2e_processing_latency":{"count":4,"percentiles":[{"quantile":1,"value":');
  });

  it('prints the values behind e2e%, and what was dropped behind them', async () => {
    const broker = await openBroker({ ...MEASURED, httpAddress: '127.0.0.1:0' });
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    broker.topic('none');
    broker.topic('t').channel('c').droppedCount = 3;
    const lines = async () => (await http(broker, 'GET /stats?include_clients=false')).text.split('\n');
    const row = (name: string, all: readonly string[]) => all.find((line) => line.includes(`[${name} `))!;
    const before = await lines();
    expect(row('t', before)).toMatch(/ msgs: 0 {8}e2e%: 0\.0ns, 0\.0ns$/);
    expect(row('c', before)).toMatch(/ e2e%: 0\.0ns, 0\.0ns dropped: 3$/);
    expect(row('none', before)).toMatch(/ e2e%: $/);
    await broker.publish('t', 'x');
    const [message] = await take(client, 1);
    await pass(5);
    client.send(`FIN ${message!.id}\n`);
    await settled(client);
    expect(row('t', await lines())).toMatch(/ e2e%: \d+\.\dms, \d+\.\dms$/);
  });

  it('forgets what is older than the window', async () => {
    const broker = await openBroker({ ...MEASURED, e2eProcessingLatencyWindowTime: 60 });
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    await broker.publish('t', 'x');
    await consume(client, 1);
    await settled(client);
    while (latencyOf(broker, 't', 'c').count > 0) await pass(10);
    expect(latencyOf(broker, 't').percentiles).toEqual([
      { quantile: 1, value: 0 },
      { quantile: 0.5, value: 0 },
    ]);
  });

  it('has nothing where no percentile is asked for, or a topic has no channel', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    await broker.publish('t', 'x');
    await consume(client, 1);
    await settled(client);
    const nothing = { count: 0, percentiles: null };
    expect([latencyOf(broker, 't'), latencyOf(broker, 't', 'c')]).toEqual([nothing, nothing]);
    const measured = await openBroker(MEASURED);
    measured.topic('no-channel');
    expect(latencyOf(measured, 'no-channel')).toEqual(nothing);
  });
});

describe('/config', () => {
  it.each<[string, BrokerOptions, string]>([
    ['e2e_processing_latency_percentiles', {}, '[]'],
    ['e2e_processing_latency_percentiles', MEASURED, '[1,0.5]'],
    ['e2e_processing_latency_window_time', {}, '600000000000'],
    ['e2e_processing_latency_window_time', { e2eProcessingLatencyWindowTime: 1.5 }, '1500000'],
  ])('%s with %j is %s', async (key, options, text) => {
    const broker = await openBroker({ ...options, httpAddress: '127.0.0.1:0' });
    expect((await http(broker, `GET /config/${key}`)).text).toBe(text);
  });
});
