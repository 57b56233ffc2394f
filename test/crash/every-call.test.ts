import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Topic } from '../../src/broker/topic.js';
import { batchBody, LoggerNotes, STAMP } from '../broker/log/support/logs.js';
import { MemoryFiles } from '../broker/log/support/memory-files.js';
import { type Delivery, openTopic, Reader } from './support/memory-topic.js';

/**
 * A topic with channels on files in memory. The world ends at every file call of a run in turn; what a start makes of
 * what is there must be what was confirmed.
 */
const logger = new LoggerNotes();
type Step =
  | { act: 'publish'; sizes: number[] }
  | { act: 'defer'; ms: number }
  | { act: 'channel' | 'delete' | 'join' | 'leave' | 'pause' | 'empty'; which: number }
  | { act: 'pauseTopic' | 'emptyTopic' | 'sync' | 'turn' }
  | { act: 'finish' | 'requeue'; which: number; delay: number };

const which = fc.nat(1000);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 50_000 }) },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('publish'),
      sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('defer'), ms: fc.nat(4) }) },
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constantFrom('channel', 'join', 'join', 'leave', 'pause'), which }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('delete', 'empty'), which }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('pauseTopic', 'sync') }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('emptyTopic') }) },
  { weight: 8, arbitrary: fc.record({ act: fc.constant('turn') }) },
  {
    weight: 12,
    arbitrary: fc.record({
      act: fc.constantFrom('finish', 'finish', 'finish', 'requeue'),
      which,
      delay: fc.nat(3),
    }),
  },
) as fc.Arbitrary<Step>;

const NAMES = ['a', 'b', 'c'];

/** What must be so, as far as it is known. */
class Expectation {
  /** Confirmed bodies, and the channels that must get them. */
  readonly required = new Map<string, Set<string>>();
  /** `channel body`: FIN was called; it counts for sure once its turn is over. */
  readonly finishing = new Set<string>();
  readonly finished = new Set<string>();
  readonly attempts = new Map<string, number>();
  readonly paused = new Map<string, boolean | undefined>();
  readonly channels = new Map<string, boolean | undefined>();

  copy(): Expectation {
    const copy = new Expectation();
    for (const [body, channels] of this.required) copy.required.set(body, new Set(channels));
    for (const key of this.finishing) copy.finishing.add(key);
    for (const key of this.finished) copy.finished.add(key);
    for (const [key, it] of this.attempts) copy.attempts.set(key, it);
    for (const [key, it] of this.paused) copy.paused.set(key, it);
    for (const [key, it] of this.channels) copy.channels.set(key, it);
    return copy;
  }
}

interface Crash {
  files: MemoryFiles;
  known: Expectation;
}

