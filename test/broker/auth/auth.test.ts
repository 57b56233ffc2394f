import { beforeAll, describe, expect, test } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { startBroker } from '../../../src/broker/index.js';
import { ALLOW_ALL, type AuthReply, AuthServer } from '../../support/auth-server.js';
import { certificateFiles, certificates } from '../../support/certificates.js';
import type { RawClient } from '../../support/raw-client.js';
import { mpubBody, sized } from '../../support/wire.js';
import { openBroker, statsOf } from '../support/brokers.js';
import { connect, identify } from '../support/clients.js';

const ALLOWED =
  '{"identity":"somebody","identity_url":"http://example.com/?a=1\\u0026b=2","permission_count":1}';
const FAILED = 'E_AUTH_FAILED AUTH failed';

interface Setting {
  readonly auth: AuthServer;
  readonly broker: Broker;
  readonly client: RawClient;
}

async function setting(reply: AuthReply = { body: ALLOW_ALL }, options: object = {}): Promise<Setting> {
  const auth = await AuthServer.start();
  auth.reply = reply;
  const broker = await openBroker({ authHttpAddresses: [auth.address], ...options });
  return { auth, broker, client: await connect(broker) };
}

const login = (client: RawClient, secret = 'secret'): Promise<string> =>
  client.request('AUTH\n', sized(secret));

/** Answers to what is sent; the last one is what it was refused with, and then the connection ended. */
async function refusal(client: RawClient, ...parts: (Buffer | string)[]): Promise<string> {
  client.send(...parts);
  const frame = await client.next();
  await client.ended();
  return frame.type === 'error' ? frame.text : `not refused: ${JSON.stringify(frame)}`;
}

/** An answer that allows this, for an hour. */
const allow = (
  authorization: { topic?: string; channels?: string[]; permissions?: string[] },
  ttl = 3600,
): AuthReply => ({
  body: {
    ttl,
    authorizations: [
      { topic: '.*', channels: ['.*'], permissions: ['publish', 'subscribe'], ...authorization },
    ],
  },
});

const PUB = ['PUB topic\n', sized('x')];
const MPUB = ['MPUB topic\n', mpubBody(['x'])];
const DPUB = ['DPUB topic 10\n', sized('x')];
const SUB = ['SUB topic channel\n'];

describe('without auth servers', () => {
  test('AUTH is disabled', async () => {
    const client = await connect(await openBroker());
    expect(JSON.parse(await identify(client, { feature_negotiation: true })).auth_required).toBe(false);
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe('E_AUTH_DISABLED AUTH disabled');
  });
});

describe('before AUTH', () => {
  test('a client is told that it is required', async () => {
    const { client } = await setting();
    expect(JSON.parse(await identify(client, { feature_negotiation: true })).auth_required).toBe(true);
  });

  test.each([
    ['PUB', PUB],
    ['MPUB', MPUB],
    ['DPUB', DPUB],
    ['SUB', SUB],
  ])('%s is refused', async (name, command) => {
    const { broker, client } = await setting();
    expect(await refusal(client, ...command)).toBe(`E_AUTH_FIRST AUTH required before ${name}`);
    expect(broker.topics.size).toBe(0);
  });

  test('MPUB is refused before its body', async () => {
    const { client } = await setting();
    expect(await refusal(client, 'MPUB topic\n')).toBe('E_AUTH_FIRST AUTH required before MPUB');
  });

  test('what is wrong with a command is said first', async () => {
    const { broker, client } = await setting();
    expect(await refusal(client, 'SUB topic bad$\n')).toMatch(/^E_BAD_CHANNEL /);
    expect(await refusal(await connect(broker), 'DPUB topic x\n', sized('x'))).toMatch(/^E_INVALID DPUB/);
  });
});

