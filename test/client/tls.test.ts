import { beforeAll, describe, expect, test } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { Consumer, type ConsumerOptions, Producer, type ProducerOptions } from '../../src/client/index.js';
import { openBroker, statsOf } from '../broker/support/brokers.js';
import {
  type CertificateFiles,
  type Certificates,
  certificateFiles,
  certificates,
} from '../support/certificates.js';
import { cleanup } from '../support/temp.js';
import { fakeNsqd } from './support/fake-nsqd.js';

let pems: Certificates;
let files: CertificateFiles;
beforeAll(async () => {
  pems = await certificates();
  files = await certificateFiles();
});

const open = (options: object = {}): Promise<Broker> =>
  openBroker({ tlsCert: files.cert, tlsKey: files.key, ...options });

function producerOf(nsqdTcpAddress: string, options: ProducerOptions): Producer {
  const producer = new Producer({ nsqdTcpAddress, ...options });
  cleanup(() => producer.close({ timeout: 0 }));
  return producer;
}

/** What connecting ends with. */
async function failure(nsqdTcpAddresses: string, options: Partial<ConsumerOptions>): Promise<unknown> {
  const consumer = new Consumer({ topic: 't', channel: 'c', nsqdTcpAddresses, ...options });
  cleanup(() => consumer.close({ timeout: 0 }));
  try {
    await consumer.connect();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a client over TLS', () => {
  test.each(['', 'snappy', 'deflate'])('publishes and consumes %s', async (compression) => {
    const broker = await open({ tlsRequired: 'true' });
    const options = { tls: { ca: pems.ca }, ...(compression !== '' && { [compression]: true }) };
    const producer = producerOf(broker.tcpAddress, options);
    const bodies = ['one', 'two', 'x'.repeat(100_000)];
    await producer.publishBatch('t', bodies);
    const consumer = new Consumer({
      topic: 't',
      channel: 'c',
      nsqdTcpAddresses: broker.tcpAddress,
      ...options,
    });
    cleanup(() => consumer.close({ timeout: 0 }));
    const got: string[] = [];
    for await (const message of consumer) {
      got.push(message.body.toString());
      message.finish();
      if (got.length === bodies.length) break;
    }
    expect(got).toEqual(bodies);
    expect(statsOf(broker).topics![0]!.channels[0]!.clients![0]).toMatchObject({
      tls: true,
      tls_version: 'TLS1.3',
      snappy: compression === 'snappy',
      deflate: compression === 'deflate',
    });
  });

  test('takes a list of authorities, as Buffers too, and another name than the address', async () => {
    const broker = await open();
    const ca = [pems.stranger.cert, Buffer.from(pems.ca)];
    expect(await failure(broker.tcpAddress, { tls: { ca, servername: 'localhost' } })).toBeUndefined();
    const localhost = broker.tcpAddress.replace('127.0.0.1', 'localhost');
    expect(await failure(localhost, { tls: { ca } })).toBeUndefined();
  });

  test('shows its own certificate', async () => {
    const broker = await open({ tlsClientAuthPolicy: 'require-verify', tlsRootCaFile: files.ca });
    expect(await failure(broker.tcpAddress, { tls: { ca: pems.ca, ...pems.client } })).toBeUndefined();
  });

  test('may speak an old version when told to', async () => {
    const broker = await open();
    expect(await failure(broker.tcpAddress, { tls: { ca: pems.ca, minVersion: 'TLSv1' } })).toBeUndefined();
  });

  test('connects again when the connection was lost', async () => {
    const broker = await open();
    const producer = producerOf(broker.tcpAddress, { tls: { ca: pems.ca }, reconnectDelay: 1 });
    await producer.publish('t', 'one');
    const lost = new Promise((resolve) => producer.once('disconnect', resolve));
    for (const session of broker.tcp.sessions) session.stream.destroy();
    await lost;
    await producer.publish('t', 'two');
    expect(broker.topics.get('t')?.messageCount).toBe(2);
  });
});

