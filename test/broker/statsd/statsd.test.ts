import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { Statsd } from '../../../src/broker/statsd/statsd.js';
import type { Resolve } from '../../../src/broker/statsd/udp-connection.js';
import { cleanup } from '../../support/temp.js';
import { openBroker } from '../support/brokers.js';

const POLL = { interval: 5, timeout: 10_000 };
const FAST = { statsdInterval: 20, statsdMemStats: false, statsdPrefix: 'p' };

interface Listener {
  readonly port: number;
  readonly packets: string[];
  close(): Promise<void>;
}

async function listener(port = 0): Promise<Listener> {
  const socket = createSocket('udp4');
  const packets: string[] = [];
  socket.on('message', (packet) => packets.push(packet.toString()));
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    socket.close();
    await once(socket, 'close');
  };
  cleanup(close);
  return { port: socket.address().port, packets, close };
}

function logged(): { lines: string[]; logger: NonNullable<BrokerOptions['logger']> } {
  const lines: string[] = [];
  const note = (line: string): unknown => line.startsWith('STATSD') && lines.push(line);
  return { lines, logger: { debug: note, info: note, warn: note, error: note } };
}

const linesOf = (packets: readonly string[]): string[] =>
  packets.flatMap((packet) => packet.split(/(?<=\n)/));

/** What the pushes so far come to: counters added up, the last of each gauge. */
function figures(packets: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const line of linesOf(packets)) {
    const [, key = '', value, type] = /^(.*):(-?\d+)\|([cg])\n$/.exec(line) ?? [];
    sums[key] = Number(value) + (type === 'c' ? (sums[key] ?? 0) : 0);
  }
  return sums;
}

describe('a broker with a statsd address', () => {
  it('pushes its figures at every interval', async () => {
    const { port, packets } = await listener();
    const { lines, logger } = logged();
    const broker = await openBroker({ ...FAST, logger, statsdAddress: `127.0.0.1:${port}` });
    broker.topic('t').channel('c');
    await broker.publish('t', ['one', 'two']);
    await expect
      .poll(() => figures(packets), POLL)
      .toMatchObject({
        'p.topic.t.message_count': 2,
        'p.topic.t.message_bytes': 6,
        'p.topic.t.channel.c.depth': 2,
      });
    const before = packets.length;
    await expect.poll(() => packets.length, POLL).toBeGreaterThan(before + 2);
    await broker.publish('t', 'three');
    await expect
      .poll(() => figures(packets), POLL)
      .toMatchObject({ 'p.topic.t.message_count': 3, 'p.topic.t.channel.c.depth': 3 });
    expect(lines).toEqual([`STATSD: pushing stats to 127.0.0.1:${port}`]);
  });

  it('sends figures of memory and garbage collection with nsqd’s keys', async () => {
    const { port, packets } = await listener();
    const messages = Buffer.alloc(10_000_000);
    await openBroker({ ...FAST, statsdMemStats: true, statsdAddress: `127.0.0.1:${port}` });
    await expect.poll(() => figures(packets), POLL).toHaveProperty(['p.mem.gc_runs']);
    const { 'p.mem.heap_in_use_bytes': used, 'p.mem.next_gc_bytes': limit } = figures(packets);
    expect(used).toBeGreaterThan(messages.length);
    expect(limit).toBeGreaterThan(10_000_000);
    expect(linesOf(packets.slice(0, 1)).map((line) => line.replace(/:.*\n/, ''))).toEqual([
      'p.mem.heap_objects',
      'p.mem.heap_idle_bytes',
      'p.mem.heap_in_use_bytes',
      'p.mem.heap_released_bytes',
      'p.mem.gc_pause_usec_100',
      'p.mem.gc_pause_usec_99',
      'p.mem.gc_pause_usec_95',
      'p.mem.next_gc_bytes',
      'p.mem.gc_runs',
    ]);
  });

  it('says once that nobody listens, and when it gets through again', async () => {
    const gone = await listener();
    await gone.close();
    const { lines, logger } = logged();
    const address = `127.0.0.1:${gone.port}`;
    const broker = await openBroker({ ...FAST, logger, statsdAddress: address });
    broker.topic('t');
    await expect.poll(() => lines, POLL).toHaveLength(2);
    const { packets } = await listener(gone.port);
    await expect.poll(() => lines, POLL).toHaveLength(3);
    expect(lines).toEqual([
      `STATSD: pushing stats to ${address}`,
      `STATSD: cannot push stats to ${address}: nobody listens there; trying again at every interval`,
      `STATSD: pushing stats to ${address} again`,
    ]);
    await broker.publish('t', 'x');
    await expect.poll(() => figures(packets), POLL).toMatchObject({ 'p.topic.t.message_count': 1 });
  });

  it('sends what is left of a push when it is closed', async () => {
    const { port, packets } = await listener();
    const broker = await openBroker({
      ...FAST,
      statsdInterval: 1200,
      statsdUdpPacketSize: 1,
      statsdAddress: `127.0.0.1:${port}`,
    });
    for (let i = 0; i < 20; i++) broker.topic(`t${i}`);
    await expect.poll(() => packets.length, POLL).toBeGreaterThan(0);
    expect(packets.length).toBeLessThan(80);
    await broker.close();
    await expect.poll(() => packets.length, POLL).toBe(80);
  });
});

