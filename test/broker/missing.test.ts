import { execFileSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { type Files, REAL_FILES } from '../../src/broker/log/files.js';
import type { BrokerOptions } from '../../src/broker/settings.js';
import { openTopic, Reader } from '../crash/support/memory-topic.js';
import { bodies, numbersOf, until } from './limits/support/limits.js';
import { LoggerNotes, STAMP } from './log/support/logs.js';
import { MemoryFiles } from './log/support/memory-files.js';
import { afterCrash, openBroker, statsOf } from './support/brokers.js';
import { FakeConsumer } from './support/fake-consumer.js';

/** Bytes of a body; three such messages fill a segment. */
const SIZE = 1000;
const PER_FILE = 3;
/** Bytes at a finished file's end that say that it is finished. */
const TRAILERS = 72;
const OPTIONS: BrokerOptions = { maxBytesPerFile: 3000, compactionInterval: 0, cacheSize: 0 };

/** A broker that notes what it logs. */
async function open(options: BrokerOptions = {}): Promise<{ broker: Broker; lines: string[] }> {
  const logger = new LoggerNotes();
  return { broker: await openBroker({ ...OPTIONS, logger, ...options }), lines: logger.lines };
}

/** What a start makes of what there is after `kill -9`. */
async function killed(broker: Broker): Promise<{ broker: Broker; lines: string[] }> {
  const logger = new LoggerNotes();
  return { broker: await afterCrash(broker, { ...OPTIONS, logger }), lines: logger.lines };
}

async function publish(broker: Broker, count: number, from = 0): Promise<void> {
  for (const body of bodies(count, SIZE, from)) await broker.publish('t', body);
}

function directoryOf({ dataPath }: Broker): string {
  return join(dataPath, 'nsq-data', 'topics', 't.topic');
}

/** Paths of the topic's segment files, in order. */
function segmentsOf(broker: Broker): string[] {
  const names = readdirSync(directoryOf(broker)).filter((it) => it.endsWith('.log'));
  return names.sort().map((name) => join(directoryOf(broker), name));
}

function journalOf(broker: Broker): string {
  const name = readdirSync(directoryOf(broker)).find((it) => it.startsWith('journal.'));
  return join(directoryOf(broker), name!);
}

/** All that a channel delivers, by its numbers; it is finished. */
async function drain(broker: Broker, name: string, count: number): Promise<number[]> {
  const channel = broker.topic('t').channel(name);
  const consumer = new FakeConsumer(channel, 1000);
  await until(() => consumer.deliveries.length >= count && channel.depth === 0, `${count} to ${name}`);
  for (const { n } of consumer.deliveries) consumer.fin(n);
  broker.turn.run();
  consumer.leave();
  return numbersOf(consumer.bodies);
}

/** What channel `name` got and had not finished when the broker was killed. */
async function takeSome(broker: Broker, name: string, count: number): Promise<void> {
  const consumer = new FakeConsumer(broker.topic('t').channel(name), count);
  await until(() => consumer.deliveries.length === count, `${count} in flight`);
  broker.turn.run();
}

function depthsOf(broker: Broker): Record<string, number> {
  const [topic] = statsOf(broker).topics ?? [];
  const channels = topic!.channels.map((it) => [it.channel_name, it.depth]);
  return { topic: topic!.depth, ...Object.fromEntries(channels) };
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a file in the middle', () => {
  it.each(['missing', 'cut to 0 bytes', 'cut to 127 bytes', 'cut to 128 bytes', 'without a header'])(
    '%s is told of once, and not counted',
    async (what) => {
      const { broker } = await open();
      for (const name of ['a', 'b']) broker.topic('t').channel(name);
      await publish(broker, 12);
      // Number 4, in the second file, is finished by one of them.
      const consumer = new FakeConsumer(broker.topic('t').channel('b'), 5);
      await until(() => consumer.deliveries.length === 5, 'delivered');
      consumer.rdy(0);
      for (const { n } of consumer.deliveries) consumer.fin(n);
      await broker.close();
      const path = segmentsOf(broker)[1]!;
      if (what === 'missing') renameSync(path, `${path}.elsewhere`);
      else if (what === 'without a header') {
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill('x', 0, 128));
      } else truncateSync(path, Number(/\d+/.exec(what)![0]));
      const { broker: next, lines } = await open({ dataPath: broker.dataPath });
      const told = lines.filter((it) => it.includes('TOPIC(t)'));
      expect(told).toEqual([
        expect.stringMatching(
          /^error TOPIC\(t\): 3 messages are missing: .* numbers 3 to 5, .* channel a: 3, channel b: 1/,
        ),
      ]);
      if (what !== 'missing') expect(readdirSync(directoryOf(next))).toContain(`${basename(path)}.bad`);
      expect(depthsOf(next)).toEqual({ topic: 0, a: 9, b: 6 });
      expect(statsOf(next).topics![0]!.channels.map((it) => it.backend_depth)).toEqual([9, 6]);
      expect(await drain(next, 'a', 9)).toEqual([...numbers(0, 3), ...numbers(6, 12)]);
      expect(await drain(next, 'b', 6)).toEqual(numbers(6, 12));
      await publish(next, 1, 12);
      expect(depthsOf(next)).toEqual({ topic: 0, a: 1, b: 1 });
      expect(lines.filter((it) => it.includes('TOPIC(t)'))).toEqual(told);
      const { lines: later } = await killed(next);
      expect(later).toEqual([]);
    },
  );

  it('is read again when it is put back before a channel got past it', async () => {
    const { broker } = await open();
    broker.topic('t').channel('a');
    await publish(broker, 9);
    await broker.close();
    for (const path of segmentsOf(broker).slice(0, 2)) {
      renameSync(path, `${path}.elsewhere`);
      const { broker: without } = await open({ dataPath: broker.dataPath });
      expect(depthsOf(without)).toEqual({ topic: 0, a: 6 });
      await without.close();
      renameSync(`${path}.elsewhere`, path);
    }
    const { broker: again, lines } = await open({ dataPath: broker.dataPath });
    expect(depthsOf(again)).toEqual({ topic: 0, a: 9 });
    expect(await drain(again, 'a', 9)).toEqual(numbers(0, 9));
    expect(lines).toEqual([]);
  });

  it('that held what was in flight is told of, and nothing waits for it', async () => {
    const { broker } = await open();
    broker.topic('t').channel('a');
    await publish(broker, 9);
    await takeSome(broker, 'a', 5);
    await broker.close();
    renameSync(segmentsOf(broker)[1]!, `${segmentsOf(broker)[1]}.elsewhere`);
    const { broker: next, lines } = await open({ dataPath: broker.dataPath });
    expect(lines).toEqual([expect.stringContaining('3 messages are missing')]);
    expect(depthsOf(next)).toEqual({ topic: 0, a: 6 });
    expect((await drain(next, 'a', 6)).sort((x, y) => x - y)).toEqual([...numbers(0, 3), ...numbers(6, 9)]);
  });

  it.each(['without a channel', 'paused'])(
    'of a topic %s is not counted before nor after it is passed on',
    async (how) => {
      const { broker } = await open();
      if (how === 'paused') {
        broker.topic('t').channel('a');
        broker.topic('t').pause(true);
      }
      await publish(broker, 9);
      await broker.close();
      renameSync(segmentsOf(broker)[1]!, `${segmentsOf(broker)[1]}.elsewhere`);
      const { broker: next, lines } = await open({ dataPath: broker.dataPath });
      expect(lines).toEqual([
        expect.stringContaining('3 messages are missing: no segment file has numbers 3 to 5'),
      ]);
      expect(depthsOf(next).topic).toBe(6);
      expect(statsOf(next).topics![0]!.backend_depth).toBe(6);
      const channel = next.topic('t').channel('a');
      next.topic('t').pause(false);
      expect(depthsOf(next)).toEqual({ topic: 0, a: 6 });
      expect(channel.messageCount).toBe(6);
      expect(await drain(next, 'a', 6)).toEqual([...numbers(0, 3), ...numbers(6, 9)]);
    },
  );
});

