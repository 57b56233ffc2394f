import { Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanup } from '../../support/temp.js';
import { mpubBody } from '../../support/wire.js';
import { openBroker } from '../support/brokers.js';
import { consume, numbered, subscribe } from '../support/clients.js';
import { http } from '../support/http.js';

const LIMITS = { httpAddress: '127.0.0.1:0', maxMsgSize: 1000, maxBodySize: 4000 };
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

const message = (code: string): string => JSON.stringify({ message: code });

describe('every route', () => {
  it.each([
    ['GET /ping', 200, 'OK'],
    ['POST /ping', 405, message('METHOD_NOT_ALLOWED')],
    ['HEAD /ping', 405, ''],
    ['GET /nope', 404, message('NOT_FOUND')],
    ['GET /', 404, message('NOT_FOUND')],
    ['POST /pub?topic=t', 400, message('MSG_EMPTY')],
    ['GET /pub?topic=t', 405, message('METHOD_NOT_ALLOWED')],
    ['POST /mpub', 400, message('MISSING_ARG_TOPIC')],
    ['POST /mpub?topic=t', 200, 'OK'],
    ['POST /topic/create', 400, message('MISSING_ARG_TOPIC')],
    ['POST /topic/create?topic=t%24', 400, message('INVALID_TOPIC')],
    ['POST /topic/create?topic=new', 200, ''],
    ['POST /topic/delete', 400, message('MISSING_ARG_TOPIC')],
    ['POST /topic/delete?topic=none', 404, message('TOPIC_NOT_FOUND')],
    ['POST /topic/delete?topic=there', 200, ''],
    ['POST /topic/empty', 400, message('MISSING_ARG_TOPIC')],
    ['POST /topic/empty?topic=a+b', 400, message('INVALID_TOPIC')],
    ['POST /topic/empty?topic=none', 404, message('TOPIC_NOT_FOUND')],
    ['POST /topic/empty?topic=there', 200, ''],
    ['POST /topic/pause', 400, message('MISSING_ARG_TOPIC')],
    ['POST /topic/pause?topic=none', 404, message('TOPIC_NOT_FOUND')],
    ['POST /topic/pause?topic=there', 200, ''],
    ['POST /topic/unpause?topic=there', 200, ''],
    ['GET /topic/unpause?topic=there', 405, message('METHOD_NOT_ALLOWED')],
    ['POST /channel/create?topic=there&channel=new', 200, ''],
    ['POST /channel/create?topic=none&channel=new', 404, message('TOPIC_NOT_FOUND')],
    ...['create', 'delete', 'empty', 'pause', 'unpause'].flatMap((what): [string, number, string][] => [
      [`POST /channel/${what}`, 400, message('MISSING_ARG_TOPIC')],
      [`POST /channel/${what}?topic=there`, 400, message('MISSING_ARG_CHANNEL')],
      [`POST /channel/${what}?topic=%24&channel=c`, 400, message('INVALID_ARG_TOPIC')],
      [`POST /channel/${what}?topic=there&channel=`, 400, message('INVALID_ARG_CHANNEL')],
      [`POST /channel/${what}?topic=none&channel=c`, 404, message('TOPIC_NOT_FOUND')],
      [`POST /channel/${what}?topic=there&channel=c`, 200, ''],
      [`GET /channel/${what}?topic=there&channel=c`, 405, message('METHOD_NOT_ALLOWED')],
    ]),
    ...['delete', 'empty', 'pause', 'unpause'].map((what): [string, number, string] => [
      `POST /channel/${what}?topic=there&channel=none`,
      404,
      message('CHANNEL_NOT_FOUND'),
    ]),
    ['PUT /config/log_level', 413, message('INVALID_VALUE')],
    ['POST /config/log_level', 405, message('METHOD_NOT_ALLOWED')],
    ['GET /config/nope', 400, message('INVALID_OPTION')],
    ['GET /config/toString', 400, message('INVALID_OPTION')],
    ['GET /config/', 404, message('NOT_FOUND')],
    ['GET /config/a/b', 404, message('NOT_FOUND')],
    ['GET /stats?topic=%zz', 400, message('INVALID_REQUEST')],
    ['GET /stats?a=b;c=d', 400, message('INVALID_REQUEST')],
    ['POST /topic/create?topic=%ff%fe', 400, message('INVALID_TOPIC')],
  ])('%s: %i', async (line, status, text) => {
    const broker = await openBroker(LIMITS);
    broker.topic('there').channel('c');
    const answer = await http(broker, line);
    expect([answer.status, answer.text]).toEqual([status, text]);
    const isPing = line.endsWith(' /ping') && status === 200;
    if (!isPing) expect(answer.headers['x-nsq-content-type']).toBe('nsq; version=1.0');
    const plain = text === 'OK' ? TEXT_TYPE : undefined;
    const wanted = status === 200 ? plain : JSON_TYPE;
    expect(answer.headers['content-type']).toBe(wanted);
    expect(broker.topics.has('none')).toBe(false);
  });

  it.each([
    ['OPTIONS /pub', 200, 'OPTIONS, POST'],
    ['OPTIONS /ping', 200, 'GET, OPTIONS'],
    ['OPTIONS /config/log_level', 200, 'GET, OPTIONS, PUT'],
    ['DELETE /topic/create', 405, 'OPTIONS, POST'],
    ['GET /mpub', 405, 'OPTIONS, POST'],
  ])('%s: %i, Allow: %s', async (line, status, allow) => {
    const answer = await http(await openBroker(LIMITS), line);
    expect([answer.status, answer.headers.allow]).toEqual([status, allow]);
  });

  it.each([
    ['GET /ping/', 301, '/ping'],
    ['GET /STATS?format=json', 301, '/stats?format=json'],
    ['POST /pub/?topic=t', 308, '/pub?topic=t'],
    ['POST /Topic/Create?topic=t', 308, '/topic/create?topic=t'],
  ])('%s: %i to %s', async (line, status, location) => {
    const answer = await http(await openBroker(LIMITS), line);
    expect([answer.status, answer.headers.location]).toEqual([status, location]);
  });

  it('does what it says to topics and channels', async () => {
    const broker = await openBroker(LIMITS);
    const post = async (path: string): Promise<void> => {
      expect((await http(broker, `POST ${path}`)).status).toBe(200);
    };
    await post('/topic/create?topic=t');
    const topic = broker.topics.get('t')!;
    await post('/channel/create?topic=t&channel=c');
    const channel = topic.channels.get('c')!;
    await broker.publish('t', numbered(3));
    await post('/channel/pause?topic=t&channel=c');
    await post('/topic/pause?topic=t');
    await broker.publish('t', 'kept');
    expect([topic.paused, channel.paused, topic.depth, channel.depth]).toEqual([true, true, 1, 3]);
    await post('/channel/empty?topic=t&channel=c');
    await post('/topic/empty?topic=t');
    expect([topic.depth, channel.depth]).toEqual([0, 0]);
    await post('/topic/unpause?topic=t');
    await post('/channel/unpause?topic=t&channel=c');
    expect([topic.paused, channel.paused]).toEqual([false, false]);
    const client = await subscribe(broker, 't', 'c');
    await post('/channel/delete?topic=t&channel=c');
    await client.ended();
    await post('/topic/delete?topic=t');
    expect(broker.topics.size).toBe(0);
  });
});

