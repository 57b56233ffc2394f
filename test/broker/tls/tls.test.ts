import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { startBroker } from '../../../src/broker/index.js';
import { AuthServer } from '../../support/auth-server.js';
import {
  type CertificateFiles,
  type Certificates,
  certificateFiles,
  certificates,
} from '../../support/certificates.js';
import { tempDir } from '../../support/temp.js';
import { identified, StreamFrames, secured } from '../../support/tls-client.js';
import { sized } from '../../support/wire.js';
import { LoggerNotes } from '../log/support/logs.js';
import { openBroker, statsOf } from '../support/brokers.js';
import { connect, identify } from '../support/clients.js';

let pems: Certificates;
let files: CertificateFiles;
beforeAll(async () => {
  pems = await certificates();
  files = await certificateFiles();
});

const open = (options: object = {}): Promise<Broker> =>
  openBroker({ tlsCert: files.cert, tlsKey: files.key, ...options });

const PUB = Buffer.concat([Buffer.from('PUB topic\n'), sized('over TLS')]);
const LOOKS = 'E_IDENTIFY_FAILED IDENTIFY failed tls: first record does not look like a TLS handshake';

describe('a client over TLS', () => {
  test('says OK, publishes and consumes', async () => {
    const broker = await open();
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    expect(await frames.next()).toBe('OK');
    expect(socket.authorized).toBe(true);
    socket.write(PUB);
    expect(await frames.next()).toBe('OK');
    socket.write('SUB topic ch\nRDY 1\n');
    expect(await frames.next()).toBe('OK');
    expect(await frames.next()).toBe('over TLS');
  });

  test('may send its handshake and everything else in small pieces', async () => {
    const broker = await open();
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    expect(await frames.next()).toBe('OK');
    for (const byte of PUB) socket.write(Buffer.from([byte]));
    expect(await frames.next()).toBe('OK');
  });

  test('is shown in /stats', async () => {
    const broker = await open();
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca, maxVersion: 'TLSv1.2' });
    await frames.next();
    socket.write('SUB topic ch\n');
    await frames.next();
    expect(statsOf(broker).topics![0]!.channels[0]!.clients![0]).toMatchObject({
      tls: true,
      tls_cipher_suite: expect.stringMatching(/^TLS_ECDHE_ECDSA_WITH_/),
      tls_version: 'TLS1.2',
      tls_negotiated_protocol: '',
      tls_negotiated_protocol_is_mutual: true,
    });
  });

  test('is read from no more when it ends, and the broker closes its side', async () => {
    const broker = await open();
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    await frames.next();
    socket.end(PUB);
    expect(await frames.next()).toBe('OK');
    expect(await frames.next()).toBe('ended');
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
    expect(broker.topics.get('topic')?.messageCount).toBe(1);
  });

  test('is told what it did wrong before the connection ends', async () => {
    const broker = await open();
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    await frames.next();
    socket.write('NONSENSE\n');
    expect(await frames.next()).toBe('E_INVALID invalid command NONSENSE');
    expect(await frames.next()).toBe('ended');
  });

  test('gets large messages whole, more than its socket takes at once', async () => {
    const broker = await open();
    const bodies = Array.from({ length: 40 }, (_, i) =>
      String.fromCharCode(97 + (i % 26)).repeat(200_000 + i),
    );
    await broker.publish('topic', bodies);
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    await frames.next();
    socket.write('SUB topic ch\n');
    await frames.next();
    socket.write('RDY 40\n');
    socket.pause();
    await expect
      .poll(() => statsOf(broker).topics![0]!.channels[0]!.in_flight_count, { interval: 5 })
      .toBeGreaterThan(0);
    socket.resume();
    for (const body of bodies) expect((await frames.next()) === body).toBe(true);
  });

  test('ends with the broker', async () => {
    const broker = await open();
    const { frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    expect(await frames.next()).toBe('OK');
    await broker.close();
    expect(await frames.next()).toBe('ended');
  });
});

test('what was upgraded is not upgraded again', async () => {
  const broker = await open();
  const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
  await frames.next();
  const again = (fields: object): Buffer =>
    Buffer.concat([
      Buffer.from('IDENTIFY\n'),
      sized(JSON.stringify({ feature_negotiation: true, ...fields })),
    ]);
  socket.write(again({ client_id: 'another' }));
  expect(JSON.parse(await frames.next())).toMatchObject({ tls_v1: false });
  socket.write(again({ snappy: true }));
  expect(await frames.next()).toBe('E_IDENTIFY_FAILED IDENTIFY failed the connection was upgraded before');
  expect(await frames.next()).toBe('ended');
});

