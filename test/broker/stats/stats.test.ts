import { describe, expect, it } from 'vitest';
import { sized } from '../../support/wire.js';
import { openBroker } from '../support/brokers.js';
import { connect, identify, numbered, settled, subscribe, take } from '../support/clients.js';
import { http } from '../support/http.js';

const HTTP = { httpAddress: '127.0.0.1:0' };

type Json = Record<string, unknown>;

async function busy() {
  const broker = await openBroker(HTTP);
  await broker.publish('t', numbered(10));
  await broker.publish('other', 'x');
  const client = await subscribe(broker, 't', 'c', {
    ready: 4,
    identify: { client_id: 'me', hostname: 'here', user_agent: 'u/1' },
  });
  const [a, b] = await take(client, 4);
  client.send('RDY 0\n', `FIN ${a!.id}\n`, `REQ ${b!.id} 60000\n`);
  await settled(client);
  const publisher = await connect(broker);
  await publisher.request('PUB t\n', sized('12345'));
  await publisher.request('PUB t\n', sized('6'));
  await publisher.request('PUB other\n', sized('y'));
  broker.topic('t').channel('idle').pause(true);
  const read = async (query: string): Promise<Json & { topics: Json[] | null; producers: Json[] | null }> =>
    JSON.parse((await http(broker, `GET /stats?format=json&${query}`)).text);
  return { broker, client, read };
}

describe('/stats', () => {
  it('says everything about a topic, a channel and a client', async () => {
    const { broker, client, read } = await busy();
    const stats = await read('topic=t');
    expect(stats).toEqual({
      version: broker.version,
      health: 'OK',
      start_time: Math.floor(broker.startedAt / 1000),
      memory: expect.objectContaining({
        heap_in_use_bytes: expect.any(Number),
        gc_total_runs: expect.any(Number),
      }),
      topics: [
        {
          topic_name: 't',
          channels: [
            expect.anything(),
            expect.objectContaining({ channel_name: 'idle', paused: true, depth: 0 }),
          ],
          depth: 0,
          backend_depth: 0,
          message_count: 12,
          message_bytes: 96,
          paused: false,
          e2e_processing_latency: { count: 0, percentiles: null },
        },
      ],
      producers: [expect.objectContaining({ pub_counts: [{ topic: 't', count: 2 }] })],
    });
    expect((stats.topics![0]!.channels as Json[])[0]).toEqual({
      channel_name: 'c',
      depth: 8,
      backend_depth: 0,
      in_flight_count: 2,
      deferred_count: 1,
      message_count: 12,
      global_msg_count: 4,
      requeue_count: 1,
      timeout_count: 0,
      client_count: 1,
      clients: [
        {
          client_id: 'me',
          hostname: 'here',
          version: 'V2',
          remote_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          state: 3,
          ready_count: 0,
          in_flight_count: 2,
          message_count: 4,
          finish_count: 1,
          requeue_count: 1,
          connect_ts: expect.any(Number),
          sample_rate: 0,
          deflate: false,
          snappy: false,
          user_agent: 'u/1',
          topology_zone: '',
          topology_region: '',
          tls: false,
          tls_cipher_suite: '',
          tls_version: '',
          tls_negotiated_protocol: '',
          tls_negotiated_protocol_is_mutual: false,
        },
      ],
      paused: false,
      e2e_processing_latency: { count: 0, percentiles: null },
    });
    expect(client.closed).toBe(false);
  });

  it('leaves out what is not asked for', async () => {
    const { read } = await busy();
    const names = async (query: string): Promise<unknown> =>
      (await read(query)).topics?.map((topic) => [
        topic.topic_name,
        (topic.channels as Json[]).map((channel) => channel.channel_name),
      ]);
    expect(await names('')).toEqual([
      ['other', []],
      ['t', ['c', 'idle']],
    ]);
    expect(await names('topic=t&channel=idle')).toEqual([['t', ['idle']]]);
    expect(await names('channel=c')).toEqual([['t', ['c']]]);
    expect(await names('topic=t&channel=none')).toEqual([]);
    expect((await read('topic=none')).topics).toBeNull();
    const plain = await read('include_clients=false&include_mem=0&topic=t');
    expect([plain.memory, plain.producers]).toEqual([undefined, null]);
    expect((plain.topics![0]!.channels as Json[]).map(({ clients }) => clients)).toEqual([null, null]);
  });

  it('says it in text, in columns', async () => {
    const { broker } = await busy();
    const { text } = await http(broker, 'GET /stats');
    const lines = text.split('\n');
    expect(lines.slice(0, 5)).toEqual([
      expect.stringMatching(/^nsqd v\S+ \(built w\/node/),
      expect.stringMatching(/^start_time \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      expect.stringMatching(/^uptime \S+$/),
      '',
      'Health: OK',
    ]);
    expect(text).toContain('\nMemory:\n   heap_objects             \t');
    expect(text).toContain(
      '\nTopics:\n   [other          ] depth: 2     be-depth: 0     msgs: 2        e2e%: \n\n' +
        '   [t              ] depth: 0     be-depth: 0     msgs: 12       e2e%: \n' +
        '      [c                        ] depth: 8     be-depth: 0     inflt: 2    def: 1    re-q: 1     timeout: 0     msgs: 12       e2e%: \n' +
        '        [V2 here:',
    );
    expect(text).toMatch(/ state: 3 inflt: 2 {4}rdy: 0 {4}fin: 1 {8}re-q: 1 {8}msgs: 4 {8}connected: \d+s\n/);
    expect(text).toContain('\n   *P [idle                     ] depth: 0 ');
    expect(text).toMatch(
      /\nProducers:\n {3}\[V2 127\.0\.0\.1:\d+ {2,}\] msgs: 3 {8}topics: t=2,other=1 connected: \d+s\n$/,
    );
  });

  it('says that there is nothing', async () => {
    const broker = await openBroker(HTTP);
    const { text } = await http(broker, 'GET /stats?include_mem=false');
    expect(text).toMatch(/Health: OK\n\nTopics: None\n\nProducers: None\n$/);
  });

  it('counts what is on disk only as such', async () => {
    const broker = await openBroker({ ...HTTP, cacheSize: 0 });
    for (let i = 0; i < 40; i++) await broker.publish('t', 'x'.repeat(10_000));
    const topic = broker.topic('t');
    expect(topic.backendDepth).toBeGreaterThan(10);
    expect(topic.backendDepth).toBeLessThanOrEqual(topic.depth);
    const channel = topic.channel('c');
    expect(channel.backendDepth).toBeGreaterThan(10);
  });

  it('forgets a client that is gone, and keeps the counts of one that identified', async () => {
    const { broker, client } = await busy();
    client.close();
    await expect.poll(() => broker.topic('t').channel('c').consumers.size, { interval: 5 }).toBe(0);
    const other = await connect(broker);
    await identify(other, { client_id: 'idle' });
    const stats = JSON.parse((await http(broker, 'GET /stats?format=json&topic=t')).text) as {
      producers: unknown[];
    };
    expect(stats.producers).toHaveLength(1);
    expect(broker.topic('t').channel('c').inFlightCount).toBe(0);
  });
});
