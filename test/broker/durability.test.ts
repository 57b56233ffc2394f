import { describe, expect, it, vi } from 'vitest';
import { REAL_FILES } from '../../src/broker/log/files.js';
import { mpubBody, sized } from '../support/wire.js';
import { afterCrash, openBroker, restart } from './support/brokers.js';
import { connect, consume, numbered, subscribe } from './support/clients.js';
import { http } from './support/http.js';

describe('an OK', () => {
  it('comes after the message is in its file', async () => {
    const broker = await openBroker({ httpAddress: '127.0.0.1:0' });
    const client = await connect(broker);
    await client.request('PUB t\n', sized('pub'));
    await client.request('MPUB t\n', mpubBody(['mpub 1', 'mpub 2']));
    await client.request('DPUB t 1\n', sized('dpub'));
    await http(broker, 'POST /pub?topic=t', { body: 'http' });
    await http(broker, 'POST /mpub?topic=t', { body: 'http 1\nhttp 2' });
    await broker.publish('t', 'embedded');
    const again = await afterCrash(broker);
    const reader = await subscribe(again, 't', 'c', { ready: 10 });
    const bodies = ['pub', 'mpub 1', 'mpub 2', 'dpub', 'http', 'http 1', 'http 2', 'embedded'];
    expect((await consume(reader, 8)).sort()).toEqual(bodies.sort());
  });

  it('comes after a sync with durability fsync, one for all that wait', async () => {
    const syncs = vi.spyOn(REAL_FILES, 'fdatasync');
    const broker = await openBroker({ durability: 'fsync' });
    syncs.mockClear();
    let released: (() => void) | undefined;
    syncs.mockImplementationOnce((_fd, done) => {
      released = () => done(null);
    });
    let kept = 0;
    const publishing = numbered(20).map((body) => broker.publish('t', body).then(() => kept++));
    await expect.poll(() => released, { interval: 2 }).toBeDefined();
    expect(kept).toBe(0);
    released!();
    await Promise.all(publishing);
    expect(syncs.mock.calls.length).toBeLessThan(8);
    vi.restoreAllMocks();
  });

  it('does not come if the disk is full, nothing is kept then, and all is well again after it', async () => {
    const broker = await openBroker({ httpAddress: '127.0.0.1:0' });
    const reader = await subscribe(broker, 't', 'c', { ready: 10 });
    await broker.publish('t', 'before');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const write = vi.spyOn(REAL_FILES, 'writeSync').mockImplementation(() => {
      throw full;
    });
    const pub = await connect(broker);
    pub.send('PUB t\n', sized('lost'));
    expect(await pub.next()).toMatchObject({ type: 'error', code: 'E_PUB_FAILED' });
    await pub.ended();
    const mpub = await connect(broker);
    mpub.send('MPUB t\n', mpubBody(['lost', 'lost']));
    expect(await mpub.next()).toMatchObject({ type: 'error', code: 'E_MPUB_FAILED' });
    await expect(broker.publish('t', 'lost')).rejects.toMatchObject({ code: 'E_STORAGE' });
    expect((await http(broker, 'POST /pub?topic=t', { body: 'lost' })).status).toBe(500);
    const sick = await http(broker, 'GET /ping');
    expect([sick.status, sick.text]).toEqual([500, expect.stringContaining('NOK - ENOSPC')]);
    write.mockRestore();
    await broker.publish('t', 'after');
    expect((await http(broker, 'GET /ping')).text).toBe('OK');
    expect(await consume(reader, 2)).toEqual(['before', 'after']);
    const again = await afterCrash(broker);
    const second = await subscribe(again, 't', 'other', { ready: 10 });
    await again.publish('t', 'end');
    expect(await consume(second, 1)).toEqual(['end']);
  });
});

describe('a topic with much that is not written yet', () => {
  const much = Array<Buffer>(400).fill(Buffer.alloc(10_000, 'm'));

  it('may be deleted, and one of its name begins anew', async () => {
    const broker = await openBroker();
    const client = await subscribe(broker, 't', 'c', { ready: 10 });
    const publishing = [1, 2, 3].map(() => broker.publish('t', much));
    broker.turn.run();
    publishing.push(broker.publish('t', much));
    broker.deleteTopic('t');
    await client.ended();
    await Promise.all(publishing);
    expect(broker.topics.size).toBe(0);
    await broker.publish('t', 'new');
    expect((await restart(broker)).topic('t').depth).toBe(1);
  });

  it('is written whole when the broker is closed', async () => {
    const broker = await openBroker();
    const publishing = [1, 2, 3].map(() => broker.publish('t', much));
    broker.turn.run();
    publishing.push(broker.publish('t', much));
    const again = await restart(broker);
    await Promise.all(publishing);
    expect(again.topic('t').depth).toBe(1600);
  });

  it('may be emptied, and keeps what is written after that', async () => {
    const broker = await openBroker();
    const channel = broker.topic('t').channel('c');
    const publishing = broker.publish('t', much);
    broker.turn.run();
    broker.topic('t').empty();
    channel.empty();
    await publishing;
    expect([0, 400]).toContain(channel.depth);
    channel.empty();
    await broker.publish('t', 'after');
    const client = await subscribe(broker, 't', 'c', { ready: 500 });
    expect(await consume(client, 1)).toEqual(['after']);
  });
});
