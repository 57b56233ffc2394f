import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { REAL_FILES } from '../../../src/broker/log/files.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { sized } from '../../support/wire.js';
import { until } from '../limits/support/limits.js';
import { afterCrash, countsOf, openBroker } from '../support/brokers.js';
import { connect, consume, numbered, settled, stop, subscribe, take } from '../support/clients.js';
import { http } from '../support/http.js';
import { FullDisk, openOn } from './support/full-disk.js';

it('while nothing can be written, consumers go on, and health comes back by itself when it can', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  const client = await subscribe(broker, 't', 'c', { ready: 5 });
  await broker.publish('t', numbered(20));
  expect(await consume(client, 5)).toEqual(numbered(20).slice(0, 5));
  await settled(client);
  disk.refuse = () => true;
  const publisher = await connect(broker);
  publisher.send('PUB t\n', sized('refused'));
  expect(await publisher.next()).toMatchObject({ type: 'error', code: 'E_PUB_FAILED' });
  expect((await http(broker, 'POST /pub?topic=t', { body: 'refused' })).status).toBe(500);
  const ping = await http(broker, 'GET /ping');
  expect([ping.status, ping.text]).toEqual([500, 'NOK - ENOSPC: no space left on device, write']);
  expect(await consume(client, 15)).toEqual(numbered(20).slice(5));
  await settled(client);
  expect(countsOf(broker.topic('t').channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
  disk.refuse = () => false;
  // Nobody publishes: who looks at health first would never begin again.
  await until(() => broker.healthy, 'healthy again');
  expect((await http(broker, 'GET /ping')).text).toBe('OK');
  await broker.publish('t', 'after');
  const again = await afterCrash(broker);
  const second = await subscribe(again, 't', 'c', { ready: 5 });
  expect(await consume(second, 1)).toEqual(['after']);
});

it('a disk that is full of what is finished by now: room is made of it, and messages are taken again', async () => {
  const disk = new FullDisk();
  const dataPath = tempDir();
  const broker = await openOn(disk, { dataPath });
  const client = await subscribe(broker, 't', 'c', { ready: 5 });
  await broker.publish('t', numbered(20));
  disk.refuse = () =>
    readdirSync(join(dataPath, 'nsq-data/topics/t.topic')).some((name) => name.endsWith('.log'));
  await expect(broker.publish('t', 'refused')).rejects.toMatchObject({ code: 'E_STORAGE' });
  expect(await consume(client, 20)).toEqual(numbered(20));
  await until(() => broker.healthy, 'healthy again');
  disk.refuse = () => false;
  await broker.publish('t', 'after');
  expect(await consume(client, 1)).toEqual(['after']);
  expect(countsOf((await afterCrash(broker)).topic('t').channel('c')).depth).toBeLessThan(2);
});

it('a journal that cannot be written shows in health; what was finished then may only come again', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  const client = await subscribe(broker, 't', 'c', { ready: 10 });
  await broker.publish('t', numbered(10));
  disk.refuse = (path) => path.includes('journal');
  await consume(client, 4);
  await stop(client);
  await until(() => !broker.healthy, 'the trouble shows');
  expect(broker.health).toMatch(/^NOK - ENOSPC/);
  await broker.publish('t', 'messages can be written');
  expect(broker.health).toMatch(/^NOK - ENOSPC/);
  disk.refuse = () => false;
  await until(() => broker.healthy, 'healthy again, although nothing happens to the topic');
  const again = await afterCrash(broker);
  expect(again.topic('t').channel('c').depth).toBe(7);
});

it('after a crash while the journal could not be written, nothing is lost', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  const client = await subscribe(broker, 't', 'c', { ready: 10 });
  await broker.publish('t', numbered(10));
  disk.refuse = (path) => path.includes('journal');
  await consume(client, 10);
  await settled(client);
  await broker.publish('t', 'last');
  const again = await afterCrash(broker);
  const second = await subscribe(again, 't', 'c', { ready: 100 });
  const received = (await take(second, again.topic('t').channel('c').depth)).map(({ body }) => `${body}`);
  expect(received).toContain('last');
});

it('a topic that is deleted takes its trouble with it', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  await broker.publish('t', 'x');
  disk.refuse = (path) => path.includes('journal');
  broker.topic('t').channel('c');
  expect(broker.healthy).toBe(false);
  disk.refuse = () => false;
  broker.deleteTopic('t');
  expect(broker.health).toBe('OK');
});

it('a sync that fails shows in health until one works', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk, { syncTimeout: 20 });
  await broker.publish('t', 'x');
  disk.refuse = (path) => path.endsWith('.log');
  await until(() => !broker.healthy, 'the trouble shows');
  disk.refuse = () => false;
  await until(() => broker.healthy, 'healthy again');
});

it('a broker starts on a full disk, so that consumers can make room', async () => {
  const first = await openBroker();
  first.topic('t').channel('c');
  await first.publish('t', numbered(3));
  const write = vi.spyOn(REAL_FILES, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  cleanup(() => write.mockRestore());
  const broker = await afterCrash(first);
  const client = await subscribe(broker, 't', 'c', { ready: 5 });
  expect(await consume(client, 3)).toEqual(numbered(3));
});