/** What was wrong where nobody waits for an exception. */
const faults: string[] = [];

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function run(
  steps: readonly Step[],
  maxBytesPerFile: number,
  crashAt: ReadonlySet<number>,
): Promise<Crash[]> {
  const files = new MemoryFiles();
  const known = new Expectation();
  const crashes: Crash[] = [];
  let calls = 0;
  files.fault = () => {
    if (crashAt.has(calls++)) crashes.push({ files: files.clone(), known: known.copy() });
    return undefined;
  };
  const { topic, scheduler } = openTopic(files, maxBytesPerFile, logger);
  const readers = new Map<string, Reader>();
  const inHand: (Delivery & { reader: Reader })[] = [];
  let turnEnd: (() => void)[] = [];
  let next = 0;
  const confirm = (bodies: string[], ticket: ReturnType<Topic['publish']>): void => {
    const channels = [...topic.channels.keys()];
    for (const body of bodies)
      known.required.set(`open ${body}`, new Set(channels.length > 0 ? channels : ['a']));
    ticket.whenSettled((error) => {
      if (error) faults.push(`not written: ${error.message}`);
      for (const body of bodies) {
        const required = known.required.get(`open ${body}`);
        known.required.delete(`open ${body}`);
        if (required) known.required.set(body, required);
      }
    });
  };
  const vanish = (channel: string): void => {
    for (const required of known.required.values()) required.delete(channel);
  };
  const begin = (name: string): void => {
    if (!known.channels.get(name)) known.channels.set(name, undefined);
    topic.channel(name);
    known.channels.set(name, true);
    if (!known.paused.has(name)) known.paused.set(name, false);
  };
  const act = async (it: Step): Promise<void> => {
    const name = 'which' in it ? NAMES[it.which % NAMES.length]! : 'a';
    if (it.act === 'publish') {
      const bodies = it.sizes.map(() => `m${next++}`);
      const padded = bodies.map((body, i) => body.padEnd(it.sizes[i]!));
      const body = padded.length === 1 ? Buffer.from(padded[0]!) : batchBody(padded);
      if (padded.length === 1) confirm(bodies, topic.publish(STAMP, body, 0, body.length));
      else confirm(bodies, topic.publishBatch(STAMP, body, 0, body.length, bodies.length));
    } else if (it.act === 'defer') {
      const body = `m${next++}`;
      confirm([body], topic.publishDeferred(STAMP, Buffer.from(body), 0, body.length, Date.now() + it.ms));
    } else if (it.act === 'channel' || it.act === 'join') {
      // What comes before the first channel is for that one.
      const wanted = topic.channels.size === 0 ? 'a' : name;
      begin(wanted);
      if (it.act === 'channel' || readers.has(wanted)) return;
      const reader = new Reader(topic, wanted, (delivery) => {
        const key = `${delivery.channel} ${delivery.body}`;
        if (known.finished.has(key)) faults.push(`${key} was finished and came again`);
        inHand.push({ ...delivery, reader });
        turnEnd.push(() => known.attempts.set(key, delivery.attempts));
      });
      readers.set(wanted, reader);
      topic.channel(wanted).addConsumer(reader);
      topic.channel(wanted).schedule();
    } else if (it.act === 'leave') {
      const reader = readers.get(name);
      readers.delete(name);
      if (reader) topic.channels.get(name)?.removeConsumer(reader);
      for (let i = inHand.length - 1; i >= 0; i--) if (inHand[i]!.reader === reader) inHand.splice(i, 1);
    } else if (it.act === 'delete') {
      if (name === 'a' || !topic.channels.has(name)) return;
      known.channels.set(name, undefined);
      vanish(name);
      readers.delete(name);
      for (let i = inHand.length - 1; i >= 0; i--) if (inHand[i]!.channel === name) inHand.splice(i, 1);
      topic.deleteChannel(name);
      for (const set of [known.finishing, known.finished]) {
        for (const key of [...set]) if (key.startsWith(`${name} `)) set.delete(key);
      }
      for (const key of [...known.attempts.keys()])
        if (key.startsWith(`${name} `)) known.attempts.delete(key);
      turnEnd = [];
      known.channels.set(name, false);
      known.paused.delete(name);
    } else if (it.act === 'empty' || it.act === 'emptyTopic') {
      for (const channel of it.act === 'empty' ? [name] : NAMES) vanish(channel);
      if (it.act === 'emptyTopic') topic.empty();
      else topic.channels.get(name)?.empty();
      if (it.act === 'empty')
        for (let i = inHand.length - 1; i >= 0; i--) if (inHand[i]!.channel === name) inHand.splice(i, 1);
    } else if (it.act === 'pause') {
      const channel = topic.channels.get(name);
      if (!channel) return;
      known.paused.set(name, undefined);
      channel.pause(!channel.paused);
      known.paused.set(name, channel.paused);
    } else if (it.act === 'pauseTopic') {
      known.paused.set('', undefined);
      topic.pause(!topic.paused);
      known.paused.set('', topic.paused);
    } else if (it.act === 'sync') topic.sync();
    else if (it.act === 'turn') {
      const over = turnEnd;
      turnEnd = [];
      await tick();
      await tick();
      for (const apply of over) apply();
    } else if (it.act === 'finish' || it.act === 'requeue') {
      const [taken] = inHand.splice(it.which % Math.max(1, inHand.length), 1);
      const channel = taken && topic.channels.get(taken.channel);
      if (!taken || !channel) return;
      const key = `${taken.channel} ${taken.body}`;
      if (it.act === 'requeue') {
        expect(channel.requeue(taken.reader, taken.n, it.delay)).toBe(true);
        return;
      }
      known.finishing.add(key);
      expect(channel.finish(taken.reader, taken.n)).toBe(true);
      turnEnd.push(() => known.finished.add(key));
    }
  };
  for (const it of steps) await act(it);
  await tick();
  await tick();
  if (crashAt.size === 0) crashes.push({ files: files.clone(), known: known.copy() });
  await tick();
  scheduler.close();
  topic.log.abandon();
  expect(faults.splice(0)).toEqual([]);
  return crashes;
}

