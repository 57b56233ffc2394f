import { expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { DiskLimit } from '../../../src/broker/limits/disk-limit.js';
import type { DiskSpace } from '../../../src/broker/limits/high-water.js';
import { StorageHealth } from '../../../src/broker/limits/storage-health.js';
import type { LimitAction } from '../../../src/broker/settings.js';
import { cleanup } from '../../support/temp.js';
import { sized } from '../../support/wire.js';
import { openBroker } from '../support/brokers.js';
import { connect } from '../support/clients.js';
import { http } from '../support/http.js';
import { bodies, bytesOnDisk } from './support/limits.js';

interface Subject {
  broker: Broker;
  health: StorageHealth;
  sample(used: number): Promise<void>;
}

/** A limit of 90 % of a disk of a million bytes. */
async function limited(onLimit: LimitAction): Promise<Subject> {
  const broker = await openBroker({ maxBytesPerFile: 10_000 });
  const health = new StorageHealth();
  let space: DiskSpace = { used: 0, available: 1_000_000 };
  const limit = new DiskLimit(
    {
      settings: { ...broker.settings, diskHighWater: '90%', onLimit },
      scheduler: broker.scheduler,
      logger: broker.logger,
      topics: broker.topics,
      dataPath: broker.dataPath,
      freeRoom: () => broker.freeRoom(),
    },
    health,
    () => Promise.resolve(space),
  );
  cleanup(() => limit.close());
  return {
    broker,
    health,
    sample: (used) => {
      space = { used, available: 1_000_000 - used };
      return limit.sample();
    },
  };
}

it('above the mark messages are refused and health says why; below it they are taken again', async () => {
  const { broker, health, sample } = await limited('reject');
  await broker.publish('t', 'before');
  await sample(900_000);
  await broker.publish('t', 'at the mark');
  await sample(950_000);
  expect(health.error?.message).toContain('95% full, --disk-high-water is 90%');
  await expect(broker.publish('t', 'refused')).rejects.toMatchObject({ code: 'E_LIMIT' });
  await broker.publish('t#ephemeral', 'in memory');
  await sample(800_000);
  expect(health.error).toBeUndefined();
  await broker.publish('t', 'after');
  expect(broker.topic('t').depth).toBe(3);
});

it('with drop-oldest, as many of the oldest segments go as are too much, over all topics', async () => {
  const { broker, health, sample } = await limited('drop-oldest');
  for (let i = 0; i < 100; i += 10) {
    await broker.publish('a', bodies(10, 1000, i));
    await broker.publish('b', bodies(10, 1000, i));
  }
  const before = bytesOnDisk(broker, 'a') + bytesOnDisk(broker, 'b');
  await sample(935_000);
  expect(health.error).toBeUndefined();
  const freed = before - bytesOnDisk(broker, 'a') - bytesOnDisk(broker, 'b');
  expect(freed).toBeGreaterThanOrEqual(35_000);
  expect(freed).toBeLessThan(35_000 + 12_000);
  const dropped = ['a', 'b'].map((name) => broker.topic(name).limits.droppedCount);
  expect(dropped[0]).toBeGreaterThanOrEqual(20);
  expect(dropped[1]).toBeGreaterThanOrEqual(10);
  expect(broker.topic('a').depth).toBe(100 - dropped[0]!);
  // More than there is to drop: what is left to do is to refuse.
  await sample(999_999);
  await sample(999_999);
  expect([broker.topic('a').depth, broker.topic('b').depth]).toEqual([0, 0]);
  await expect(broker.publish('a', 'refused')).rejects.toMatchObject({ code: 'E_LIMIT' });
  await sample(100_000);
  await broker.publish('a', 'taken');
  expect(broker.topic('a').depth).toBe(1);
});

it('a broker on a file system that is fuller than it may be refuses from the start, also for new topics', async () => {
  const broker = await openBroker({ diskHighWater: String(2 ** 50), httpAddress: '127.0.0.1:0' });
  const client = await connect(broker);
  client.send('PUB t\n', sized('x'));
  const answer = await client.next();
  expect(answer).toMatchObject({ type: 'error', code: 'E_PUB_FAILED' });
  expect(JSON.stringify(answer)).toContain('--disk-high-water');
  const ping = await http(broker, 'GET /ping');
  expect([ping.status, ping.text]).toEqual([
    500,
    expect.stringContaining('bytes free, --disk-high-water is'),
  ]);
  expect((await http(broker, 'POST /pub?topic=u', { body: 'x' })).status).toBe(503);
});
