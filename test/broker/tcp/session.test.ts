import { describe, expect, it } from 'vitest';
import { mpubBody, sized, u32 } from '../../support/wire.js';
import { openBroker, statsOf } from '../support/brokers.js';
import { connect, consume, identify, numbered, settled, subscribe, take, texts } from '../support/clients.js';

describe('a connection', () => {
  it.each(['  V1', 'GET ', '\0\0\0\0', 'V2  '])('with the magic %j is told so and closed', async (magic) => {
    const broker = await openBroker();
    const client = await connect(broker, { magic });
    expect(await client.next()).toMatchObject({ type: 'error', text: 'E_BAD_PROTOCOL' });
    await client.ended();
    expect(broker.topics.size).toBe(0);
  });

  it('may send its magic bit by bit, and commands with it', async () => {
    const broker = await openBroker();
    const client = await connect(broker, { magic: '' });
    client.send(' ');
    client.send(' V');
    client.send('2PUB t\n', sized('a'));
    expect(await client.next()).toMatchObject({ text: 'OK' });
  });

  it('without a magic is closed in the end', async () => {
    const broker = await openBroker({ clientTimeout: 60 });
    const client = await connect(broker, { magic: ' ' });
    await client.ended();
  });

  it.each([
    ['an unknown command', 'BOGUS x\n', 'E_INVALID invalid command BOGUS'],
    ['an empty line', '\n', 'E_INVALID invalid command '],
    ['PUB without a topic', 'PUB\n', 'E_INVALID PUB insufficient number of parameters'],
    ['PUB to a bad topic', 'PUB a$b\n', 'E_BAD_TOPIC PUB topic name "a$b" is not valid'],
    [
      'MPUB to a bad topic',
      `MPUB ${'x'.repeat(65)}\n`,
      `E_BAD_TOPIC MPUB topic name "${'x'.repeat(65)}" is not valid`,
    ],
    ['DPUB without a delay', 'DPUB t\n', 'E_INVALID DPUB insufficient number of parameters'],
    ['DPUB with a bad delay', 'DPUB t x\n', 'E_INVALID DPUB could not parse timeout x'],
    [
      'DPUB with a delay too long',
      'DPUB t 3600001\n',
      'E_INVALID DPUB timeout 3600001 out of range 0-3600000',
    ],
    [
      'DPUB with a delay past any',
      'DPUB t 009223372036854775807\n',
      'E_INVALID DPUB timeout 9223372036854775807 out of range 0-3600000',
    ],
    ['SUB without a channel', 'SUB t\n', 'E_INVALID SUB insufficient number of parameters'],
    ['SUB to a bad topic', 'SUB t# c\n', 'E_BAD_TOPIC SUB topic name "t#" is not valid'],
    ['SUB to a bad channel', 'SUB t c#\n', 'E_BAD_CHANNEL SUB channel name "c#" is not valid'],
    ['AUTH where there is none', `AUTH\n${u32(1).toString('latin1')}x`, 'E_AUTH_DISABLED AUTH disabled'],
  ])('that sends %s is told so and closed', async (_what, line, error) => {
    const broker = await openBroker();
    const client = await connect(broker);
    client.send(line);
    expect(await client.next()).toMatchObject({ type: 'error', text: error });
    await client.ended();
    expect(broker.topics.size).toBe(0);
    await (await connect(broker)).request('PUB t\n', sized('unharmed'));
  });

  it('that ends within a message leaves nothing of it', async () => {
    const broker = await openBroker();
    const client = await connect(broker);
    await client.request('PUB t\n', sized('whole'));
    client.send('PUB t\n', u32(10), 'cut');
    client.close();
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
    expect(broker.topic('t').depth).toBe(1);
  });

  it('gets the answers to commands it sent before a bad one', async () => {
    const broker = await openBroker();
    const client = await connect(broker);
    client.send('PUB t\n', sized('a'), 'MPUB t\n', mpubBody(['b', 'c']), 'BOGUS\n', 'PUB t\n', sized('d'));
    expect(await client.next()).toMatchObject({ text: 'OK' });
    expect(await client.next()).toMatchObject({ text: 'OK' });
    expect(await client.next()).toMatchObject({ code: 'E_INVALID' });
    await client.ended();
    expect(broker.topic('t').depth).toBe(3);
  });

  it('takes messages as large as allowed, and batches', async () => {
    const broker = await openBroker();
    const large = Buffer.alloc(1 << 20, 'abcdefghi');
    const client = await connect(broker);
    await client.request('PUB t\n', sized(large));
    const batch = Array.from({ length: 5 }, (_, i) => Buffer.alloc((1 << 20) - 8, `${i}`));
    await client.request('MPUB t\n', mpubBody(batch));
    await client.request('DPUB t 1\n', sized(large));
    const reader = await subscribe(broker, 't', 'c', { ready: 10 });
    const messages = await take(reader, 7);
    const sizes = messages.map(({ body }) => body.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2 * large.length + batch.length * ((1 << 20) - 8));
    const bodies = messages.map(({ body }) => body);
    for (const body of [large, ...batch]) expect(bodies.some((it) => it.equals(body))).toBe(true);
    client.send('PUB t\n', u32((1 << 20) + 1));
    expect(await client.next()).toMatchObject({ code: 'E_BAD_MESSAGE' });
  });

  it('gets a deferred message when it is due, not before', async () => {
    const broker = await openBroker();
    const reader = await subscribe(broker, 't', 'c', { ready: 10 });
    const client = await connect(broker);
    const start = performance.now();
    await client.request('DPUB t 80\n', sized('second'));
    await client.request('DPUB t 40\n', sized('first'));
    await client.request('DPUB t 0\n', sized('now'));
    expect(texts(await take(reader, 3))).toEqual(['now', 'first', 'second']);
    expect(performance.now() - start).toBeGreaterThan(78);
  });
});