describe('AUTH', () => {
  test('says who the client is, and lets it in', async () => {
    const { broker, client } = await setting();
    expect(await login(client)).toBe(ALLOWED);
    for (const command of [PUB, MPUB, DPUB, SUB]) expect(await client.request(...command)).toBe('OK');
    expect(broker.topics.get('topic')?.messageCount).toBe(3);
  });

  test('takes what comes behind it once it is let in', async () => {
    const { auth, client } = await setting();
    let answer = (): void => {};
    auth.reply = () =>
      new Promise((resolve) => {
        answer = () => resolve({ body: ALLOW_ALL });
      });
    client.send('AUTH\n', sized('secret'), ...PUB, ...MPUB, 'NOP\n', ...PUB);
    await expect.poll(() => auth.calls.length, { interval: 5 }).toBe(1);
    client.send(...DPUB);
    answer();
    expect((await client.next()) as unknown).toMatchObject({ text: ALLOWED });
    for (let i = 0; i < 4; i++) expect(await client.next()).toMatchObject({ text: 'OK' });
  });

  test('a client that is gone meanwhile is no trouble', async () => {
    const { auth, broker, client } = await setting();
    let answer = (): void => {};
    auth.reply = () =>
      new Promise((resolve) => {
        answer = () => resolve({ body: ALLOW_ALL });
      });
    client.send('AUTH\n', sized('secret'), ...PUB);
    await expect.poll(() => auth.calls.length, { interval: 5 }).toBe(1);
    await broker.close();
    answer();
    await client.ended();
    expect(broker.topics.size).toBe(0);
  });

  test('once is enough', async () => {
    const { client } = await setting();
    await login(client);
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe('E_INVALID AUTH already set');
  });

  test.each([
    ['E_INVALID AUTH invalid number of parameters', ['AUTH now\n', sized('secret')]],
    ['E_BAD_BODY AUTH invalid body size 0', ['AUTH\n', sized('')]],
    ['E_BAD_BODY AUTH body too big 2130706432 > 5242880', ['AUTH\n', Buffer.from([0x7f, 0, 0, 0])]],
  ])('%s', async (words, parts) => {
    const { client } = await setting();
    expect(await refusal(client, ...parts)).toBe(words);
  });

  test('is too late after SUB', async () => {
    const { client } = await setting();
    await login(client);
    await client.request(...SUB);
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe('E_INVALID cannot AUTH in current state');
  });

  const [authorization] = ALLOW_ALL.authorizations;
  test.each<[string, AuthReply]>([
    ['403', { status: 403, body: { message: 'no' } }],
    ['500', { status: 500, body: 'oops' }],
    ['no JSON', { body: 'hello' }],
    ['a list', { body: [] }],
    ['no fields', { body: {} }],
    ['a TTL of 0', { body: { ...ALLOW_ALL, ttl: 0 } }],
    ['a TTL below', { body: { ...ALLOW_ALL, ttl: -5 } }],
    ['a TTL that is not whole', { body: { ...ALLOW_ALL, ttl: 1.5 } }],
    [
      'an unknown permission',
      { body: { ...ALLOW_ALL, authorizations: [{ ...authorization, permissions: ['own'] }] } },
    ],
    ['no pattern for topics', { body: { ...ALLOW_ALL, authorizations: [{ ...authorization, topic: '(' }] } }],
    [
      'no pattern for channels',
      { body: { ...ALLOW_ALL, authorizations: [{ ...authorization, channels: ['('] }] } },
    ],
    ['more than is read', { body: { ...ALLOW_ALL, identity: 'x'.repeat(5 << 20) } }],
  ])('an answer of %s fails', async (_, reply) => {
    const { client } = await setting(reply);
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe(FAILED);
  });

  test('a server that does not answer in time fails', async () => {
    const { auth, client } = await setting({ body: '' }, { httpClientRequestTimeout: 50 });
    auth.reply = () => new Promise(() => {});
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe(FAILED);
  });

  test('no authorizations are not enough', async () => {
    const { client } = await setting({ body: { ttl: 10, authorizations: [] } });
    const words = 'E_UNAUTHORIZED AUTH no authorizations found';
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe(words);
  });
});

