import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Broker } from '../../../src/broker/broker.js';
import { type Files, REAL_FILES } from '../../../src/broker/log/files.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { until } from '../limits/support/limits.js';
import { afterCrash, countsOf, openBroker, restart } from '../support/brokers.js';
import { numbered } from '../support/clients.js';
import { FakeConsumer } from '../support/fake-consumer.js';

type Sync = Parameters<Files['fdatasync']>;

/** The file system, with syncs that wait until they are let through. */
class SlowSyncs {
  readonly waiting: Sync[] = [];
  slow = false;
  /** Those that are under way. */
  #running = 0;
  readonly files: Files = {
    ...REAL_FILES,
    fdatasync: (...call) => {
      if (this.slow) this.waiting.push(call);
      else this.#run(call);
    },
  };

  /** Lets all of them through, and those that come of it; resolves when none is under way. */
  async release(): Promise<void> {
    this.slow = false;
    for (const call of this.waiting.splice(0)) this.#run(call);
    while (this.#running > 0) await new Promise(setImmediate);
  }

  #run([fd, done]: Sync): void {
    this.#running++;
    REAL_FILES.fdatasync(fd, (error) => {
      done(error);
      this.#running--;
    });
  }
}

async function openOn(files: Files, options: BrokerOptions = {}): Promise<Broker> {
  const broker = new Broker({ dataPath: tempDir(), httpAddress: '', ...options }, files);
  await broker.start();
  cleanup(() => broker.close());
  return broker;
}

describe('a topic that is deleted', () => {
  it('is removed when the broker has closed', async () => {
    const broker = await openBroker();
    for (let round = 0; round < 3; round++) {
      const topic = broker.topic('t');
      for (let i = 0; i < 100; i++) topic.channel(`c${i}`);
      await broker.publish(
        't',
        Array.from({ length: 20 }, () => 'message'.padEnd(100_000)),
      );
      broker.deleteTopic('t');
    }
    await broker.close();
    expect(readdirSync(join(broker.dataPath, 'nsq-data', 'topics'))).toEqual([]);
  });

  it('before a publish to it is synced costs that nothing', async () => {
    const syncs = new SlowSyncs();
    const broker = await openOn(syncs.files, { durability: 'fsync' });
    syncs.slow = true;
    const syncing = broker.publish('t', 'first');
    await until(() => syncs.waiting.length === 1, 'being synced');
    const waiting = broker.publish('t', 'second');
    broker.turn.run();
    broker.deleteTopic('t');
    await syncs.release();
    expect(await Promise.allSettled([syncing, waiting])).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
    ]);
    expect(broker.health).toBe('OK');
  });

  it('and made anew at once keeps its channels, whatever the old one has yet to clean up', async () => {
    const first = await openBroker();
    first.topic('t').channel('old');
    await first.publish('t', 'message');
    await first.close();
    const syncs = new SlowSyncs();
    const broker = await openOn(syncs.files, { dataPath: first.dataPath });
    syncs.slow = true;
    // The journal of before the start goes once the new one is on stable storage.
    broker.topic('t').channel('second');
    broker.topic('t').sync();
    await new Promise(setImmediate);
    expect(syncs.waiting.length).toBeGreaterThan(0);
    broker.deleteTopic('t');
    broker.topic('t').channel('new');
    await broker.publish('t', 'message');
    await syncs.release();
    const again = await afterCrash(broker);
    expect([...again.topic('t').channels.keys()]).toEqual(['new']);
    expect(again.topic('t').channel('new').depth).toBe(1);
  });

  it('while it is synced leaves the broker well', async () => {
    const syncs = new SlowSyncs();
    const broker = await openOn(syncs.files);
    broker.topic('t').channel('c');
    await broker.publish('t', 'message');
    syncs.slow = true;
    broker.topic('t').sync();
    broker.deleteTopic('t');
    await syncs.release();
    expect(broker.health).toBe('OK');
  });

  it('again and again in one millisecond is gone each time', async () => {
    const broker = await openBroker();
    for (let i = 0; i < 50; i++) {
      const topic = broker.topic('t');
      topic.channel('c');
      broker.deleteTopic('t');
    }
    expect((await restart(broker)).topics.size).toBe(0);
  });
});

it('a broker starts on a full disk although numbers are to begin anew, and loses nothing then', async () => {
  const first = await openBroker({ maxTopicBytes: 1e6 });
  const channel = first.topic('t').channel('c');
  await first.publish('t', numbered(100));
  const consumer = new FakeConsumer(channel, 100);
  first.turn.run();
  for (const delivery of [...consumer.deliveries]) consumer.fin(delivery.n);
  first.turn.run();
  // As at a limit: what is finished goes, the segment being written too.
  first.topic('t').retention.reclaim();
  first.turn.run();
  await first.close();
  let isFull = true;
  const files: Files = {
    ...REAL_FILES,
    writeSync: (...call) => {
      if (isFull)
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return REAL_FILES.writeSync(...call);
    },
  };
  const broker = await openOn(files, { dataPath: first.dataPath });
  expect(countsOf(broker.topic('t').channel('c'))).toEqual({ depth: 0, inFlight: 0, deferred: 0 });
  await expect(broker.publish('t', 'refused')).rejects.toMatchObject({ code: 'E_STORAGE' });
  isFull = false;
  await until(() => broker.healthy, 'healthy again');
  await broker.publish('t', 'kept');
  const again = await afterCrash(broker);
  expect(again.topic('t').channel('c').depth).toBe(1);
});

it('a journal that could not be written before a crash leaves no messages in the counts that are gone', async () => {
  let failing = false;
  const files: Files = {
    ...REAL_FILES,
    writeSync: (fd, buf, offset, length, position) => {
      if (failing && buf.includes('NSQj')) throw new Error('EIO');
      return REAL_FILES.writeSync(fd, buf, offset, length, position);
    },
  };
  const broker = await openOn(files, { maxBytesPerFile: 2000 });
  const channel = broker.topic('t').channel('c');
  for (const body of numbered(100)) await broker.publish('t', body.padEnd(100, '.'));
  const consumer = new FakeConsumer(channel, 100);
  failing = true;
  broker.turn.run();
  for (const delivery of [...consumer.deliveries]) consumer.fin(delivery.n);
  broker.turn.run();
  const spares = join(broker.dataPath, 'nsq-data', 'spare');
  await until(() => readdirSync(spares).length === 0, 'files removed');
  const again = await afterCrash(broker);
  const left = [...again.topic('t').log.segments].reduce((sum, it) => sum + it.endN - it.firstN, 0);
  expect(left).toBeLessThan(30);
  expect(again.topic('t').channel('c').depth).toBe(left);
});