describe('the end of a log', () => {
  it('that is behind the journal is told of once, and numbers go on after it', async () => {
    const { broker } = await open();
    for (const name of ['a', 'b']) broker.topic('t').channel(name);
    await publish(broker, 8);
    await drain(broker, 'a', 8);
    await broker.close();
    const newest = segmentsOf(broker).at(-1)!;
    truncateSync(newest, 64);
    const { broker: next, lines } = await open({ dataPath: broker.dataPath });
    expect(lines).toEqual([
      expect.stringMatching(/^warn .* has only 64 bytes and no message/),
      expect.stringMatching(
        /^error TOPIC\(t\): 2 messages are missing: .* numbers 6 to 7, .*; the log ends before that, its numbers go on at 8/,
      ),
    ]);
    expect(existsSync(newest)).toBe(false);
    expect(depthsOf(next)).toEqual({ topic: 0, a: 0, b: 6 });
    await publish(next, 1, 8);
    const { broker: last, lines: later } = await killed(next);
    expect(later).toEqual([]);
    expect(depthsOf(last)).toEqual({ topic: 0, a: 1, b: 7 });
    expect(await drain(last, 'b', 7)).toEqual([...numbers(0, 6), 8]);
    expect(await drain(last, 'a', 1)).toEqual([8]);
  });
});