describe('what is no TLS', () => {
  test('is told so', async () => {
    const broker = await open();
    const socket = await identified(broker.tcpAddress, { tls_v1: true });
    const frames = new StreamFrames(socket);
    socket.write(PUB);
    expect(await frames.next()).toBe(LOOKS);
    expect(await frames.next()).toBe('ended');
    expect(broker.topics.size).toBe(0);
  });

  test('is told so as well when it comes right behind IDENTIFY', async () => {
    const broker = await open();
    const client = await connect(broker);
    const body = sized(JSON.stringify({ feature_negotiation: true, tls_v1: true }));
    client.send('IDENTIFY\n', body, PUB);
    expect(JSON.parse(((await client.next()) as { text: string }).text).tls_v1).toBe(true);
    expect(await client.next()).toMatchObject({ text: LOOKS });
    await client.ended();
  });

  test.each([
    ['garbage in the form of a handshake', Buffer.from([0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9])],
    [
      'a record of a length that is too large',
      Buffer.concat([Buffer.from([0x16, 3, 1, 0xff, 0xff]), Buffer.alloc(70_000)]),
    ],
  ])('%s ends the connection, and only that', async (_, bytes) => {
    const broker = await open();
    const socket = await identified(broker.tcpAddress, { tls_v1: true });
    // What the broker has not read makes its end a reset.
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.write(bytes);
    await closed;
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
    const { frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    expect(await frames.next()).toBe('OK');
  });

  test.each([
    ['before its handshake', ''],
    ['within its handshake', ''],
    ['before its handshake', 'require-verify'],
  ] as const)('a client that goes %s leaves nothing (policy: %s)', async (when, tlsClientAuthPolicy) => {
    const broker = await open({ tlsClientAuthPolicy, tlsRootCaFile: files.ca });
    const socket = await identified(broker.tcpAddress, { tls_v1: true });
    if (when.startsWith('within')) socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    socket.end();
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
  });

  test.each(['', 'require-verify'] as const)(
    'the broker does not wait for it when it closes (policy: %s)',
    async (tlsClientAuthPolicy) => {
      const broker = await open({ tlsClientAuthPolicy, tlsRootCaFile: files.ca });
      await identified(broker.tcpAddress, { tls_v1: true });
      const silent = await identified(broker.tcpAddress, { tls_v1: true });
      silent.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
      await broker.close();
    },
  );
});

describe("clients' certificates", () => {
  /** What the first frame is. */
  async function first(broker: Broker, options: ConnectionOptions): Promise<string> {
    const { frames } = await secured(broker.tcpAddress, { ca: pems.ca, ...options });
    return frames.next();
  }

  test('are not asked for without a policy', async () => {
    expect(await first(await open(), { ...pems.stranger })).toBe('OK');
  });

  test('require: any will do, none will not', async () => {
    const broker = await open({ tlsClientAuthPolicy: 'require' });
    expect(await first(broker, { ...pems.stranger })).toBe('OK');
    expect(await first(broker, {})).toBe('ended');
    expect(await first(broker, { maxVersion: 'TLSv1.2' })).toBe('ended');
  });

  test('require-verify: it must be signed by the authority', async () => {
    const broker = await open({ tlsClientAuthPolicy: 'require-verify', tlsRootCaFile: files.ca });
    expect(await first(broker, { ...pems.client })).toBe('OK');
    expect(await first(broker, { ...pems.client, maxVersion: 'TLSv1.2' })).toBe('OK');
    expect(await first(broker, { ...pems.stranger })).toBe('ended');
    expect(await first(broker, { ...pems.stranger, maxVersion: 'TLSv1.2' })).toBe('ended');
    expect(await first(broker, {})).toBe('ended');
  });

  test('require-verify: a session is as any other, one that is refused leaves nothing, and the log says why', async () => {
    const logger = new LoggerNotes();
    const broker = await open({ tlsClientAuthPolicy: 'require-verify', tlsRootCaFile: files.ca, logger });
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca, ...pems.client });
    expect(await frames.next()).toBe('OK');
    socket.write(PUB);
    socket.write('SUB topic ch\nRDY 1\n');
    expect([await frames.next(), await frames.next(), await frames.next()]).toEqual(['OK', 'OK', 'over TLS']);
    expect(await first(broker, { ...pems.stranger })).toBe('ended');
    socket.destroy();
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
    expect(logger.lines.join('\n')).toMatch(
      /TLS handshake failed: the client's certificate is not to be trusted: [A-Z_]+/,
    );
  });

  test('a policy requires TLS', async () => {
    const broker = await open({ tlsClientAuthPolicy: 'require', httpAddress: '127.0.0.1:0' });
    const client = await connect(broker);
    client.send('NOP\n');
    expect(await client.next()).toMatchObject({
      text: 'E_INVALID cannot NOP in current state (TLS required)',
    });
    expect((await fetch(`http://${broker.httpAddress}/ping`)).status).toBe(403);
  });

  test('their common name is told to the auth server', async () => {
    const auth = await AuthServer.start();
    const broker = await open({ tlsClientAuthPolicy: 'require', authHttpAddresses: [auth.address] });
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca, ...pems.client });
    await frames.next();
    socket.write(Buffer.concat([Buffer.from('AUTH\n'), sized('s')]));
    expect(await frames.next()).toContain('"identity":"somebody"');
    expect(auth.calls[0]!.fields).toMatchObject({ common_name: 'a client', tls: 'true' });
  });
});

