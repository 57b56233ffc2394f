import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../../src/broker/broker.js';
import { SpareFiles } from '../../../src/broker/log/spare-files.js';
import { tempDir } from '../../support/temp.js';
import { afterCrash, openBroker, restart } from '../support/brokers.js';
import { consume, subscribe } from '../support/clients.js';
import { LoggerNotes } from './support/logs.js';

const MB = 1024 * 1024;

function spares(broker: Broker): string[] {
  const directory = join(broker.dataPath, 'nsq-data', 'spare');
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** So many messages of a megabyte, told apart by their first bytes. */
async function publish(broker: Broker, topic: string, name: string, count: number): Promise<string[]> {
  const bodies = Array.from({ length: count }, (_, i) => `${name} ${i} `.padEnd(MB - 100, name));
  for (const body of bodies) await broker.publish(topic, body);
  return bodies;
}

describe('a file of a segment that was removed', () => {
  it.each([
    ['a restart', restart],
    ['a crash', afterCrash],
  ])('is written over, and nothing of what it held is there after %s', async (_name, again) => {
    const logger = new LoggerNotes();
    const options = { maxBytesPerFile: 8 * MB, logger };
    const first = await openBroker(options);
    first.topic('old').channel('c');
    await publish(first, 'old', 'x', 20);
    first.deleteTopic('old');
    await expect.poll(() => spares(first)).toHaveLength(2);

    first.topic('new').channel('c');
    const bodies = await publish(first, 'new', 'y', 3);
    expect(spares(first)).toHaveLength(1);
    const second = await again(first, options);
    expect(spares(second)).toEqual([]);
    expect([...second.topics.keys()]).toEqual(['new']);
    bodies.push(...(await publish(second, 'new', 'z', 2)));
    const client = await subscribe(second, 'new', 'c', { ready: 10 });
    expect(await consume(client, 5)).toEqual(bodies);
    expect(logger.lines).toEqual([]);
  });

  it('is one whose messages were all finished, too', async () => {
    const broker = await openBroker({ maxBytesPerFile: 8 * MB });
    broker.topic('t').channel('c');
    const client = await subscribe(broker, 't', 'c', { ready: 100 });
    for (let round = 0; round < 4; round++) {
      const bodies = await publish(broker, 't', String(round), 10);
      expect(await consume(client, 10)).toEqual(bodies);
    }
    await expect.poll(() => [...broker.topic('t').log.segments].length).toBe(1);
    expect([...broker.topic('t').log.segments][0]?.inUsedFile).toBe(true);
  });
});

describe('SpareFiles', () => {
  const file = (directory: string, name: string, size: number): string => {
    const path = join(directory, name);
    writeFileSync(path, Buffer.alloc(size, name));
    return path;
  };

  it('keeps so many, and none that is small', async () => {
    const directory = tempDir();
    const files = new SpareFiles(join(directory, 'spare'), new LoggerNotes());
    files.retire(file(directory, 'small', 1000), 1000);
    files.retire(file(directory, 'a', 5 * MB), 300 * MB);
    files.retire(file(directory, 'b', 5 * MB), 300 * MB);
    expect(files.length).toBe(1);
    await expect.poll(() => readdirSync(join(directory, 'spare'))).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(['spare']);
  });

  it('gives a file with its new header, the newest first', () => {
    const directory = tempDir();
    const files = new SpareFiles(join(directory, 'spare'), new LoggerNotes());
    files.retire(file(directory, 'a', 5 * MB), 5 * MB);
    files.retire(file(directory, 'b', 6 * MB), 6 * MB);
    const path = join(directory, 'taken');
    expect(files.take(path, Buffer.from('header'))).toBeGreaterThan(0);
    expect(statSync(path).size).toBe(6 * MB);
    expect(readFileSync(path, 'latin1').slice(0, 8)).toBe('headerbb');
    expect(files.take(join(directory, 'next'), Buffer.from('header'))).toBeGreaterThan(0);
    expect(files.take(join(directory, 'none'), Buffer.from('header'))).toBe(-1);
    expect(existsSync(join(directory, 'none'))).toBe(false);
  });

  it('removes a file that it cannot keep: on a full disk its room counts most', () => {
    const directory = tempDir();
    const files = new SpareFiles(join(directory, 'missing', 'spare'), new LoggerNotes());
    const path = file(directory, 'a', 5 * MB);
    files.retire(path, 5 * MB);
    expect([existsSync(path), files.length]).toEqual([false, 0]);
    expect(() => files.retire(path, 5 * MB)).toThrow('ENOENT');
  });

  it('gives none where it cannot be moved to', async () => {
    const directory = tempDir();
    const files = new SpareFiles(join(directory, 'spare'), new LoggerNotes());
    files.retire(file(directory, 'a', 5 * MB), 5 * MB);
    expect(files.take(join(directory, 'missing', 'x'), Buffer.from('header'))).toBe(-1);
    await expect.poll(() => readdirSync(join(directory, 'spare'))).toEqual([]);
  });

  it('begins with none, whatever is there, and gives all up when told', () => {
    const directory = tempDir();
    mkdirSync(join(directory, 'spare'));
    file(join(directory, 'spare'), '0', 100);
    const files = new SpareFiles(join(directory, 'spare'), new LoggerNotes());
    expect(existsSync(join(directory, 'spare'))).toBe(false);
    files.retire(file(directory, 'a', 5 * MB), 5 * MB);
    files.expire();
    expect(files.length).toBe(1);
    files.clear();
    expect([files.length, readdirSync(join(directory, 'spare'))]).toEqual([0, []]);
    files.retire(file(directory, 'a', 5 * MB), 5 * MB);
    files.close();
    expect(readdirSync(directory)).toEqual([]);
  });
});