describe('permissions', () => {
  const denied = (name: string, channel = ''): string =>
    `E_UNAUTHORIZED AUTH failed for ${name} on "topic" "${channel}"`;
  const CASES: [string, Parameters<typeof allow>[0], (Buffer | string)[], string][] = [
    ['only to subscribe', { permissions: ['subscribe'] }, PUB, denied('PUB')],
    ['only to subscribe', { permissions: ['subscribe'] }, MPUB, denied('MPUB')],
    ['only to subscribe', { permissions: ['subscribe'] }, DPUB, denied('DPUB')],
    ['only to publish', { permissions: ['publish'] }, SUB, denied('SUB', 'channel')],
    ['another topic', { topic: '^other$' }, PUB, denied('PUB')],
    ['another topic', { topic: '^other$' }, SUB, denied('SUB', 'channel')],
    ['another channel', { channels: ['^other$'] }, SUB, denied('SUB', 'channel')],
    ['no channel that may be empty', { channels: ['^channel$'] }, PUB, denied('PUB')],
    ['no channels', { channels: [] }, PUB, denied('PUB')],
    ['nothing', { permissions: [] }, PUB, denied('PUB')],
    ['the topic', { topic: '^topic$' }, PUB, 'OK'],
    ['a part of its name', { topic: 'opi' }, PUB, 'OK'],
    ['the channel', { topic: '^topic$', channels: ['^x$', '^channel$'] }, SUB, 'OK'],
  ];

  test.each(CASES)('%s: %j', async (_, allowed, command, expected) => {
    const { client } = await setting(allow(allowed));
    await login(client);
    if (expected === 'OK') expect(await client.request(...command)).toBe('OK');
    else expect(await refusal(client, ...command)).toBe(expected);
  });

  test('hold for each topic by itself', async () => {
    const { broker, client } = await setting(allow({ topic: '^topic' }));
    await login(client);
    expect(await client.request(...PUB, ...PUB, 'PUB topic2\n', sized('x'))).toBe('OK');
    expect(await client.next()).toMatchObject({ text: 'OK' });
    expect(await client.next()).toMatchObject({ text: 'OK' });
    expect(await refusal(client, 'PUB other\n', sized('x'))).toMatch(/^E_UNAUTHORIZED /);
    expect([...broker.topics.keys()]).toEqual(['topic', 'topic2']);
  });
});

describe("at the TTL's end", () => {
  const expired: Setting[] = [];

  // One second, the shortest TTL there is, waited for once.
  beforeAll(async () => {
    for (let i = 0; i < 4; i++) expired.push(await setting(allow({}, 1)));
    for (const { client } of expired) {
      await login(client);
      expect(await client.request(...PUB)).toBe('OK');
    }
    await new Promise((resolve) => setTimeout(resolve, 1010));
  });

  /** Logged in, with the TTL passed. */
  const next = (): Setting => expired.pop()!;

  test('the server is asked again, once, by the next command that needs it', async () => {
    const { auth, broker, client } = next();
    auth.reply = allow({});
    client.send('NOP\n', ...PUB, ...MPUB, ...DPUB, ...SUB);
    for (let i = 0; i < 4; i++) expect(await client.next()).toMatchObject({ text: 'OK' });
    expect(auth.calls).toHaveLength(2);
    expect(auth.calls[1]!.fields).toEqual(auth.calls[0]!.fields);
    expect(broker.topics.get('topic')?.messageCount).toBe(4);
  });

  test('what it says then counts', async () => {
    const { auth, client } = next();
    auth.reply = allow({ topic: '^other$' });
    expect(await refusal(client, ...PUB, ...PUB)).toBe('E_UNAUTHORIZED AUTH failed for PUB on "topic" ""');
    expect(auth.calls).toHaveLength(2);
  });

  test('nothing is allowed when it says nothing', async () => {
    const { auth, client } = next();
    auth.reply = { body: { ttl: 5, authorizations: [] } };
    expect(await refusal(client, ...MPUB)).toBe('E_UNAUTHORIZED AUTH failed for MPUB on "topic" ""');
  });

  test('a server that fails lets nobody in', async () => {
    const { auth, client } = next();
    auth.reply = { status: 500, body: '' };
    expect(await refusal(client, ...DPUB, ...PUB)).toBe(FAILED);
  });
});

