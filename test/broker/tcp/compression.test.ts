import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from 'node:zlib';
import { SnappyStream, UnsnappyStream } from 'snappystream';
import { describe, expect, test } from 'vitest';
import { SnappyEncoder } from '../../../src/net/snappy/encoder.js';
import { cleanup } from '../../support/temp.js';
import { StreamFrames } from '../../support/tls-client.js';
import { mpubBody, sized, takeFrames } from '../../support/wire.js';
import { openBroker, statsOf } from '../support/brokers.js';
import { connect } from '../support/clients.js';

type Kind = 'snappy' | 'deflate';

interface Compressed {
  readonly socket: Socket;
  readonly frames: StreamFrames;
  send(...parts: readonly (Buffer | string)[]): void;
}

/** A client that compresses with the libraries that others use. */
async function compressed(tcpAddress: string, kind: Kind): Promise<Compressed> {
  // The OK comes compressed right behind the answer: both are read from the socket by hand.
  const { socket, rest } = await answered(tcpAddress, kind);
  const down: Duplex =
    kind === 'snappy' ? new UnsnappyStream(true) : createInflateRaw({ flush: constants.Z_SYNC_FLUSH });
  const up: Duplex =
    kind === 'snappy' ? new SnappyStream() : createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
  down.on('error', () => {});
  const frames = new StreamFrames(down);
  if (rest.length > 0) down.write(rest);
  socket.pipe(down);
  up.pipe(socket);
  return {
    socket,
    frames,
    send: (...parts) => void up.write(Buffer.concat(parts.map((part) => Buffer.from(part)))),
  };
}

async function answered(tcpAddress: string, kind: Kind): Promise<{ socket: Socket; rest: Buffer }> {
  const { hostname, port } = new URL(`tcp://${tcpAddress}`);
  const socket = connectTcp(Number(port), hostname);
  cleanup(() => socket.destroy());
  socket.on('error', () => {});
  const body = JSON.stringify({ feature_negotiation: true, [kind]: true });
  socket.write(Buffer.concat([Buffer.from('  V2IDENTIFY\n'), sized(body)]));
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    const size = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUInt32BE(0);
    if (bytes.length < size) continue;
    const { frames } = takeFrames(bytes.subarray(0, size), 'typed');
    expect(JSON.parse((frames[0] as { text: string }).text)[kind]).toBe(true);
    socket.removeAllListeners('data');
    socket.pause();
    return { socket, rest: bytes.subarray(size) };
  }
}

const PUB = ['PUB topic\n', sized('compressed, compressed')];

describe.each(['snappy', 'deflate'] as const)('%s', (kind) => {
  test('OK comes compressed, and everything after it', async () => {
    const broker = await openBroker();
    const { frames, send } = await compressed(broker.tcpAddress, kind);
    expect(await frames.next()).toBe('OK');
    send(...PUB, 'MPUB topic\n', mpubBody(['a', 'b']));
    expect(await frames.next()).toBe('OK');
    expect(await frames.next()).toBe('OK');
    send('SUB topic ch\n', 'RDY 2\n');
    expect(await frames.next()).toBe('OK');
    expect(await frames.next()).toBe('compressed, compressed');
    const [client] = statsOf(broker).topics![0]!.channels[0]!.clients!;
    expect(client).toMatchObject({ snappy: kind === 'snappy', deflate: kind === 'deflate', tls: false });
  });

  test('more than a socket takes at once arrives whole and in order', async () => {
    const broker = await openBroker();
    const bodies = Array.from({ length: 60 }, (_, i) => String(i).padStart(9).repeat(20_000));
    await broker.publish('topic', bodies);
    const { frames, send } = await compressed(broker.tcpAddress, kind);
    send('SUB topic ch\n', 'RDY 60\n');
    expect([await frames.next(), await frames.next()]).toEqual(['OK', 'OK']);
    for (const body of bodies) expect((await frames.next()) === body).toBe(true);
  });

  test('a refusal is the last thing that is said', async () => {
    const { frames, send } = await compressed((await openBroker()).tcpAddress, kind);
    send(...PUB, 'NONSENSE\n', ...PUB);
    expect(await frames.next()).toBe('OK');
    expect(await frames.next()).toBe('OK');
    expect(await frames.next()).toBe('E_INVALID invalid command NONSENSE');
    expect(await frames.next()).toBe('ended');
  });

  test('the broker closes with it', async () => {
    const broker = await openBroker();
    const { frames } = await compressed(broker.tcpAddress, kind);
    expect(await frames.next()).toBe('OK');
    await broker.close();
    expect(await frames.next()).toBe('ended');
  });

  test('what is no such stream ends the connection, and leaves its messages to others', async () => {
    const broker = await openBroker();
    await broker.publish('topic', 'mine');
    const { socket, frames, send } = await compressed(broker.tcpAddress, kind);
    send('SUB topic ch\n', 'RDY 1\n');
    expect([await frames.next(), await frames.next(), await frames.next()]).toEqual(['OK', 'OK', 'mine']);
    const closed = once(socket, 'close');
    socket.unpipe();
    socket.resume();
    socket.write(Buffer.alloc(100, 0xff));
    await closed;
    await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
    expect(statsOf(broker).topics![0]!.channels[0]).toMatchObject({ in_flight_count: 0, depth: 1 });
  });

  test('what expands without end is bounded by what a command may be', async () => {
    const broker = await openBroker();
    const { socket } = await compressed(broker.tcpAddress, kind);
    const closed = once(socket, 'close');
    socket.resume();
    const zeros = Buffer.alloc(8 << 20, 'x');
    const bomb = kind === 'deflate' ? [deflateRawSync(zeros)] : new SnappyEncoder().encode(zeros);
    for (const part of bomb) socket.write(part);
    await closed;
  });

  test('commands that come in the chunk of IDENTIFY are read as compressed', async () => {
    const broker = await openBroker();
    const client = await connect(broker);
    const body = sized(JSON.stringify({ feature_negotiation: true, [kind]: true }));
    const pub = Buffer.concat(PUB.map((part) => Buffer.from(part)));
    const packed = kind === 'deflate' ? deflateRawSync(pub) : Buffer.concat(new SnappyEncoder().encode(pub));
    client.send('IDENTIFY\n', body, packed);
    await expect.poll(() => broker.topics.get('topic')?.messageCount, { interval: 5 }).toBe(1);
  });
});

