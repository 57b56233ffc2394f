import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanup } from '../../support/temp.js';
import { sized } from '../../support/wire.js';
import { countsOf, openBroker, restart } from '../support/brokers.js';
import { connect, consume, numbered, settled, subscribe, take } from '../support/clients.js';

describe('a broker that is closed', () => {
  it('says OK to what it has kept, and keeps what it has said OK to', async () => {
    const first = await openBroker();
    const client = await connect(first);
    const publishing = Array.from({ length: 50 }, (_, i) => client.send('PUB t\n', sized(`message ${i}`)));
    expect(publishing).toHaveLength(50);
    await client.next();
    const closing = first.close();
    let oks = 1;
    for (;;) {
      const frame = await client.next().catch(() => undefined);
      if (!frame) break;
      oks++;
    }
    await closing;
    const second = await restart(first);
    expect(second.topic('t').depth).toBeGreaterThanOrEqual(oks);
  });

  it('is not held up by a consumer that does not read', async () => {
    const broker = await openBroker();
    const { hostname, port } = new URL(`tcp://${broker.tcpAddress}`);
    const socket = connectSocket(Number(port), hostname).pause();
    cleanup(() => socket.destroy());
    await once(socket, 'connect');
    socket.write('  V2SUB t c\nRDY 2500\n');
    for (let i = 0; i < 10; i++) await broker.publish('t', Array<Buffer>(100).fill(Buffer.alloc(10_000)));
    const { consumers } = broker.topic('t').channel('c');
    await expect.poll(() => consumers.size, { interval: 5 }).toBe(1);
    await broker.close();
  });

  it('finds what was in flight again, and its connections are ended', async () => {
    const first = await openBroker();
    await first.publish('t', numbered(3));
    const client = await subscribe(first, 't', 'c', { ready: 3 });
    await take(client, 3);
    const second = await restart(first);
    await client.ended();
    expect(countsOf(second.topic('t').channel('c'))).toEqual({ depth: 3, inFlight: 0, deferred: 0 });
    const next = await subscribe(second, 't', 'c', { ready: 3 });
    expect(await consume(next, 3)).toEqual(numbered(3));
    await settled(next);
  });
});