describe('the servers', () => {
  test('are asked as nsqd asks them', async () => {
    const { auth, client } = await setting();
    await login(client, 'a secret & more');
    expect(auth.calls).toMatchObject([
      {
        method: 'GET',
        path: '/auth',
        fields: { common_name: '', remote_ip: '127.0.0.1', secret: 'a secret & more', tls: 'false' },
        headers: { accept: 'application/vnd.nsq; version=1.0' },
      },
    ]);
  });

  test('are posted to if told so, at a URL', async () => {
    const auth = await AuthServer.start();
    const broker = await openBroker({
      authHttpAddresses: [`http://${auth.address}/who/is`],
      authHttpRequestMethod: 'post',
    });
    expect(await login(await connect(broker))).toBe(ALLOWED);
    expect(auth.calls).toMatchObject([
      {
        method: 'POST',
        path: '/who/is',
        fields: { common_name: [''], remote_ip: ['127.0.0.1'], secret: ['secret'], tls: ['false'] },
        headers: { 'content-type': 'application/json' },
      },
    ]);
  });

  test('stand in for each other', async () => {
    const dead = await AuthServer.start();
    dead.reply = { status: 500, body: '' };
    const alive = await AuthServer.start();
    const broker = await openBroker({ authHttpAddresses: [dead.address, alive.address, '127.0.0.1:1'] });
    for (let i = 0; i < 8; i++) expect(await login(await connect(broker))).toBe(ALLOWED);
    expect(alive.calls).toHaveLength(8);
  });

  test('may send over to HTTPS, signed by the authority of --tls-root-ca-file', async () => {
    const { server } = await certificates();
    const { ca } = await certificateFiles();
    const secure = await AuthServer.start(server);
    const plain = await AuthServer.start();
    plain.reply = { status: 403, body: { message: 'TLS_REQUIRED', https_port: secure.port } };
    const trusting = await openBroker({ authHttpAddresses: [plain.address], tlsRootCaFile: ca });
    expect(await login(await connect(trusting))).toBe(ALLOWED);
    expect(secure.calls).toMatchObject([{ path: '/auth', fields: { secret: 'secret' } }]);
    const wary = await openBroker({ authHttpAddresses: [`https://127.0.0.1:${secure.port}/auth`] });
    expect(await refusal(await connect(wary), 'AUTH\n', sized('secret'))).toBe(FAILED);
    expect(secure.calls).toHaveLength(1);
  });

  test('what they say stays in the log', async () => {
    const lines: string[] = [];
    const log = (line: string): void => void lines.push(line);
    const logger = { debug: log, info: log, warn: log, error: log };
    const { client, auth } = await setting({ status: 500, body: 'the database is down' }, { logger });
    expect(await refusal(client, 'AUTH\n', sized('secret'))).toBe(FAILED);
    const words = `AUTH failed failed to auth against ${auth.address} - got response 500`;
    expect(lines.some((line) => line.includes(words))).toBe(true);
  });
});

test('/stats says who a client is', async () => {
  const { broker, client } = await setting();
  await login(client);
  await client.request(...SUB);
  const [stats] = statsOf(broker).topics![0]!.channels[0]!.clients!;
  expect(stats).toMatchObject({
    authed: true,
    auth_identity: 'somebody',
    auth_identity_url: 'http://example.com/?a=1&b=2',
  });
  const keys = Object.keys(stats!);
  expect(keys.indexOf('authed')).toBe(keys.indexOf('user_agent') + 1);
});

test.each([
  [{ authHttpRequestMethod: 'put' }, /authHttpRequestMethod must be one of get, post/],
  [{ authHttpAddresses: ['a:1'], tlsRootCaFile: '/no/such/file' }, /tlsRootCaFile: ENOENT/],
  [{ tlsRootCaFile: '/no/such/file' }, /tlsRootCaFile: ENOENT/],
])('%j is refused at the start', async (options, words) => {
  await expect(startBroker(options as object)).rejects.toThrow(words);
});