describe('heartbeats', () => {
  it('come at the interval, and keep a client that answers', async () => {
    const broker = await openBroker({ clientTimeout: 80 });
    const client = await connect(broker, { answerHeartbeats: true });
    const start = performance.now();
    await expect.poll(() => client.heartbeats, { interval: 5 }).toBeGreaterThanOrEqual(4);
    expect(performance.now() - start).toBeGreaterThan(150);
    expect(client.closed).toBe(false);
    await client.request('PUB t\n', sized('a'));
  });

  it('that are missed twice close the client, and its messages go on', async () => {
    const broker = await openBroker({ clientTimeout: 80 });
    await broker.publish('t', 'a');
    const start = performance.now();
    const client = await subscribe(broker, 't', 'c', { ready: 1 });
    await take(client, 1);
    await client.ended();
    expect(performance.now() - start).toBeGreaterThan(78);
    expect(client.heartbeats).toBeGreaterThanOrEqual(1);
    const next = await subscribe(broker, 't', 'c', { ready: 1 });
    expect(await take(next, 1)).toMatchObject([{ attempts: 2 }]);
  });

  it('are not sent to a client that wants none, and it stays', async () => {
    const broker = await openBroker({ clientTimeout: 40 });
    const client = await connect(broker);
    await identify(client, { heartbeat_interval: -1 });
    const other = await connect(broker);
    await other.ended();
    expect(client.heartbeats).toBe(0);
    await client.request('PUB t\n', sized('a'));
  });
});