test('a wrong checksum ends the connection; what came before it counts', async () => {
  const broker = await openBroker();
  const { socket } = await answered(broker.tcpAddress, 'snappy');
  const encoder = new SnappyEncoder();
  const [header, good] = encoder.encode(Buffer.concat(PUB.map((part) => Buffer.from(part))));
  const [bad] = encoder.encode(Buffer.concat(PUB.map((part) => Buffer.from(part))));
  bad![4]! ^= 1;
  const closed = once(socket, 'close');
  socket.resume();
  socket.write(Buffer.concat([header!, good!, bad!]));
  await closed;
  expect(broker.topics.get('topic')?.messageCount).toBe(1);
});

test('a client that goes within a chunk leaves nothing', async () => {
  const broker = await openBroker();
  const { socket } = await answered(broker.tcpAddress, 'snappy');
  const [header, chunk] = new SnappyEncoder().encode(Buffer.concat(PUB.map((part) => Buffer.from(part))));
  socket.resume();
  socket.end(Buffer.concat([header!, chunk!.subarray(0, 10)]));
  await expect.poll(() => broker.tcp.sessions.size, { interval: 5 }).toBe(0);
  expect(broker.topics.size).toBe(0);
});

test('both at once are refused, but for what the broker does not offer', async () => {
  const both = { snappy: true, deflate: true, feature_negotiation: true };
  const client = await connect(await openBroker());
  client.send('IDENTIFY\n', sized(JSON.stringify(both)));
  const text = 'E_IDENTIFY_FAILED cannot enable both deflate and snappy compression';
  expect(await client.next()).toMatchObject({ text });
  await client.ended();
  const only = await connect(await openBroker({ deflate: false }));
  only.send('IDENTIFY\n', sized(JSON.stringify(both)));
  expect(JSON.parse(((await only.next()) as { text: string }).text)).toMatchObject({
    snappy: true,
    deflate: false,
  });
});

test.each([
  [{ deflate: true }, 6, 6],
  [{ deflate: true, deflate_level: 2 }, 6, 2],
  [{ deflate: true, deflate_level: 9 }, 6, 6],
  [{ deflate: true, deflate_level: 9 }, 9, 9],
  [{ deflate: true, deflate_level: -1 }, 9, 6],
  [{ deflate_level: 2 }, 9, 6],
  [{}, 3, 3],
])('%j with at most %i is level %i', async (fields, maxDeflateLevel, level) => {
  const client = await connect(await openBroker({ maxDeflateLevel }));
  client.send('IDENTIFY\n', sized(JSON.stringify({ feature_negotiation: true, ...fields })));
  const { text } = (await client.next()) as { text: string };
  expect(JSON.parse(text)).toMatchObject({ deflate_level: level, max_deflate_level: maxDeflateLevel });
});
