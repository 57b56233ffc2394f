import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Broker } from '../../../src/broker/broker.js';
import { type Files, REAL_FILES } from '../../../src/broker/log/files.js';
import { SILENT } from '../../../src/broker/logger.js';
import { resolveOptions } from '../../../src/broker/options.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { Store } from '../../../src/broker/store.js';
import { cleanup, tempDir } from '../../support/temp.js';
import { sized } from '../../support/wire.js';
import { until } from '../limits/support/limits.js';
import { LoggerNotes } from '../log/support/logs.js';
import { openBroker } from '../support/brokers.js';
import { connect, consume, numbered, subscribe } from '../support/clients.js';
import { http } from '../support/http.js';
import { lockOf, replaceLock, STRANGERS_LOCK } from '../support/lock-files.js';
import { dataName, messages, NsqdData } from '../takeover/support/nsqd-data.js';

const TAKEN = { code: 'E_LOCKED', message: expect.stringContaining('process 4711 on host elsewhere') };

/** Every file below a directory, with what is in it. */
function contentOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
}

/** The file system, with something that comes before one of its calls. */
class Hooked {
  before: (what: keyof Files, path: string) => void = () => {};
  readonly files: Files = {
    ...REAL_FILES,
    mkdirSync: (path) => {
      this.before('mkdirSync', path);
      REAL_FILES.mkdirSync(path);
    },
    fdatasync: (fd, done) => {
      this.before('fdatasync', '');
      REAL_FILES.fdatasync(fd, done);
    },
  };

  async open(options: BrokerOptions = {}): Promise<Broker> {
    const broker = new Broker({ dataPath: tempDir(), httpAddress: '127.0.0.1:0', ...options }, this.files);
    cleanup(() => broker.close());
    await broker.start();
    return broker;
  }
}

describe('a broker whose data path another one took over', () => {
  it('confirms nothing more, says who has it, closes connections, and writes nothing', async () => {
    const logger = new LoggerNotes();
    const broker = await openBroker({ httpAddress: '127.0.0.1:0', logger, maxBytesPerFile: 2000 });
    broker.topic('t').channel('c');
    for (const body of numbered(100)) await broker.publish('t', body);
    const consumer = await subscribe(broker, 't', 'c', { ready: 10 });
    await consume(consumer, 50);
    const publisher = await connect(broker);
    replaceLock(lockOf(broker.dataPath));
    const there = contentOf(broker.dataPath);

    await expect(broker.publish('new', 'no')).rejects.toMatchObject(TAKEN);
    publisher.send('PUB t\n', sized('no'));
    await until(() => publisher.closed && consumer.closed, 'connections are closed');
    await expect(publisher.next()).rejects.toThrow('no frame came');
    await expect(broker.closed).rejects.toMatchObject(TAKEN);
    await expect(broker.publish('t', 'no')).rejects.toMatchObject(TAKEN);
    expect(broker.health).toMatch(/^NOK - data path .* was taken over by process 4711 on host elsewhere$/);
    expect(broker.healthy).toBe(false);
    await broker.close();
    expect(contentOf(broker.dataPath)).toEqual(there);
    expect(there['nsq-data/lock']).toBe(STRANGERS_LOCK);
    expect(logger.lines.filter((line) => line.includes('this broker stops'))).toHaveLength(1);
  });

  it('notices it without any work to do', async () => {
    const broker = await openBroker();
    replaceLock(lockOf(broker.dataPath));
    await expect(broker.closed).rejects.toMatchObject(TAKEN);
  });

  it('gives no OK to what waits for a sync', async () => {
    const hooked = new Hooked();
    const broker = await hooked.open({ durability: 'fsync' });
    await broker.publish('t', 'yes');
    hooked.before = (what) => {
      if (what === 'fdatasync') replaceLock(lockOf(broker.dataPath));
      const until = performance.now() + 110;
      while (performance.now() < until);
    };
    await expect(broker.publish('t', 'no')).rejects.toMatchObject(TAKEN);
    hooked.before = () => {};
    await expect(broker.closed).rejects.toMatchObject(TAKEN);
  });

  it('stops in the middle of its start', async () => {
    const hooked = new Hooked();
    const dataPath = tempDir();
    const first = await openBroker({ dataPath });
    for (const topic of ['a', 'b', 'c']) await first.publish(topic, 'message');
    await first.close();
    let there = {};
    hooked.before = (_what, path) => {
      if (!path.endsWith('b.topic')) return;
      replaceLock(lockOf(dataPath));
      there = contentOf(dataPath);
    };
    await expect(hooked.open({ dataPath })).rejects.toMatchObject(TAKEN);
    expect(contentOf(dataPath)).toEqual(there);
  });

  it('stops in the middle of its end', async () => {
    const hooked = new Hooked();
    const broker = await hooked.open();
    for (const topic of numbered(200, 't')) await broker.publish(topic.replace(' ', ''), 'message');
    let there = {};
    hooked.before = (what) => {
      if (what !== 'fdatasync' || 'nsq-data/lock' in there) return;
      replaceLock(lockOf(broker.dataPath));
      there = contentOf(broker.dataPath);
      const until = performance.now() + 110;
      while (performance.now() < until);
    };
    await broker.close();
    await expect(broker.closed).rejects.toMatchObject(TAKEN);
    expect(contentOf(broker.dataPath)).toEqual(there);
  });

  it('stops in the middle of an import from nsqd', async () => {
    const data = new NsqdData(tempDir()).metadata({ t: ['c'] }).queue('t:c', messages(0, 5));
    const hooked = new Hooked();
    const store = new Store(resolveOptions({ dataPath: data.path }), SILENT, hooked.files);
    await store.open();
    hooked.before = (_what, path) => {
      if (path.endsWith('.importing')) replaceLock(lockOf(data.path));
    };
    await expect(store.takeOver()).rejects.toMatchObject(TAKEN);
    await store.close();
    expect([data.has('nsqd.dat'), data.has(dataName('t:c'))]).toEqual([true, true]);
    expect(readFileSync(lockOf(data.path), 'utf8')).toBe(STRANGERS_LOCK);
  });
});