describe('/pub and /mpub', () => {
  it.each([
    ['/pub?topic=t', 'one\ntwo\n', ['one\ntwo\n']],
    ['/pub?topic=t&topic=other', 'a', ['a']],
    ['/pub?topic=t&defer=0', 'a', ['a']],
    ['/pub?topic=t&defer=%2b1', 'a', ['a']],
    ['/mpub?topic=t', 'a\n\nb\r\nc', ['a', 'b\r', 'c']],
    ['/mpub?topic=t&binary=false', 'a\nb\n', ['a', 'b']],
    ['/mpub?topic=t&binary=0', 'a\nb\n', ['a', 'b']],
    ['/mpub?topic=t&binary=true', mpubBody(['a\n', 'b']).subarray(4), ['a\n', 'b']],
    ['/mpub?topic=t&binary', mpubBody(['a', 'b']).subarray(4), ['a', 'b']],
    ['/mpub?topic=t&binary=whatever', mpubBody(['a', 'b']).subarray(4), ['a', 'b']],
  ])('POST %s of %j', async (path, body, wanted) => {
    const broker = await openBroker(LIMITS);
    const answer = await http(broker, `POST ${path}`, { body });
    expect([answer.status, answer.text]).toEqual([200, 'OK']);
    const client = await subscribe(broker, 't', 'c', { ready: 10 });
    expect(await consume(client, wanted.length)).toEqual(wanted);
  });

  const large = 'x'.repeat(1001);
  it.each<[string, Buffer | string, number, string]>([
    ['/pub', 'a', 400, 'MISSING_ARG_TOPIC'],
    ['/pub?topic', 'a', 400, 'INVALID_TOPIC'],
    ['/pub?topic=t&defer=-1', 'a', 400, 'INVALID_DEFER'],
    ['/pub?topic=t&defer=1.5', 'a', 400, 'INVALID_DEFER'],
    ['/pub?topic=t&defer=', 'a', 400, 'INVALID_DEFER'],
    ['/pub?topic=t&defer=3600001', 'a', 400, 'INVALID_DEFER'],
    ['/pub?topic=t', large, 413, 'MSG_TOO_BIG'],
    ['/mpub?topic=t', `a\n${large}`, 413, 'MSG_TOO_BIG'],
    ['/mpub?topic=t', 'a\n'.repeat(2001), 413, 'BODY_TOO_BIG'],
    ['/mpub?topic=t&binary=true', 'abc', 413, 'BAD_BODY'],
    ['/mpub?topic=t&binary=true', mpubBody(['a', large]).subarray(4), 413, 'BAD_MESSAGE'],
    ['/mpub?topic=t&binary=true', mpubBody(['a', '']).subarray(4), 413, 'BAD_MESSAGE'],
    ['/mpub?topic=t&binary=true', mpubBody(['a', 'b']).subarray(4, -1), 413, 'BAD_MESSAGE'],
  ])('POST %s refuses what is wrong, and keeps nothing of it', async (path, body, status, code) => {
    const broker = await openBroker(LIMITS);
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
      const answer = await http(broker, `POST ${path}`, { body, headers });
      expect([answer.status, answer.text]).toEqual([status, message(code)]);
    }
    expect(broker.topics.get('t')?.messageCount ?? 0).toBe(0);
  });

  it('take a body in chunks', async () => {
    const broker = await openBroker(LIMITS);
    const headers = { 'Transfer-Encoding': 'chunked' };
    expect((await http(broker, 'POST /pub?topic=t', { body: 'abc', headers })).text).toBe('OK');
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    expect(await consume(client, 1)).toEqual(['abc']);
  });

  it('refuse a body by its announced length, before it comes', async () => {
    const broker = await openBroker(LIMITS);
    const { hostname, port } = new URL(`http://${broker.httpAddress}`);
    const socket = connect(Number(port), hostname);
    cleanup(() => socket.destroy());
    socket.write('POST /pub?topic=t HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('MSG_TOO_BIG');
  });

  it('serve many at once, all of one connection in order', async () => {
    const broker = await openBroker(LIMITS);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    cleanup(() => agent.destroy());
    const answers = await Promise.all(
      numbered(200).map((body) => http(broker, 'POST /pub?topic=t', { body, agent })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const client = await subscribe(broker, 't', 'c', { ready: 50 });
    expect((await consume(client, 200)).sort()).toEqual(numbered(200).sort());
  });

  it('keep the connection after a refusal', async () => {
    const broker = await openBroker(LIMITS);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => agent.destroy());
    const ports = new Set<number | undefined>();
    broker.http.server.on('request', (request) => ports.add(request.socket.remotePort));
    for (const [line, status] of [
      ['POST /pub?topic=$', 400],
      ['POST /nope', 404],
      ['GET /pub', 405],
      ['POST /topic/delete?topic=none', 404],
      ['POST /pub?topic=t', 200],
    ] as const) {
      expect((await http(broker, line, { body: line.startsWith('GET') ? '' : 'a', agent })).status).toBe(
        status,
      );
    }
    expect(ports.size).toBe(1);
  });

  it('answer a broken request without harm', async () => {
    const broker = await openBroker(LIMITS);
    const { hostname, port } = new URL(`http://${broker.httpAddress}`);
    for (const bytes of ['nonsense\r\n\r\n', 'GET ping HTTP/1.1\r\n\r\n', '\0\0\0\0\r\n\r\n']) {
      const socket = connect(Number(port), hostname);
      cleanup(() => socket.destroy());
      socket.write(bytes);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect((await http(broker, 'GET /ping')).text).toBe('OK');
  });

  it('leave nothing of a body that is cut', async () => {
    const broker = await openBroker(LIMITS);
    const { hostname, port } = new URL(`http://${broker.httpAddress}`);
    const socket = connect(Number(port), hostname);
    const arrived = new Promise((resolve) => broker.http.server.once('request', resolve));
    socket.write('POST /pub?topic=t HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
    await arrived;
    socket.destroy();
    expect((await http(broker, 'POST /pub?topic=t', { body: 'whole' })).text).toBe('OK');
    expect(broker.topic('t').messageCount).toBe(1);
  });
});

describe('/info and /ping', () => {
  it('say it as Go does: nothing that may not stand within HTML', async () => {
    const broker = await openBroker({ ...LIMITS, broadcastAddress: '<me>&\u2028' });
    const { text } = await http(broker, 'GET /info');
    expect(text).toContain('"broadcast_address":"\\u003cme\\u003e\\u0026\\u2028"');
  });

  it('say who the broker is', async () => {
    const broker = await openBroker({
      ...LIMITS,
      broadcastAddress: 'me.example',
      topologyZone: 'z',
      topologyRegion: 'r',
    });
    const answer = await http(broker, 'GET /info');
    expect(JSON.parse(answer.text)).toEqual({
      version: broker.version,
      broadcast_address: 'me.example',
      hostname: expect.any(String),
      http_port: Number(broker.httpAddress.split(':')[1]),
      tcp_port: Number(broker.tcpAddress.split(':')[1]),
      start_time: Math.floor(broker.startedAt / 1000),
      max_heartbeat_interval: 60e9,
      max_output_buffer_size: 65536,
      max_output_buffer_timeout: 30e9,
      max_deflate_level: 6,
      topology_zone: 'z',
      topology_region: 'r',
    });
  });

  it('say what is wrong, until it is right again', async () => {
    const broker = await openBroker(LIMITS);
    broker.storageResult(broker.topic('t'), 'messages', new Error('no space left'));
    const answer = await http(broker, 'GET /ping');
    expect([answer.status, answer.text]).toEqual([500, 'NOK - no space left']);
    expect(JSON.parse((await http(broker, 'GET /stats?format=json')).text)).toMatchObject({
      health: 'NOK - no space left',
    });
    await broker.publish('t', 'a');
    expect((await http(broker, 'GET /ping')).text).toBe('OK');
  });
});