describe('where TLS is required', () => {
  test.each([
    ['PUB', PUB],
    ['MPUB', 'MPUB topic\n'],
    ['DPUB', 'DPUB topic 1\n'],
    ['SUB', 'SUB topic ch\n'],
    ['AUTH', 'AUTH\n'],
    ['NOP', 'NOP\n'],
    ['RDY', 'RDY 1\n'],
    ['CLS', 'CLS\n'],
    ['NONSENSE', 'NONSENSE x\n'],
  ])('%s is refused before', async (name, command) => {
    const client = await connect(await open({ tlsRequired: 'tcp-https' }));
    client.send(command);
    const text = `E_INVALID cannot ${name} in current state (TLS required)`;
    expect(await client.next()).toMatchObject({ type: 'error', text });
    await client.ended();
  });

  test('IDENTIFY is not, and changes nothing by itself', async () => {
    const client = await connect(await open({ tlsRequired: 'true' }));
    expect(JSON.parse(await identify(client, { feature_negotiation: true })).tls_v1).toBe(false);
    client.send(PUB);
    expect(await client.next()).toMatchObject({
      text: 'E_INVALID cannot PUB in current state (TLS required)',
    });
  });

  test('everything is allowed after', async () => {
    const broker = await open({ tlsRequired: 'true' });
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca });
    await frames.next();
    socket.write(PUB);
    expect(await frames.next()).toBe('OK');
  });

  test.each([
    { tlsRequired: 'true' },
    { tlsRequired: 't' },
    { tlsRequired: 'tcp-https' },
    { tlsClientAuthPolicy: 'require' },
  ] as const)('%j needs a certificate', async (options) => {
    const failure = expect.objectContaining({
      code: 'E_OPTION',
      message: expect.stringContaining('tlsCert and tlsKey'),
    });
    await expect(startBroker(options)).rejects.toEqual(failure);
  });
});

describe('the versions of TLS', () => {
  const version = async (broker: Broker, options: ConnectionOptions): Promise<string | null> => {
    const { socket, frames } = await secured(broker.tcpAddress, { ca: pems.ca, ...options });
    await frames.next();
    return socket.getProtocol();
  };
  const OLD = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;

  test('begin with 1.0, as with nsqd', async () => {
    const broker = await open();
    expect(await version(broker, {})).toBe('TLSv1.3');
    expect(await version(broker, { maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    expect(await version(broker, { ...OLD, maxVersion: 'TLSv1' })).toBe('TLSv1');
  });

  test('begin where they are told to', async () => {
    const broker = await open({ tlsMinVersion: 'tls1.2' });
    expect(await version(broker, { ...OLD, maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    const { frames } = await secured(broker.tcpAddress, { ca: pems.ca, ...OLD, maxVersion: 'TLSv1.1' });
    expect(await frames.next()).toBe('ended');
  });
});

describe('files that cannot be used', () => {
  const cases: [string, () => object, RegExp][] = [
    [
      'no certificate',
      () => ({ tlsCert: '/no/such/file', tlsKey: files.key }),
      /tlsCert: ENOENT.*\/no\/such\/file/,
    ],
    ['no key', () => ({ tlsCert: files.cert, tlsKey: '/no/such/file' }), /tlsKey: ENOENT/],
    ['a certificate alone', () => ({ tlsCert: files.cert }), /tlsCert and tlsKey go together/],
    ['a key alone', () => ({ tlsKey: files.key }), /tlsCert and tlsKey go together/],
    [
      'the key of another certificate',
      () => ({ tlsCert: files.cert, tlsKey: files.clientKey }),
      /cannot be used for TLS/,
    ],
    ['a key for a certificate', () => ({ tlsCert: files.key, tlsKey: files.key }), /cannot be used for TLS/],
    [
      'no authority',
      () => ({ tlsCert: files.cert, tlsKey: files.key, tlsRootCaFile: '/no/such/file' }),
      /tlsRootCaFile: ENOENT/,
    ],
    [
      'an authority without a certificate',
      () => {
        const empty = join(tempDir(), 'empty.pem');
        writeFileSync(empty, '');
        return { tlsCert: files.cert, tlsKey: files.key, tlsRootCaFile: empty };
      },
      /holds no certificate/,
    ],
    [
      'a policy that is none',
      () => ({ tlsCert: files.cert, tlsKey: files.key, tlsClientAuthPolicy: 'verify' }),
      /tlsClientAuthPolicy must be one of/,
    ],
  ];
  test.each(cases)('%s', async (_, options, words) => {
    await expect(startBroker(options())).rejects.toThrow(words);
  });
});

test('a session over TLS is on time with its heartbeats', async () => {
  const broker = await open();
  const { frames } = await secured(broker.tcpAddress, { ca: pems.ca }, { heartbeat_interval: 1000 });
  expect(await frames.next()).toBe('OK');
  expect(await frames.next()).toBe('_heartbeat_');
});

test('a plain port stays one for who does not ask for TLS', async () => {
  const broker = await open();
  const { hostname, port } = new URL(`tcp://${broker.tcpAddress}`);
  const socket = createConnection(Number(port), hostname);
  const frames = new StreamFrames(socket);
  socket.write(Buffer.concat([Buffer.from('  V2'), PUB]));
  expect(await frames.next()).toBe('OK');
  socket.destroy();
});