it('a damaged block in the middle of a file that is read at the start is not counted, then and later', async () => {
  const { broker } = await open({ maxBytesPerFile: 1e6 });
  broker.topic('t').channel('a');
  await publish(broker, 9);
  await broker.close();
  // As after a kill: without a footer.
  const [path] = segmentsOf(broker);
  const bytes = readFileSync(path!);
  for (const body of bodies(2, SIZE, 4)) bytes[bytes.indexOf(body)]! ^= 0x40;
  writeFileSync(path!, bytes.subarray(0, -TRAILERS));
  const { broker: next, lines } = await open({ dataPath: broker.dataPath });
  expect(lines.filter((it) => it.includes('damaged block'))).toHaveLength(2);
  expect(lines.filter((it) => it.includes('TOPIC(t)'))).toEqual([]);
  expect(depthsOf(next)).toEqual({ topic: 0, a: 7 });
  const { broker: last } = await killed(next);
  expect(depthsOf(last)).toEqual({ topic: 0, a: 7 });
  expect(await drain(last, 'a', 7)).toEqual([...numbers(0, 4), ...numbers(6, 9)]);
});

describe('a journal', () => {
  it.each(['missing', 0, 8, 30, 50])('that is cut to %s bytes is told of', async (size) => {
    const { broker } = await open();
    broker.topic('t').channel('a');
    await publish(broker, 2);
    await broker.close();
    const path = journalOf(broker);
    if (typeof size === 'number') truncateSync(path, size);
    else renameSync(path, `${path}.elsewhere`);
    const { broker: next, lines } = await open({ dataPath: broker.dataPath });
    expect(lines).toEqual([
      expect.stringMatching(/^error .*the topic's channels are not known, all its messages go to/),
    ]);
    expect(next.topic('t').channels.size).toBe(0);
    expect(await drain(next, 'first', 2)).toEqual([0, 1]);
    const { lines: later } = await killed(next);
    expect(later).toEqual([]);
  });

  it('is there from the beginning on, also of a topic that never had a channel', async () => {
    const { broker } = await open();
    broker.topic('t');
    expect(readdirSync(directoryOf(broker))).toEqual(['journal.0000000001']);
    await publish(broker, 4);
    for (let left = 2, now = broker; left > 0; left--) {
      const { broker: next, lines } = await killed(now);
      expect(lines).toEqual([]);
      expect(depthsOf(next)).toEqual({ topic: 4 });
      now = next;
    }
  });

  it.each([undefined, 4])(
    'of a version that began it with the first channel may be missing (left of it: %s bytes)',
    async (size) => {
      const { broker } = await open();
      broker.topic('t');
      await publish(broker, 4);
      await broker.close();
      for (const path of segmentsOf(broker)) withoutMark(path);
      const path = journalOf(broker);
      if (size === undefined) renameSync(path, `${path}.elsewhere`);
      else truncateSync(path, size);
      const { broker: next, lines } = await open({ dataPath: broker.dataPath });
      const expected = expect.stringMatching(
        /^warn .* has only 4 bytes: if the topic had channels, they are not known/,
      );
      expect(lines).toEqual(size === undefined ? [] : [expected]);
      expect(depthsOf(next)).toEqual({ topic: 4 });
    },
  );
});

/** Makes a segment's header one of a version that did not say whether there is a journal. */
function withoutMark(path: string): void {
  const bytes = readFileSync(path);
  for (const at of [0, 64]) {
    bytes.writeUInt32BE(0, at + 48);
    bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 60)), at + 60);
  }
  writeFileSync(path, bytes);
}