describe('IDENTIFY', () => {
  it('answers OK, or with what holds if the client negotiates', async () => {
    const broker = await openBroker({ maxRdyCount: 77, topologyZone: 'z', topologyRegion: 'r' });
    const client = await connect(broker);
    expect(await identify(client, {})).toBe('OK');
    const answer = await identify(client, {
      feature_negotiation: true,
      msg_timeout: 5000,
      sample_rate: 10,
      output_buffer_size: 4096,
      output_buffer_timeout: 100,
    });
    expect(JSON.parse(answer)).toEqual({
      max_rdy_count: 77,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      max_msg_timeout: 900_000,
      msg_timeout: 5000,
      tls_v1: false,
      deflate: false,
      deflate_level: 6,
      max_deflate_level: 6,
      snappy: false,
      sample_rate: 10,
      auth_required: false,
      output_buffer_size: 4096,
      output_buffer_timeout: 100,
      topology_region: 'r',
      topology_zone: 'z',
    });
  });

  it.each<[string, unknown, boolean]>([
    ['heartbeat_interval', -1, true],
    ['heartbeat_interval', 999, false],
    ['heartbeat_interval', 1000, true],
    ['heartbeat_interval', 60_000, true],
    ['heartbeat_interval', 60_001, false],
    ['heartbeat_interval', -2, false],
    ['output_buffer_size', -1, true],
    ['output_buffer_size', 63, false],
    ['output_buffer_size', 64, true],
    ['output_buffer_size', 65_536, true],
    ['output_buffer_size', 65_537, false],
    ['output_buffer_timeout', -1, true],
    ['output_buffer_timeout', 24, false],
    ['output_buffer_timeout', 25, true],
    ['output_buffer_timeout', 30_000, true],
    ['output_buffer_timeout', 30_001, false],
    ['msg_timeout', 999, false],
    ['msg_timeout', 1000, true],
    ['msg_timeout', 900_000, true],
    ['msg_timeout', 900_001, false],
    ['msg_timeout', -1, false],
    ['sample_rate', 0, true],
    ['sample_rate', 99, true],
    ['sample_rate', 100, false],
    ['sample_rate', -1, false],
    ['sample_rate', '5', false],
    ['client_id', 5, false],
    ['tls_v1', 'yes', false],
    ['msg_timeout', 1.5, false],
    ['unknown', { a: 1 }, true],
  ])('with %s %j: %j', async (field, value, good) => {
    const broker = await openBroker();
    const client = await connect(broker);
    const answer = await identify(client, { [field]: value }).catch((error: Error) => error.message);
    if (good) expect(answer).toBe('OK');
    else {
      expect(answer).toMatch(/^E_BAD_BODY IDENTIFY /);
      await client.ended();
    }
  });

  it.each(['', '{', '[]', '1', '"x"', '{"a":}'])('refuses %j', async (body) => {
    const broker = await openBroker();
    const client = await connect(broker);
    client.send('IDENTIFY\n', sized(body));
    expect(await client.next()).toMatchObject({ code: 'E_BAD_BODY' });
    await client.ended();
  });

  it('is too late after SUB', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c');
    await expect(identify(client, {})).rejects.toThrow('E_INVALID cannot IDENTIFY in current state');
  });

  it('cannot ask for two compressions', async () => {
    const broker = await openBroker();
    const client = await connect(broker);
    const both = { feature_negotiation: true, snappy: true, deflate: true };
    await expect(identify(client, both)).rejects.toThrow('E_IDENTIFY_FAILED');
  });

  it('says who the client is', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', {
      identify: {
        client_id: 'me',
        hostname: 'here',
        user_agent: 'test/1',
        topology_zone: 'z',
        topology_region: 'r',
      },
    });
    await settled(client);
    expect(statsOf(broker).topics![0]!.channels[0]!.clients).toMatchObject([
      {
        client_id: 'me',
        hostname: 'here',
        user_agent: 'test/1',
        topology_zone: 'z',
        topology_region: 'r',
        state: 3,
      },
    ]);
  });
});

describe('a subscriber', () => {
  it('may publish too, and gets the OK and the message', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { ready: 10 });
    client.send('MPUB t\n', mpubBody(numbered(5)));
    const frames = [];
    for (let i = 0; i < 6; i++) frames.push(await client.next());
    expect(frames.filter(({ type }) => type === 'response')).toMatchObject([{ text: 'OK' }]);
    for (const { id } of client.messages) client.send(`FIN ${id}\n`);
    expect(texts(client.messages)).toEqual(numbered(5));
    await settled(client);
    expect(await consume(client, 0)).toEqual([]);
    expect(broker.topic('t').channel('c').inFlightCount).toBe(0);
  });
});