describe('a broker whose data path was moved away', () => {
  it('leaves another one alone that was started at the path', async () => {
    const first = await openBroker({ maxBytesPerFile: 1000 });
    const { dataPath } = first;
    const filled = async (broker: Broker, count: number): Promise<void> => {
      for (const body of numbered(count)) await broker.publish('t', body.padEnd(100));
    };
    await filled(first, 5);
    renameSync(dataPath, `${dataPath}.old`);
    cleanup(() => rmSync(`${dataPath}.old`, { recursive: true }));
    mkdirSync(dataPath);
    const second = await openBroker({ dataPath, maxBytesPerFile: 1000 });
    await filled(second, 20);
    const there = contentOf(dataPath);

    await expect(filled(first, 20)).rejects.toMatchObject({
      code: 'E_LOCKED',
      message: expect.stringContaining(`taken over by process ${process.pid}`),
    });
    await expect(first.closed).rejects.toMatchObject({ code: 'E_LOCKED' });
    expect(contentOf(dataPath)).toEqual(there);
    await filled(second, 1);
    expect(second.health).toBe('OK');
    // Its process lives on here.
    rmSync(lockOf(`${dataPath}.old`));
    const old = await openBroker({ dataPath: `${dataPath}.old` });
    expect(old.topic('t').depth).toBeGreaterThanOrEqual(5);
  });
});

it('a broker that is closed says so', async () => {
  const broker = await openBroker({ httpAddress: '127.0.0.1:0' });
  expect((await http(broker, 'GET /ping')).text).toBe('OK');
  await broker.close();
  await expect(broker.closed).resolves.toBeUndefined();
});

it('of many topics, some are closed at a time', async () => {
  const hooked = new Hooked();
  const broker = await hooked.open();
  for (const topic of numbered(300, 't')) await broker.publish(topic.replace(' ', ''), 'message');
  let most = 0;
  let open = 0;
  const { fdatasync } = hooked.files;
  hooked.files.fdatasync = (fd, done) => {
    most = Math.max(most, ++open);
    fdatasync(fd, (error) => {
      open--;
      done(error);
    });
  };
  await broker.close();
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThan(300);
});
