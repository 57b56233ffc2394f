import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Consumer, Producer } from '../../src/client/index.js';
import { SnappyEncoder } from '../../src/net/snappy/encoder.js';
import { encodeFrame, FrameType } from '../../src/protocol/frame.js';
import { openBroker, statsOf } from '../broker/support/brokers.js';
import { cleanup } from '../support/temp.js';
import { type FakePeer, fakeNsqd } from './support/fake-nsqd.js';

type Kind = 'snappy' | 'deflate';

const OK = encodeFrame(FrameType.Response, 'OK');
const OFFERS = { snappy: { snappy: true }, deflate: { deflate: true, deflate_level: 6 } };

function pack(kind: Kind, bytes: Buffer): Buffer {
  return kind === 'deflate' ? deflateRawSync(bytes) : Buffer.concat(new SnappyEncoder().encode(bytes));
}

async function failure(nsqdTcpAddresses: string, options: object): Promise<unknown> {
  const consumer = new Consumer({ topic: 't', channel: 'c', nsqdTcpAddresses, ...options });
  cleanup(() => consumer.close({ timeout: 0 }));
  try {
    await consumer.connect();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(['snappy', 'deflate'] as const)('%s', (kind) => {
  test('publishes and consumes many messages at once', async () => {
    const broker = await openBroker();
    const producer = new Producer({ nsqdTcpAddress: broker.tcpAddress, [kind]: true });
    cleanup(() => producer.close({ timeout: 0 }));
    const bodies = Array.from({ length: 500 }, (_, i) =>
      i % 100 === 0 ? randomBytes(100_000) : Buffer.from(`m ${i}`),
    );
    await Promise.all(bodies.map((body) => producer.publish('t', body)));
    const consumer = new Consumer({
      topic: 't',
      channel: 'c',
      nsqdTcpAddresses: broker.tcpAddress,
      maxInFlight: 100,
      [kind]: true,
    });
    cleanup(() => consumer.close({ timeout: 0 }));
    const seen = new Set<string>();
    for await (const message of consumer) {
      seen.add(message.body.toString('base64'));
      message.finish();
      if (seen.size === bodies.length) break;
    }
    expect(bodies.every((body) => seen.has(body.toString('base64')))).toBe(true);
    const channel = () => statsOf(broker).topics![0]!.channels[0]!;
    expect(channel().clients![0]).toMatchObject({ snappy: kind === 'snappy', deflate: kind === 'deflate' });
    await consumer.close();
    await expect.poll(() => channel().depth, { interval: 5 }).toBe(0);
  });

  test('a broker that does not offer it is talked to without', async () => {
    const broker = await openBroker({ snappy: false, deflate: false });
    expect(await failure(broker.tcpAddress, { [kind]: true })).toBeUndefined();
    expect(statsOf(broker).topics![0]!.channels[0]!.clients![0]).toMatchObject({
      snappy: false,
      deflate: false,
    });
  });

  /** A broker that grants it, and answers IDENTIFY with these bytes behind. */
  async function granting(behind: Buffer): Promise<string> {
    const answer = encodeFrame(FrameType.Response, JSON.stringify(OFFERS[kind]));
    const reply = (peer: FakePeer): void => void peer.socket.write(Buffer.concat([answer, behind]));
    return (await fakeNsqd({ on: { IDENTIFY: reply } })).address;
  }

  test.each([
    ['garbage', Buffer.alloc(50, 0xff), { code: 'E_PROTOCOL' }],
    ['an OK that is not compressed', OK, { code: 'E_PROTOCOL' }],
    ['something else than OK', pack(kind, encodeFrame(FrameType.Response, 'NO')), { code: 'E_HANDSHAKE' }],
    [
      'a refusal',
      pack(kind, encodeFrame(FrameType.Error, 'E_IDENTIFY_FAILED no')),
      { code: 'E_IDENTIFY_FAILED' },
    ],
    ['a frame too large', pack(kind, Buffer.from([0x7f, 0, 0, 0, 0, 0, 0, 0])), { code: 'E_PROTOCOL' }],
    ['nothing', Buffer.alloc(0), { code: 'E_CONNECT_TIMEOUT' }],
  ])('%s in place of OK is an error', async (_, behind, expected) => {
    const address = await granting(behind);
    expect(await failure(address, { [kind]: true, handshakeTimeout: 200 })).toMatchObject(expected);
  });

  test('a frame that expands beyond maxFrameSize ends the connection', async () => {
    const header = Buffer.from([0, 0x10, 0, 0, 0, 0, 0, 2]);
    const address = await granting(pack(kind, Buffer.concat([OK, header, Buffer.alloc(1 << 20)])));
    expect(await failure(address, { [kind]: true, maxFrameSize: 65_536 })).toMatchObject({
      code: 'E_PROTOCOL',
      message: expect.stringContaining('frame size 1048576'),
    });
  });
});

test('a wrong checksum later on ends the connection with E_PROTOCOL, and it comes back', async () => {
  const encoder = new SnappyEncoder();
  const first = Buffer.concat(encoder.encode(OK));
  const bad = encoder.encode(encodeFrame(FrameType.Response, 'OK'))[0]!;
  bad[4]! ^= 1;
  const answer = encodeFrame(FrameType.Response, JSON.stringify(OFFERS.snappy));
  const nsqd = await fakeNsqd({
    on: { IDENTIFY: (peer) => void peer.socket.write(Buffer.concat([answer, first])) },
  });
  const producer = new Producer({ nsqdTcpAddress: nsqd.address, snappy: true, reconnectDelay: 1 });
  cleanup(() => producer.close({ timeout: 0 }));
  const lost = new Promise<unknown>((resolve) => producer.once('disconnect', (_, error) => resolve(error)));
  await producer.connect();
  (await nsqd.peer()).socket.write(bad);
  expect(await lost).toMatchObject({ code: 'E_PROTOCOL', cause: { code: 'E_SNAPPY' } });
});