describe('a broker that is not to be trusted', () => {
  test.each([
    ['an authority that is not known', () => true as const, 'SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO'],
    ['another authority', () => ({ ca: pems.stranger.cert }), 'SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO'],
    [
      'another name',
      () => ({ ca: pems.ca, servername: 'elsewhere.example' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('is refused: %s', async (_, tls, code) => {
    const broker = await open();
    const error = await failure(broker.tcpAddress, { tls: tls() });
    expect(error).toMatchObject({
      name: 'ConnectionError',
      code: 'E_TLS',
      address: broker.tcpAddress,
      message: expect.stringContaining('the TLS handshake failed: '),
      cause: { code: expect.stringMatching(code) },
    });
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
  });

  test('is taken all the same if told so', async () => {
    const broker = await open();
    expect(await failure(broker.tcpAddress, { tls: { rejectUnauthorized: false } })).toBeUndefined();
  });
});

describe('a broker that wants something else', () => {
  test('a certificate: none, or the wrong one', async () => {
    const broker = await open({ tlsClientAuthPolicy: 'require-verify', tlsRootCaFile: files.ca });
    expect(await failure(broker.tcpAddress, { tls: { ca: pems.ca } })).toMatchObject({ code: 'E_TLS' });
    const wrong = await failure(broker.tcpAddress, { tls: { ca: pems.ca, ...pems.stranger } });
    expect((wrong as { code: string }).code).toMatch(/^E_(TLS|CONNECTION_LOST)$/);
  });

  test('TLS, of a client without', async () => {
    const broker = await open({ tlsRequired: 'true' });
    expect(await failure(broker.tcpAddress, {})).toMatchObject({
      code: 'E_INVALID',
      message: expect.stringContaining('cannot SUB in current state (TLS required)'),
    });
  });

  test('no TLS at all: nothing goes out in the clear', async () => {
    const broker = await openBroker();
    const error = await failure(broker.tcpAddress, { tls: true });
    expect(error).toMatchObject({ code: 'E_TLS', message: expect.stringContaining('does not offer TLS') });
    expect(broker.topics.size).toBe(0);
  });

  test('a newer version', async () => {
    const broker = await open({ tlsMinVersion: 'tls1.3' });
    expect(await failure(broker.tcpAddress, { tls: { ca: pems.ca } })).toBeUndefined();
  });
});

describe('a handshake that goes wrong', () => {
  const offer = { identify: { tls_v1: true } };

  test('garbage in place of TLS', async () => {
    const nsqd = await fakeNsqd(offer);
    const attempt = failure(nsqd.address, { tls: true });
    const peer = await nsqd.peer();
    await peer.next('IDENTIFY');
    peer.raw('garbage garbage garbage garbage');
    expect(await attempt).toMatchObject({ code: expect.stringMatching(/^E_(TLS|PROTOCOL)$/) });
  });

  test('silence in place of TLS', async () => {
    const nsqd = await fakeNsqd(offer);
    const error = await failure(nsqd.address, { tls: true, handshakeTimeout: 50 });
    expect(error).toMatchObject({
      code: 'E_CONNECT_TIMEOUT',
      message: expect.stringContaining('no TLS handshake'),
    });
    await (await nsqd.peer()).closed();
  });

  test('the end in place of TLS', async () => {
    const nsqd = await fakeNsqd(offer);
    const attempt = failure(nsqd.address, { tls: true });
    const peer = await nsqd.peer();
    await peer.next('IDENTIFY');
    peer.cut();
    expect(await attempt).toMatchObject({ code: 'E_TLS' });
  });

  test('a close in the middle', async () => {
    const nsqd = await fakeNsqd(offer);
    const producer = producerOf(nsqd.address, { tls: true });
    const outcome = producer.publish('t', 'x').catch((error: unknown) => error);
    const peer = await nsqd.peer();
    await peer.next('IDENTIFY');
    await producer.close({ timeout: 0 });
    expect(await outcome).toMatchObject({ name: 'PublishError', mayHaveArrived: false });
    await peer.closed();
  });
});

test.each([
  [{ tls: 'yes' }, 'tls must be a boolean or an object'],
  [{ tls: null }, 'tls must be a boolean or an object'],
  [{ tls: { ca: 5 } }, 'tls.ca must be a PEM text or Buffer, or a list of them'],
  [{ tls: { ca: [5] } }, 'tls.ca must be'],
  [{ tls: { ca: 'ca.pem' } }, 'tls.ca must be PEM text (-----BEGIN …), which a path is not'],
  [{ tls: { ca: '-----BEGIN PRIVATE KEY-----' } }, 'tls.ca holds no certificate'],
  [
    { tls: { cert: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' } },
    'tls.cert and tls.key cannot be used: ',
  ],
  [{ tls: { cert: 'x' } }, 'tls.cert and tls.key go together'],
  [{ tls: { cert: {}, key: 'x' } }, 'tls.cert must be a PEM text or Buffer'],
  [{ tls: { servername: 5 } }, 'tls.servername must be a string'],
  [{ tls: { rejectUnauthorized: 'no' } }, 'tls.rejectUnauthorized must be a boolean'],
  [{ tls: { minVersion: 'tls1.2' } }, 'tls.minVersion must be one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3'],
  [{ snappy: true, deflate: true }, 'snappy and deflate exclude each other'],
  [{ deflateLevel: 10 }, 'deflateLevel must be'],
  [{ authSecret: 5 }, 'authSecret must be a string'],
])('%j is refused', (options, words) => {
  expect(() => new Producer(options as unknown as ProducerOptions)).toThrow(
    expect.objectContaining({ code: 'E_OPTION', message: expect.stringContaining(words) }),
  );
});