describe('the host name', () => {
  const pushing = async (
    port: number,
    resolve: Resolve,
  ): Promise<{ lines: string[]; publish(): Promise<void> }> => {
    const { lines, logger } = logged();
    const broker = await openBroker({ ...FAST, logger });
    broker.settings.statsdAddress = `statsd.test:${port}`;
    const statsd = new Statsd(broker, resolve);
    statsd.start();
    cleanup(() => statsd.close());
    return { lines, publish: () => broker.publish('t', 'x') };
  };

  it('is looked up for every push, and what was counted meanwhile is not lost', async () => {
    const { port, packets } = await listener();
    let known = false;
    let asked = 0;
    const { lines, publish } = await pushing(port, async () => {
      asked++;
      if (known) return [{ address: '127.0.0.1', family: 4 }];
      throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
    });
    await publish();
    await expect.poll(() => asked, POLL).toBeGreaterThan(2);
    known = true;
    await expect
      .poll(() => figures(packets), POLL)
      .toEqual(expect.objectContaining({ 'p.topic.t.message_count': 1 }));
    await expect.poll(() => lines, POLL).toHaveLength(2);
    expect(lines[0]).toContain('its host name is not known');
    expect(lines[1]).toContain(' again');
    const before = asked;
    await expect.poll(() => asked, POLL).toBeGreaterThan(before);
  });

  it('may take longer than an interval: one look-up at a time', async () => {
    const { port, packets } = await listener();
    const waiting: ((addresses: Awaited<ReturnType<Resolve>>) => void)[] = [];
    const { lines, publish } = await pushing(port, () => new Promise((resolve) => waiting.push(resolve)));
    await publish();
    await expect.poll(() => lines, POLL).toHaveLength(1);
    expect(lines[0]).toContain('has not got under way');
    expect(waiting).toHaveLength(1);
    waiting[0]!([{ address: '127.0.0.1', family: 4 }]);
    await expect.poll(() => figures(packets), POLL).toHaveProperty(['p.topic.t.message_count'], 1);
  });

  it('may have an address that nobody listens at: the next one is tried', async () => {
    const { port, packets } = await listener();
    const { publish } = await pushing(port, async () => [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]);
    await publish();
    await expect.poll(() => packets.length, POLL).toBeGreaterThan(0);
  });

  it('may have no address', async () => {
    const { lines } = await pushing(1, async () => []);
    await expect.poll(() => lines, POLL).toHaveLength(1);
    expect(lines[0]).toContain('the host name statsd.test has no address');
  });
});