it.each(['pipe', 'link to nowhere', 'link to itself'])(
  'a %s in the place of a file is set aside',
  async (what) => {
    const { broker } = await open();
    broker.topic('t').channel('a');
    await publish(broker, 4);
    await broker.close();
    const names = [
      '00000000000000000900-deadbeef.log',
      'journal.0000000900',
      '00000000000000000900-deadbeef.log.compacted',
    ];
    const paths = names.map((name) => join(directoryOf(broker), name));
    for (const path of paths) {
      if (what === 'pipe') execFileSync('mkfifo', [path]);
      else symlinkSync(what === 'link to itself' ? basename(path) : '/nowhere/at/all', path);
      // An earlier start has set one aside already.
      writeFileSync(`${path}.bad`, 'before');
    }
    symlinkSync('self.topic', join(directoryOf(broker), '..', 'self.topic'));
    const { broker: next, lines } = await open({ dataPath: broker.dataPath });
    expect(lines.filter((it) => it.includes('is no file: set aside as'))).toHaveLength(3);
    for (const path of paths) expect(readFileSync(`${path}.bad`, 'utf8')).toBe('before');
    const left = readdirSync(directoryOf(next));
    expect(left).toEqual(expect.arrayContaining(names.map((name) => `${name}.bad2`)));
    expect(await drain(next, 'a', 4)).toEqual(numbers(0, 4));
  },
);

it('of a topic that could not be made nothing is left', async () => {
  let isFull = true;
  const files: Files = {
    ...REAL_FILES,
    readdirSync: (path) => {
      if (isFull && path.endsWith('t.topic')) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
      return REAL_FILES.readdirSync(path);
    },
  };
  const { Broker: Class } = await import('../../src/broker/broker.js');
  const { broker: first } = await open();
  await first.close();
  const broker = new Class(
    { ...OPTIONS, dataPath: first.dataPath, httpAddress: '', logger: new LoggerNotes() },
    files,
  );
  await broker.start();
  await expect(broker.publish('t', 'x')).rejects.toMatchObject({ code: 'E_STORAGE' });
  expect(existsSync(directoryOf(broker))).toBe(false);
  isFull = false;
  await broker.publish('t', 'x');
  await broker.close();
  const { broker: next } = await open({ dataPath: broker.dataPath });
  expect(depthsOf(next)).toEqual({ topic: 1 });
});

it('a kill between the end of a file and what the journal says of it is no loss', async () => {
  const files = new MemoryFiles();
  const logger = new LoggerNotes();
  const { topic, scheduler } = openTopic(files, 3000, logger);
  const channel = topic.channel('a');
  const found: number[] = [];
  const reader = new Reader(topic, 'a', ({ n }) => found.push(n));
  channel.addConsumer(reader);
  for (const body of bodies(2 * PER_FILE, SIZE)) {
    topic.publish(STAMP, Buffer.from(body), 0, SIZE);
    topic.turn.run();
  }
  expect(found).toHaveLength(2 * PER_FILE);
  const kills: MemoryFiles[] = [];
  files.fault = () => void kills.push(files.clone());
  for (const n of found) channel.finish(reader, n);
  topic.turn.run();
  kills.push(files.clone());
  files.fault = () => undefined;
  expect(kills.length).toBeGreaterThan(2);
  for (const kill of kills) {
    const notes = new LoggerNotes();
    const again = openTopic(kill, 3000, notes);
    expect(notes.lines).toEqual([]);
    again.scheduler.close();
    again.topic.abandon();
  }
  scheduler.close();
  topic.abandon();
});
