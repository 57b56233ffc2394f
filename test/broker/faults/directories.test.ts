import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Broker } from '../../../src/broker/broker.js';
import { type Files, REAL_FILES } from '../../../src/broker/log/files.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { sized } from '../../support/wire.js';
import { until } from '../limits/support/limits.js';
import { afterCrash, openBroker } from '../support/brokers.js';
import { connect, consume, subscribe } from '../support/clients.js';
import { http } from '../support/http.js';
import { NsqdData } from '../takeover/support/nsqd-data.js';

/** The file system, with some calls that fail. */
class Faults {
  /** Syncs of directories that are yet to fail. */
  directories = 0;
  /** Whether a rename fails. */
  rename: (from: string) => boolean = () => false;
  readonly #directories = new Set<number>();
  readonly files: Files = {
    ...REAL_FILES,
    openSync: (path, flags) => {
      const fd = REAL_FILES.openSync(path, flags);
      if (path.endsWith('.topic')) this.#directories.add(fd);
      else this.#directories.delete(fd);
      return fd;
    },
    fdatasync: (fd, done) => {
      if (this.directories > 0 && this.#directories.has(fd)) {
        this.directories--;
        setImmediate(done, failure('EIO'));
      } else REAL_FILES.fdatasync(fd, done);
    },
    renameSync: (from, to) => {
      if (this.rename(from)) throw failure('EACCES');
      REAL_FILES.renameSync(from, to);
    },
  };
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: put in the way`), { code });
}

async function openOn({ files }: Faults, options: BrokerOptions = {}): Promise<Broker> {
  const broker = new Broker({ dataPath: tempDir(), httpAddress: '127.0.0.1:0', ...options }, files);
  await broker.start();
  cleanup(() => broker.close());
  return broker;
}

const topicsOf = ({ dataPath }: Broker): string => join(dataPath, 'nsq-data', 'topics');

it('with fsync, no publish gets an OK while the entry of its file may not be on the disk', async () => {
  const faults = new Faults();
  // One for the segment, one for the journal, one for the second publish.
  faults.directories = 3;
  const broker = await openOn(faults, { durability: 'fsync' });
  const client = await connect(broker);
  client.send('PUB t\n', sized('first'));
  expect(await client.next()).toMatchObject({ type: 'error', code: 'E_PUB_FAILED' });
  expect((await http(broker, 'GET /ping')).text).toContain('NOK - EIO');
  expect((await http(broker, 'POST /pub?topic=t', { body: 'second' })).status).toBe(500);
  await until(() => broker.healthy, 'well again by itself');
  expect((await http(broker, 'POST /pub?topic=t', { body: 'third' })).status).toBe(200);
  const again = await afterCrash(broker);
  expect(again.topic('t').depth).toBe(3);
});

describe('what somebody else removes under a broker', () => {
  it.each(['os', 'fsync'] as const)(
    'a topic’s directory is made again, with durability %s',
    async (durability) => {
      const broker = await openOn(new Faults(), { durability, syncTimeout: 50 });
      broker.topic('t').channel('c');
      await broker.publish('t', 'lost');
      await broker.publish('without-channel', 'lost');
      for (const name of ['t', 'without-channel'])
        rmSync(join(topicsOf(broker), `${name}.topic`), { recursive: true });
      if (durability === 'fsync') await expect(broker.publish('t', 'too')).rejects.toThrow('was removed');
      else {
        await broker.publish('t', 'too');
        await until(() => !broker.healthy, 'health says so');
      }
      expect((await http(broker, 'GET /ping')).text).toContain('was removed by somebody else');
      await until(() => broker.healthy, 'well again');
      await broker.publish('t', 'kept');
      await until(
        () => broker.topic('without-channel').unsynced === 0 && broker.healthy,
        'the other topic too',
      );
      const again = await afterCrash(broker);
      const client = await subscribe(again, 't', 'c', { ready: 1 });
      expect(await consume(client, 1)).toEqual(['kept']);
    },
  );

  it('all of the data: the broker stops', async () => {
    const broker = await openOn(new Faults(), { durability: 'fsync' });
    await broker.publish('t', 'message');
    rmSync(join(broker.dataPath, 'nsq-data'), { recursive: true });
    await expect(broker.publish('other', 'no')).rejects.toMatchObject({ code: 'E_LOCKED' });
    expect(broker.health).toContain("is no longer this broker's");
    await expect(broker.closed).rejects.toMatchObject({ code: 'E_LOCKED' });
    expect(readdirSync(broker.dataPath)).toEqual([]);
    const again = await openBroker({ dataPath: broker.dataPath });
    await again.publish('t', 'yes');
  });
});

it('a topic whose files cannot be put aside is not deleted, and goes on', async () => {
  const faults = new Faults();
  const broker = await openOn(faults);
  broker.topic('t').channel('c');
  await broker.publish('t', 'first');
  faults.rename = (from) => from.endsWith('t.topic');
  expect((await http(broker, 'POST /topic/delete?topic=t')).status).toBe(500);
  await broker.publish('t', 'second');
  const client = await subscribe(broker, 't', 'c', { ready: 2 });
  expect(await consume(client, 2)).toEqual(['first', 'second']);
  faults.rename = () => false;
  expect((await http(broker, 'POST /topic/delete?topic=t')).status).toBe(200);
});

/** A broker whose topic `t` has its name lost: its directory’s entry was to be made anew, and the way back fails. */
async function nameless(faults: Faults): Promise<Broker> {
  const broker = await openOn(faults, { durability: 'fsync' });
  broker.topic('t').channel('c');
  faults.directories = 1;
  await expect(broker.publish('t', 'first')).rejects.toThrow('EIO');
  faults.rename = (from) => from.endsWith('t.topic.anew');
  await until(() => readdirSync(topicsOf(broker)).includes('t.topic.anew'), 'the name is lost');
  return broker;
}

it('a directory that could not get its name back gets it, and nothing is put in its place', async () => {
  const faults = new Faults();
  const broker = await nameless(faults);
  await expect(broker.publish('t', 'second')).rejects.toMatchObject({ code: 'E_STORAGE' });
  broker.topic('t').channel('later');
  expect(readdirSync(topicsOf(broker))).toEqual(['t.topic.anew']);
  faults.rename = () => false;
  await until(() => broker.healthy, 'well again by itself');
  await broker.publish('t', 'third');
  expect(readdirSync(topicsOf(broker))).toEqual(['t.topic']);
  const again = await afterCrash(broker);
  expect([...again.topic('t').channels.keys()]).toEqual(['c', 'later']);
  expect(again.topic('t').channel('c').depth).toBe(3);
});

it('a topic that is deleted while its directory has no name is not there after the next start', async () => {
  const faults = new Faults();
  const broker = await nameless(faults);
  expect((await http(broker, 'POST /topic/delete?topic=t')).status).toBe(500);
  faults.rename = () => false;
  expect((await http(broker, 'POST /topic/delete?topic=t')).status).toBe(200);
  await broker.publish('t', 'new');
  const again = await afterCrash(broker);
  expect([...again.topics.keys()]).toEqual(['t']);
  expect(again.topic('t').depth).toBe(1);
});

it('a topic is deleted although files of an earlier one of its name could not be', async () => {
  const broker = await openBroker();
  const left = join(topicsOf(broker), 't.topic.0.removed');
  mkdirSync(left);
  writeFileSync(join(left, 'file'), '');
  await broker.publish('t', 'message');
  expect(broker.deleteTopic('t')).toBe(true);
  await broker.publish('t', 'second');
  expect(broker.topic('t').depth).toBe(1);
});

it('a directory gets its name back before nsqd’s files are looked at', async () => {
  const broker = await openBroker();
  await broker.publish('t', 'message');
  await broker.close();
  renameSync(join(topicsOf(broker), 't.topic'), join(topicsOf(broker), 't.topic.anew'));
  const data = new NsqdData(broker.dataPath);
  data.metadata({ t: ['c'] }).queue('t:c', [{ id: 1 }]);
  const again = await openBroker({ dataPath: broker.dataPath });
  expect(again.topic('t').depth).toBe(1);
  expect(data.has('t:c.diskqueue.000000.dat')).toBe(true);
});

it('a crash while a directory’s entry is made anew costs nothing', async () => {
  const broker = await openBroker();
  await broker.publish('t', 'message');
  await broker.close();
  renameSync(join(topicsOf(broker), 't.topic'), join(topicsOf(broker), 't.topic.anew'));
  const again = await openBroker({ dataPath: broker.dataPath });
  expect(again.topic('t').depth).toBe(1);
});

it('what is no file and no directory where one is to be stops no start, and is kept', async () => {
  const broker = await openBroker();
  broker.topic('t').channel('c');
  await broker.publish('t', 'message');
  await broker.close();
  const topics = topicsOf(broker);
  const segment = join(topics, 't.topic', '00000000000000000150-deadbeef.log');
  mkdirSync(segment);
  mkdirSync(join(topics, 't.topic', 'journal.0000000200'));
  writeFileSync(join(topics, 'file.topic'), '');
  symlinkSync('/nowhere', join(topics, 'link.topic'));
  const again = await openBroker({ dataPath: broker.dataPath });
  expect([...again.topics.keys()]).toEqual(['t']);
  expect(again.topic('t').channel('c').depth).toBe(1);
  await expect(again.publish('file', 'no')).rejects.toMatchObject({ code: 'E_STORAGE' });
  again.topic('t').channel('later');
  const third = await afterCrash(again);
  expect([...third.topic('t').channels.keys()]).toEqual(['c', 'later']);
  expect(readdirSync(join(topics, 't.topic'))).toContain(basename(`${segment}.bad`));
});
