import { expect, it } from 'vitest';
import { sized } from '../../support/wire.js';
import { until } from '../limits/support/limits.js';
import { afterCrash, statsOf } from '../support/brokers.js';
import { connect, consume, numbered, settled, subscribe } from '../support/clients.js';
import { http } from '../support/http.js';
import { FullDisk, openOn } from './support/full-disk.js';

const isJournal = (path: string): boolean => path.includes('journal');

it('a topic takes no messages while its journal lacks a channel that a crash would forget with them', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  broker.topic('t').channel('old');
  await broker.publish('t', 'first');
  disk.refuse = isJournal;
  const created = await http(broker, 'POST /channel/create?topic=t&channel=new');
  expect([created.status, JSON.parse(created.text)]).toEqual([500, { message: 'INTERNAL_ERROR' }]);
  await expect(broker.publish('t', 'refused')).rejects.toMatchObject({
    code: 'E_STORAGE',
    message: expect.stringContaining("the journal of topic 't' cannot be written: ENOSPC"),
  });
  const publisher = await connect(broker);
  publisher.send('PUB t\n', sized('refused'));
  expect(await publisher.next()).toMatchObject({ type: 'error', code: 'E_PUB_FAILED' });
  expect((await http(broker, 'POST /pub?topic=t', { body: 'refused' })).status).toBe(500);
  // Others are well, and what is there is delivered.
  await broker.publish('other', 'taken');
  const client = await subscribe(broker, 't', 'old', { ready: 5 });
  expect(await consume(client, 1)).toEqual(['first']);

  disk.refuse = () => false;
  await until(() => broker.healthy, 'healthy again, although nobody publishes');
  expect((await http(broker, 'POST /channel/create?topic=t&channel=new')).status).toBe(200);
  await broker.publish('t', 'second');
  const again = await afterCrash(broker);
  const reader = await subscribe(again, 't', 'new', { ready: 5 });
  expect(await consume(reader, 1)).toEqual(['second']);
});

it.each([
  ['POST /channel/delete?topic=t&channel=c'],
  ['POST /channel/empty?topic=t&channel=c'],
  ['POST /channel/pause?topic=t&channel=c'],
  ['POST /topic/pause?topic=t'],
  ['POST /topic/empty?topic=t'],
])('%s is no success while it cannot be written down', async (line) => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  broker.topic('t').channel('c');
  await broker.publish('t', numbered(3));
  if (line.includes('/topic/empty')) broker.topic('t').pause(true);
  await broker.publish('t', 'waits');
  disk.refuse = isJournal;
  for (let tries = 0; tries < 2; tries++) {
    const { status } = await http(broker, line);
    expect(status).toBe(line.includes('delete') && tries > 0 ? 404 : 500);
  }
  disk.refuse = () => false;
  await until(() => broker.healthy, 'healthy again');
  if (!line.includes('delete')) expect((await http(broker, line)).status).toBe(200);
});

it('a consumer may come to a channel that is new, also then', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  await broker.publish('t', numbered(3));
  disk.refuse = isJournal;
  const client = await subscribe(broker, 't', 'new', { ready: 5 });
  expect(await consume(client, 3)).toEqual(numbered(3));
});

it('finished messages that a journal cannot be told of hold no publish up', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk);
  const client = await subscribe(broker, 't', 'c', { ready: 5 });
  await broker.publish('t', numbered(3));
  disk.refuse = isJournal;
  await consume(client, 3);
  await settled(client);
  await until(() => !broker.healthy, 'the trouble shows');
  await broker.publish('t', 'taken');
  expect(await consume(client, 1)).toEqual(['taken']);
});

it('durability=memory: from the first write that fails on, an OK waits for one that works', async () => {
  const disk = new FullDisk();
  const broker = await openOn(disk, { durability: 'memory' });
  broker.topic('t').channel('c');
  const publisher = await connect(broker);
  const publish = (text: string): Promise<string> =>
    publisher.request('PUB t\n', sized(text)).catch((error: Error) => error.message);
  expect(await publish('kept')).toBe('OK');
  disk.refuse = (path) => path.endsWith('.log');
  expect(await publish('lost')).toBe('OK');
  expect(broker.health).toMatch(/^NOK - ENOSPC/);
  const other = await connect(broker);
  other.send('PUB t\n', sized('refused'));
  expect(await other.next()).toMatchObject({ type: 'error', code: 'E_PUB_FAILED' });
  await expect(broker.publish('t', ['refused', 'too'])).rejects.toMatchObject({ code: 'E_STORAGE' });
  expect(statsOf(broker).topics).toMatchObject([{ depth: 0, dropped_count: 1, channels: [{ depth: 1 }] }]);
  disk.refuse = () => false;
  await broker.publish('t', 'after');
  const client = await subscribe(broker, 't', 'c', { ready: 5 });
  expect(await consume(client, 2)).toEqual(['kept', 'after']);
});
