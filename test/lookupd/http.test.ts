import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { startLookupd } from '../../src/lookupd/index.js';
import { ask, lookupdOf, producersOf, ScriptedBroker, until } from './support/lookupd.js';

const JSON_TYPE = 'application/json; charset=utf-8';

describe('HTTP API', () => {
  it.each([
    ['/topics?a=%zz', 200, { topics: [] }],
    ['/channels?topic=none', 200, { channels: [] }],
    ['/nodes', 200, { producers: [] }],
    ['/debug', 200, {}],
    ['/lookup?topic=%zz', 400, { message: 'INVALID_REQUEST' }],
    ['/lookup?topic=', 404, { message: 'TOPIC_NOT_FOUND' }],
    ['/lookup?topic=*', 404, { message: 'TOPIC_NOT_FOUND' }],
    ['POST /topic/create?topic=', 400, { message: 'INVALID_ARG_TOPIC' }],
    ['POST /channel/create?topic=t', 400, { message: 'MISSING_ARG_CHANNEL' }],
    ['POST /channel/create?topic=t&channel=$', 400, { message: 'INVALID_ARG_CHANNEL' }],
    ['POST /channel/delete?topic=$', 400, { message: 'INVALID_ARG_TOPIC' }],
    ['POST /topic/delete', 400, { message: 'MISSING_ARG_TOPIC' }],
    ['POST /topic/tombstone?topic=t', 400, { message: 'MISSING_ARG_NODE' }],
    ['POST /lookup', 405, { message: 'METHOD_NOT_ALLOWED' }],
    ['/topic/create?topic=t', 405, { message: 'METHOD_NOT_ALLOWED' }],
    ['/debug/pprof', 404, { message: 'NOT_FOUND' }],
  ])('%s: %i', async (request, status, json) => {
    const answer = await ask(await lookupdOf(), request);
    expect(answer).toMatchObject({ status, json });
    expect(answer.headers.get('content-type')).toBe(JSON_TYPE);
    expect(answer.headers.get('x-nsq-content-type')).toBe('nsq; version=1.0');
  });

  it.each([
    ['/TOPICS/', 301, '/topics'],
    ['//lookup?topic=t&x=1', 301, '/lookup?topic=t&x=1'],
    ['POST /topic/create/?topic=t', 308, '/topic/create?topic=t'],
  ])('%s: redirected', async (request, status, location) => {
    const answer = await ask(await lookupdOf(), request);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('location')).toBe(location);
    const link = `<a href="${location.replace('&', '&amp;')}">Moved Permanently</a>.\n\n`;
    expect(answer.body).toBe(status === 301 ? link : '');
  });

  it.each([
    ['GET', '/a/.././lookup?topic=t', 301],
    ['OPTIONS', '*', 200],
    ['GET', '/%70ing', 200],
    ['POST', '/topic%2Fcreate?topic=t%20t', 400],
    ['HEAD', '/%6cookup?topic=t', 405],
    ['GET', '/ping%zz', 400],
    ['GET', '/%C3%28', 404],
  ])('%s %s: %i, as by Go', async (method, path, status) => {
    const { httpAddress } = await lookupdOf();
    const [hostname, port] = httpAddress.split(':');
    const request = httpRequest({ hostname, port, method, path, agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(status);
    response.resume();
  });

  it('a wildcard deletes nothing', async () => {
    const lookupd = await lookupdOf();
    await ask(lookupd, 'POST /topic/create?topic=t');
    expect((await ask(lookupd, 'POST /topic/delete?topic=*')).status).toBe(200);
    expect((await ask(lookupd, '/topics')).json.topics).toEqual(['t']);
  });

  it('/nodes tells where each broker is, its topics and which of them are tombstoned', async () => {
    const lookupd = await lookupdOf({ tombstoneLifetime: 60_000 });
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t c', 'REGISTER u');
    await ask(lookupd, 'POST /topic/tombstone?topic=t&node=a:2');
    const { json } = await ask(lookupd, '/nodes');
    expect(json.producers).toEqual([
      {
        remote_address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        hostname: 'a',
        broadcast_address: 'a',
        tcp_port: 1,
        http_port: 2,
        version: '1.3.0',
        topology_zone: '',
        topology_region: '',
        tombstones: [true, false],
        topics: ['t', 'u'],
      },
    ]);
    await a.send('UNREGISTER u');
    expect((await ask(lookupd, '/nodes')).json.producers).toMatchObject([{ topics: ['t'] }]);
  });

  it('a tombstone ends with its lifetime, while the registration stays', async () => {
    const lookupd = await lookupdOf({ tombstoneLifetime: 30 });
    await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    await ask(lookupd, 'POST /topic/tombstone?topic=t&node=a:2');
    await until(async () => (await producersOf(lookupd, 't')).length === 1);
  });

  it('/debug tells all that is known of each registration', async () => {
    const lookupd = await lookupdOf();
    await ScriptedBroker.start(lookupd, 'a', 'REGISTER t c');
    await ask(lookupd, 'POST /topic/tombstone?topic=t&node=a:2');
    const { json } = await ask(lookupd, '/debug');
    expect(Object.keys(json)).toEqual(['channel:t:c', 'client::', 'topic:t:']);
    expect(json).toMatchObject({
      'client::': [{ hostname: 'a', tombstoned: false, last_update: expect.any(Number) }],
      'topic:t:': [{ id: expect.stringContaining('127.0.0.1:'), tombstoned: true }],
    });
    const [client = {}] = json['client::'] as unknown as object[];
    expect(Object.keys(client)).toEqual(Object.keys(client).sort());
  });

  it('a deleted topic that a broker registers again is listed (#877, #1009)', async () => {
    const lookupd = await lookupdOf();
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t c');
    await ask(lookupd, 'POST /topic/delete?topic=t');
    await a.send('UNREGISTER t');
    await a.send('REGISTER t');
    expect((await ask(lookupd, '/topics')).json.topics).toEqual(['t']);
    expect(await producersOf(lookupd, 't')).toEqual(['a']);
  });
});

describe('startLookupd', () => {
  it('listens on IPv6 too where the original does: on all addresses, which is the default', async () => {
    const lookupd = await lookupdOf({ tcpAddress: '0.0.0.0:0', httpAddress: '0.0.0.0:0' });
    const port = lookupd.httpAddress.split(':').pop();
    const hasIpv6 = networkInterfaces().lo?.some(({ family }) => family === 'IPv6');
    for (const host of hasIpv6 ? ['127.0.0.1', '[::1]'] : ['127.0.0.1'])
      expect(await (await fetch(`http://${host}:${port}/ping`)).text()).toBe('OK');
  });

  it('says what is in the way', async () => {
    const lookupd = await lookupdOf();
    await expect(startLookupd({ tcpAddress: lookupd.tcpAddress })).rejects.toMatchObject({
      code: 'E_LISTEN',
    });
    await expect(startLookupd({ httpAddress: lookupd.httpAddress })).rejects.toMatchObject({
      code: 'E_LISTEN',
    });
    await expect(startLookupd({ tombstoneLifetime: -1 })).rejects.toMatchObject({ code: 'E_OPTION' });
    await expect(startLookupd({ tcpAddress: '4160' })).rejects.toMatchObject({ code: 'E_OPTION' });
  });

  it('leaves no address taken when it could not start', async () => {
    const lookupd = await lookupdOf();
    const free = await startLookupd();
    await free.close();
    const { tcpAddress } = free;
    await expect(startLookupd({ tcpAddress, httpAddress: lookupd.httpAddress })).rejects.toThrow('in use');
    await (await startLookupd({ tcpAddress })).close();
  });

  it('closes with brokers connected', async () => {
    const lookupd = await startLookupd();
    const a = await ScriptedBroker.start(lookupd, 'a', 'REGISTER t');
    await lookupd.close();
    await a.raw.ended();
    await expect(fetch(`http://${lookupd.httpAddress}/ping`)).rejects.toThrow();
  });
});
