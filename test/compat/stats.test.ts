import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { sized } from '../support/wire.js';
import { http, open, statsOf } from './brokers.js';

/** Without what differs from run to run. */
function stable(stats: string): string {
  return stats
    .replace(/"version":"[\d.]+",/, '"version":"",')
    .replace(/"start_time":\d+/, '"start_time":0')
    .replace(/"connect_ts":\d+/g, '"connect_ts":0')
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS');
}

const TLS =
  '"tls":false,"tls_cipher_suite":"","tls_version":"","tls_negotiated_protocol":"",' +
  '"tls_negotiated_protocol_is_mutual":false';
const LATENCY = '"e2e_processing_latency":{"count":0,"percentiles":null}';

describe('the JSON of /stats', () => {
  it('has every field of nsqd, in its order', async () => {
    const broker = await open();
    const consumer = await RawClient.connect(broker.tcpAddress);
    const fields = {
      client_id: 'id',
      hostname: 'host',
      user_agent: 'agent/1',
      topology_region: 'r',
      topology_zone: 'z',
    };
    expect(await consumer.request('IDENTIFY\n', sized(JSON.stringify(fields)))).toBe('OK');
    expect(await consumer.request('SUB t c\n')).toBe('OK');
    consumer.send('RDY 1\n');
    const producer = await RawClient.connect(broker.tcpAddress);
    for (const body of ['1', '22']) await producer.request('PUB t\n', sized(body));
    await consumer.nextMessage();

    expect(stable(await statsOf(broker, 't'))).toBe(
      '{"version":"","health":"OK","start_time":0,"topics":[{"topic_name":"t","channels":[{"channel_name":"c","depth":1,' +
        '"backend_depth":0,"in_flight_count":1,"deferred_count":0,"message_count":2,"global_msg_count":1,' +
        '"requeue_count":0,"timeout_count":0,"client_count":1,"clients":[{"client_id":"id","hostname":"host",' +
        '"version":"V2","remote_address":"ADDRESS","state":3,"ready_count":1,"in_flight_count":1,"message_count":1,' +
        '"finish_count":0,"requeue_count":0,"connect_ts":0,"sample_rate":0,"deflate":false,"snappy":false,' +
        `"user_agent":"agent/1","topology_zone":"z","topology_region":"r",${TLS}}],"paused":false,${LATENCY}}],` +
        `"depth":0,"backend_depth":0,"message_count":2,"message_bytes":3,"paused":false,${LATENCY}}],` +
        '"producers":[{"client_id":"127.0.0.1","hostname":"127.0.0.1","version":"V2","remote_address":"ADDRESS",' +
        '"state":0,"ready_count":0,"in_flight_count":0,"message_count":0,"finish_count":0,"requeue_count":0,' +
        '"connect_ts":0,"sample_rate":0,"deflate":false,"snappy":false,"user_agent":"","topology_zone":"",' +
        `"topology_region":"","pub_counts":[{"topic":"t","count":2}],${TLS}}]}`,
    );
  });

  it('counts deliveries, and shows none as a field that is not there', async () => {
    const broker = await open();
    const consumer = await RawClient.connect(broker.tcpAddress);
    expect(await consumer.request('SUB t c\n')).toBe('OK');
    expect(await statsOf(broker, 't')).not.toContain('global_msg_count');
    consumer.send('RDY 1\n');
    await broker.publish('t', 'x');
    const { id } = await consumer.nextMessage();
    consumer.send(`REQ ${id} 0\n`);
    await consumer.nextMessage();
    expect(JSON.parse(await statsOf(broker, 't')).topics[0].channels[0]).toMatchObject({
      global_msg_count: 2,
      message_count: 1,
      requeue_count: 1,
    });
  });

  it('counts deliveries by how near they went, with the experiment', async () => {
    const broker = await open({
      topologyZone: 'zone',
      topologyRegion: 'region',
      experiments: ['topology-aware-consumption'],
    });
    for (const place of [{ topology_zone: 'zone' }, { topology_region: 'region' }, undefined]) {
      const consumer = await RawClient.connect(broker.tcpAddress);
      if (place) await consumer.request('IDENTIFY\n', sized(JSON.stringify(place)));
      expect(await consumer.request('SUB t c\n')).toBe('OK');
      consumer.send('RDY 1\n');
      await broker.publish('t', 'x');
      await consumer.nextMessage();
    }
    expect(await statsOf(broker, 't')).toContain(
      '"message_count":3,"zone_local_msg_count":1,"region_local_msg_count":1,"global_msg_count":1,"requeue_count":0,',
    );
  });

  it('has null for a topic that is not there, and no topic for a channel that is not there', async () => {
    const broker = await open();
    await broker.publish('t', 'x');
    expect(JSON.parse(await statsOf(broker, 'other'))).toMatchObject({ topics: null, producers: null });
    const { body } = await http(broker, 'GET', '/stats?format=json&topic=t&channel=c');
    expect(JSON.parse(body)).toMatchObject({ topics: [], producers: null });
  });
});

describe('a full ephemeral channel', () => {
  it('counts what it had to drop, as nsqd does', async () => {
    const broker = await open({ memQueueSize: 5 });
    const consumer = await RawClient.connect(broker.tcpAddress);
    expect(await consumer.request('SUB t c#ephemeral\n')).toBe('OK');
    for (let i = 0; i < 12; i++) await broker.publish('t', `m${i}`);
    expect(JSON.parse(await statsOf(broker, 't')).topics[0].channels[0]).toMatchObject({
      depth: 5,
      message_count: 12,
    });
    consumer.send('RDY 20\n');
    const bodies: string[] = [];
    for (let i = 0; i < 5; i++) bodies.push((await consumer.nextMessage()).body.toString());
    expect(bodies).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  });
});
