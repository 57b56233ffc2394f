import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { http, open, statsOf } from './brokers.js';

describe('an HTTP request', () => {
  it('may have long headers and a long query', async () => {
    const broker = await open();
    const headers = { 'X-Long': 'x'.repeat(100_000) };
    expect((await http(broker, 'GET', '/ping', { headers })).status).toBe(200);
    expect((await http(broker, 'GET', `/ping?x=${'x'.repeat(20_000)}`)).body).toBe('OK');
  });

  it('may name the whole URL, as it does behind a proxy', async () => {
    const broker = await open();
    const answer = await http(broker, 'POST', 'http://nsqd:4151/topic/create?topic=t');
    expect(answer.status).toBe(200);
    expect(JSON.parse(await statsOf(broker, 't')).topics).toHaveLength(1);
    expect((await http(broker, 'GET', 'http://nsqd/ping')).body).toBe('OK');
  });

  it('is sent to the right path if a slash or the case is off', async () => {
    const broker = await open();
    expect(await http(broker, 'GET', '/ping/')).toMatchObject({
      status: 301,
      headers: { location: '/ping' },
    });
    expect(await http(broker, 'POST', '//pub?topic=t')).toMatchObject({
      status: 308,
      headers: { location: '/pub?topic=t' },
    });
    expect(await http(broker, 'POST', '/Topic/Create?topic=t')).toMatchObject({
      status: 308,
      headers: { location: '/topic/create?topic=t' },
    });
    expect(await http(broker, 'GET', '/PUB')).toMatchObject({ status: 404 });
  });

  it('leaves its connection open, without an end that the client must know', async () => {
    const broker = await open();
    const answer = await http(broker, 'GET', '/ping', { headers: { Connection: 'keep-alive' } });
    expect(answer.headers).not.toHaveProperty('keep-alive');
    expect(answer.headers.connection).toBe('keep-alive');
  });

  it.each([
    ['/pub?topic=t', '', 400, 'MSG_EMPTY'],
    ['/pub', 'x', 400, 'MISSING_ARG_TOPIC'],
    ['/pub?topic=', 'x', 400, 'INVALID_TOPIC'],
    ['/pub?topic=a+b', 'x', 400, 'INVALID_TOPIC'],
    ['/pub?topic=%zz', 'x', 400, 'INVALID_REQUEST'],
    ['/pub?topic=t&x=%', 'x', 400, 'INVALID_REQUEST'],
    ['/pub?topic=t;channel=c', 'x', 400, 'INVALID_REQUEST'],
    ['/pub?topic=t&defer=', 'x', 400, 'INVALID_DEFER'],
    ['/pub?topic=t&defer=-1', 'x', 400, 'INVALID_DEFER'],
    ['/pub?topic=t&defer=1.5', 'x', 400, 'INVALID_DEFER'],
    ['/pub?topic=t&defer=3600001', 'x', 400, 'INVALID_DEFER'],
    ['/mpub?topic=t&binary=yes', 'x', 413, 'BAD_BODY'],
    ['/mpub?topic=t&binary=true', '\0\0\0\u0001\0\0\0\u0005ab', 413, 'BAD_MESSAGE'],
    ['/topic/delete?topic=$', '', 404, 'TOPIC_NOT_FOUND'],
    ['/topic/pause?topic=$', '', 404, 'TOPIC_NOT_FOUND'],
    ['/topic/empty?topic=$', '', 400, 'INVALID_TOPIC'],
    ['/topic/create?topic=$', '', 400, 'INVALID_TOPIC'],
    ['/channel/create?topic=$&channel=c', '', 400, 'INVALID_ARG_TOPIC'],
    ['/channel/create?topic=t', '', 400, 'MISSING_ARG_CHANNEL'],
    ['/channel/create?topic=t&channel=$', '', 400, 'INVALID_ARG_CHANNEL'],
    ['/channel/create?topic=none&channel=c', '', 404, 'TOPIC_NOT_FOUND'],
    ['/channel/empty?topic=t&channel=none', '', 404, 'CHANNEL_NOT_FOUND'],
  ])('POST %s is refused', async (path, body, status, message) => {
    const broker = await open();
    await http(broker, 'POST', '/topic/create?topic=t');
    const answer = await http(broker, 'POST', path, { body });
    expect(answer).toMatchObject({ status, body: JSON.stringify({ message }) });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('takes the first of repeated parameters, and escaped names', async () => {
    const broker = await open();
    await http(broker, 'POST', '/pub?top%69c=%66irst%23ephemeral&topic=$', { body: 'x' });
    expect(JSON.parse(await statsOf(broker, 'first#ephemeral')).topics[0].message_count).toBe(1);
  });
});

describe('/config', () => {
  it('shows the ports that clients are told', async () => {
    const broker = await open({ broadcastHttpPort: 22 });
    const port = broker.tcpAddress.split(':')[1];
    expect((await http(broker, 'GET', '/config/broadcast_tcp_port')).body).toBe(port);
    expect((await http(broker, 'GET', '/config/broadcast_http_port')).body).toBe('22');
  });

  it('shows durations in nanoseconds, texts as they are, and a level by its number', async () => {
    const broker = await open({ msgTimeout: 1500, broadcastAddress: 'here', logLevel: 'warn' });
    const values: string[] = [];
    for (const option of ['msg_timeout', 'broadcast_address', 'log_level', 'max_rdy_count'])
      values.push((await http(broker, 'GET', `/config/${option}`)).body);
    expect(values).toEqual(['1500000000', 'here', '3', '2500']);
  });

  it.each(['constructor', 'node_id', 'log-level', 'LOG_LEVEL', 'none'])('has no %s', async (option) => {
    expect(await http(await open(), 'GET', `/config/${option}`)).toMatchObject({
      status: 400,
      body: '{"message":"INVALID_OPTION"}',
    });
  });
});

describe('the text of /stats', () => {
  it('has its columns where scripts cut them', async () => {
    const broker = await open();
    const client = await RawClient.connect(broker.tcpAddress);
    expect(await client.request('SUB topic channel\n')).toBe('OK');
    await http(broker, 'POST', '/mpub?topic=topic', { body: 'a\nb\n' });
    await http(broker, 'POST', '/channel/pause?topic=topic&channel=channel');
    const { body, headers } = await http(broker, 'GET', '/stats?include_mem=false');
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    const lines = body.split('\n');
    expect(lines[0]).toMatch(/^nsqd v\S+ \(built w\/\S+\)$/);
    expect(lines[1]).toMatch(/^start_time \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(lines.slice(3, 9)).toEqual([
      '',
      'Health: OK',
      '',
      'Topics:',
      '   [topic          ] depth: 0     be-depth: 0     msgs: 2        e2e%: ',
      '   *P [channel                  ] depth: 2     be-depth: 0     inflt: 0    def: 0    re-q: 0     timeout: 0     msgs: 2        e2e%: ',
    ]);
    expect(lines[9]).toMatch(
      /^ {8}\[V2 127\.0\.0\.1:\d+ +\] state: 3 inflt: 0 {4}rdy: 0 {4}fin: 0 {8}re-q: 0 {8}msgs: 0 {8}connected: \ds$/,
    );
    expect(lines.slice(10)).toEqual(['', 'Producers: None', '']);
  });
});
