import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { cleanup } from '../../support/temp.js';
import { mpubBody, sized } from '../../support/wire.js';
import { countsOf, openBroker } from '../support/brokers.js';
import { consume, settled, subscribe } from '../support/clients.js';

/** A client that reads only when it is told to. */
async function silent({ tcpAddress }: Broker): Promise<Socket> {
  const { hostname, port } = new URL(`tcp://${tcpAddress}`);
  const socket = connectSocket(Number(port), hostname);
  cleanup(() => socket.destroy());
  socket.pause();
  await once(socket, 'connect');
  socket.write('  V2');
  return socket;
}

/** Bytes that the broker has for its clients and cannot send. */
function unsent(broker: Broker): number {
  return [...broker.tcp.sessions].reduce((sum, { stream }) => sum + stream.writableLength, 0);
}

/** The value once it has not changed for a while. */
async function steady(value: () => number): Promise<number> {
  let last = -1;
  await expect
    .poll(
      () => {
        const same = value() === last;
        last = value();
        return same;
      },
      { interval: 60, timeout: 8000 },
    )
    .toBe(true);
  return last;
}

const BODY = Buffer.alloc(10_000, 'x');

describe('a consumer that does not read', () => {
  it('gets no more than its socket takes, costs bounded memory, and goes on when it reads', async () => {
    const broker = await openBroker();
    const count = 3000;
    for (let i = 0; i < count; i += 250) await broker.publish('t', Array<Buffer>(250).fill(BODY));
    const socket = await silent(broker);
    socket.write('SUB t c\nRDY 2500\n');
    const channel = broker.topic('t').channel('c');
    await expect.poll(() => channel.inFlightCount, { interval: 10 }).toBeGreaterThan(0);
    const sent = await steady(() => channel.inFlightCount);
    expect(sent).toBeLessThan(2500);
    expect(unsent(broker)).toBeLessThan(16 << 20);

    const other = await subscribe(broker, 't', 'c', { ready: 100 });
    await consume(other, count - sent);
    await settled(other);
    expect(countsOf(channel)).toEqual({ depth: 0, inFlight: sent, deferred: 0 });

    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await broker.publish('t', Array<Buffer>(100).fill(BODY));
    await expect.poll(() => bytes, { interval: 10, timeout: 8000 }).toBeGreaterThan(sent * BODY.length);
    expect(await steady(() => unsent(broker))).toBe(0);
  });
});

describe('a consumer that does not read what its commands come to', () => {
  it('is not read from any more in the end', async () => {
    const broker = await openBroker();
    const socket = await silent(broker);
    socket.write('SUB t c\n');
    const failing = Buffer.from('FIN ffffffffffffffff\n'.repeat(20_000));
    for (let i = 0; i < 30; i++) socket.write(failing);
    await expect.poll(() => unsent(broker), { interval: 10 }).toBeGreaterThan(1 << 20);
    expect(await steady(() => unsent(broker))).toBeLessThan(24 << 20);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await expect.poll(() => bytes, { interval: 10, timeout: 15_000 }).toBeGreaterThan(600_000 * 60);
    await expect.poll(() => unsent(broker), { interval: 10 }).toBe(0);
  });
});

describe('a publisher that does not read its OKs', () => {
  it('is not read from any more, and goes on when it reads', async () => {
    const broker = await openBroker();
    const socket = await silent(broker);
    const command = Buffer.concat(
      Array<Buffer>(2000).fill(Buffer.concat([Buffer.from('PUB t\n'), sized('x')])),
    );
    let written = 0;
    const most = 3_000_000;
    while (written < most && socket.writableLength < 1 << 20) {
      for (let i = 0; i < 5; i++) {
        socket.write(command);
        written += 2000;
      }
      await new Promise(setImmediate);
    }
    const topic = broker.topic('t');
    const taken = await steady(() => topic.messageCount);
    expect(taken).toBeLessThan(written);
    expect(unsent(broker)).toBeLessThan(8 << 20);

    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await expect.poll(() => bytes, { interval: 10, timeout: 15_000 }).toBe(written * 10);
    expect(topic.messageCount).toBe(written);
  });
});

describe('publishers that are faster than the disk', () => {
  it('lose nothing and get every OK', async () => {
    const broker = await openBroker();
    const reader = await subscribe(broker, 't', 'c', { ready: 2000 });
    const batch = mpubBody(Array<Buffer>(200).fill(Buffer.alloc(5000, 'y')));
    const clients = await Promise.all([silent(broker), silent(broker)]);
    let oks = 0;
    for (const client of clients) {
      client.on('data', (chunk: Buffer) => {
        oks += chunk.length / 10;
      });
      client.resume();
      for (let i = 0; i < 10; i++) client.write(Buffer.concat([Buffer.from('MPUB t\n'), batch]));
    }
    expect(await consume(reader, 4000)).toHaveLength(4000);
    expect(await steady(() => oks)).toBe(20);
  });
});