const DRAIN_MS = 3000;

async function check({ files, known }: Crash, maxBytesPerFile: number): Promise<void> {
  const { topic, scheduler } = openTopic(files, maxBytesPerFile, logger);
  for (const [name, exists] of known.channels) {
    if (exists !== undefined) expect(`${name} ${topic.channels.has(name)}`).toBe(`${name} ${exists}`);
  }
  for (const [name, paused] of known.paused) {
    const subject = name === '' ? topic : topic.channels.get(name);
    if (paused !== undefined && subject) expect(`${name} ${subject.paused}`).toBe(`${name} ${paused}`);
  }
  const seen = new Set<string>();
  topic.pause(false);
  topic.channel('a');
  for (const [name, channel] of topic.channels) {
    channel.pause(false);
    const reader = new Reader(topic, name, ({ body, attempts, n }) => {
      const key = `${name} ${body}`;
      if (known.finished.has(key)) faults.push(`${key} was finished and came again`);
      if (seen.has(key)) faults.push(`${key} came twice`);
      const before = known.attempts.get(key) ?? 0;
      if (attempts <= before) faults.push(`${key} came with attempts ${attempts} after ${before}`);
      seen.add(key);
      setImmediate(() => channel.finish(reader, n));
    });
    channel.addConsumer(reader);
    channel.schedule();
  }
  const missing = (): string[] => {
    const list: string[] = [];
    for (const [body, channels] of known.required) {
      if (body.startsWith('open ')) continue;
      for (const name of channels) {
        const key = `${name} ${body}`;
        if (topic.channels.has(name) && !seen.has(key) && !known.finishing.has(key)) list.push(key);
      }
    }
    return list;
  };
  const left = (): number =>
    [...topic.channels.values()].reduce((sum, it) => sum + it.depth + it.inFlightCount + it.deferredCount, 0);
  const until = Date.now() + DRAIN_MS;
  while (left() > 0 && Date.now() < until) await tick();
  expect(faults.splice(0)).toEqual([]);
  expect(missing()).toEqual([]);
  expect(left()).toBe(0);
  scheduler.close();
  await topic.close();
}

test('whatever file call a crash comes at, a start has what was confirmed and nothing that was finished', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.constantFrom(2000, 100_000, 1e8),
      fc.array(fc.nat(150), { minLength: 1, maxLength: 12 }),
      async (steps, maxBytesPerFile, crashAt) => {
        for (const crash of await run(steps, maxBytesPerFile, new Set(crashAt)))
          await check(crash, maxBytesPerFile);
        for (const crash of await run(steps, maxBytesPerFile, new Set())) await check(crash, maxBytesPerFile);
      },
    ),
    { numRuns: Number(process.env.CRASH_RUNS ?? 100) },
  );
  expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([]);
}, 300_000);
