import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { LoggerNotes } from '../log/support/logs.js';
import { afterCrash, openBroker, restart } from '../support/brokers.js';
import { FakeConsumer } from '../support/fake-consumer.js';
import { bodies, numbersOf, until } from './support/limits.js';

/**
 * What a topic with a limit is asked to do at random. Whatever it drops: every message is finished, is there, or was
 * counted as dropped, once for each channel.
 */
type Step =
  | { act: 'publish'; count: number; size: number }
  | { act: 'defer'; delay: number }
  | { act: 'finish' | 'requeue'; share: number; delay: number }
  | { act: 'ready'; count: number }
  | { act: 'pause' | 'pauseTopic' | 'restart' | 'kill' };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        act: fc.constant('publish'),
        count: fc.integer({ min: 1, max: 12 }),
        size: fc.constantFrom(10, 300, 1500),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ act: fc.constant('defer'), delay: fc.constantFrom(1, 20, 3_600_000) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constantFrom('finish', 'requeue'),
        share: fc.integer({ min: 1, max: 4 }),
        delay: fc.constantFrom(0, 1, 3_600_000),
      }),
    },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('ready'), count: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('pause', 'pauseTopic', 'restart', 'kill') }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 5, maxLength: 40 },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function play(list: readonly Step[], limits: BrokerOptions): Promise<void> {
  const logger = new LoggerNotes();
  const options = { ...limits, logger };
  let broker = await openBroker(options);
  const names = ['a', 'b'];
  let topic = broker.topic('t');
  let consumers = names.map((name) => new FakeConsumer(topic.channel(name)));
  const finished = names.map(() => new Set<number>());
  const dropped = names.map(() => 0);
  let published = 0;
  const inHand = (which: number): { n: number; number: number }[] => {
    const { deliveries, channel } = consumers[which]!;
    const bodyOf = new Map(deliveries.map(({ n, body }) => [n, body]));
    return [...bodyOf]
      .filter(([n]) => channel.isInFlight(n))
      .map(([n, body]) => ({ n, number: numbersOf([body])[0]! }));
  };
  const check = (): void => {
    for (const [which, name] of names.entries()) {
      const { depth, inFlightCount, deferredCount, droppedCount } = topic.channel(name);
      const waiting = topic.depth;
      // What the topic itself dropped was no channel's yet.
      const own =
        topic.limits.droppedCount - names.reduce((sum, it) => sum + topic.channel(it).droppedCount, 0);
      const known =
        depth +
        inFlightCount +
        deferredCount +
        droppedCount +
        own +
        waiting +
        dropped[which]! +
        finished[which]!.size;
      expect(known, `${name} at ${published}`).toBe(published);
    }
  };
  for (const step of list) {
    if (step.act === 'publish') {
      const taken = await broker.publish('t', bodies(step.count, step.size, published)).then(
        () => true,
        (error: { code: string }) => error.code === 'E_LIMIT' && false,
      );
      if (taken) published += step.count;
    } else if (step.act === 'defer') {
      const [body] = bodies(1, 100, published);
      const taken = await broker.publish('t', body!, { deferMs: step.delay }).then(
        () => true,
        () => false,
      );
      if (taken) published++;
    } else if (step.act === 'ready')
      for (const consumer of consumers) consumer.rdy(consumer.inFlight + step.count);
    else if (step.act === 'finish' || step.act === 'requeue') {
      for (const which of names.keys()) {
        const list = inHand(which);
        for (const [i, { n, number }] of list.entries()) {
          if (i % step.share !== 0) continue;
          if (step.act === 'requeue') expect(consumers[which]!.req(n, step.delay)).toBe(true);
          else {
            expect(finished[which]!.has(number)).toBe(false);
            expect(consumers[which]!.fin(n)).toBe(true);
            finished[which]!.add(number);
          }
        }
      }
    } else if (step.act === 'pause') topic.channel('a').pause(!topic.channel('a').paused);
    else if (step.act === 'pauseTopic') topic.pause(!topic.paused);
    else {
      const own =
        topic.limits.droppedCount - names.reduce((sum, it) => sum + topic.channel(it).droppedCount, 0);
      for (const [which, name] of names.entries()) {
        // What is in flight while its segment is dropped cannot come again.
        const gone = inHand(which).filter(({ n }) => !topic.log.segments.of(n)).length;
        dropped[which]! += topic.channel(name).droppedCount + own + gone;
      }
      broker = await (step.act === 'kill' ? afterCrash : restart)(broker, options);
      topic = broker.topic('t');
      consumers = names.map((name) => new FakeConsumer(topic.channel(name)));
    }
    await turn();
    check();
  }
  topic.pause(false);
  for (const [which, name] of names.entries()) {
    topic.channel(name).pause(false);
    for (const { n, number } of inHand(which)) {
      consumers[which]!.fin(n);
      finished[which]!.add(number);
    }
    consumers[which]!.rdy(10_000);
  }
  await until(() => names.every((name) => topic.channel(name).depth === 0), 'all delivered');
  for (const which of names.keys()) {
    for (const { number } of inHand(which)) expect(finished[which]!.has(number)).toBe(false);
  }
  check();
  await broker.close();
  // What a limit dropped is not missing.
  expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([]);
}

test('drop-oldest: every message is there, finished, or counted as dropped', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 1e8), (list, cacheSize) =>
      play(list, { maxTopicBytes: 12_000, onLimit: 'drop-oldest', cacheSize }),
    ),
    { numRuns: Number(process.env.LIMIT_RUNS ?? 25) },
  );
}, 60_000);

test('reject: every message that was taken is there or finished', async () => {
  await fc.assert(
    fc.asyncProperty(steps, (list) => play(list, { maxTopicBytes: 12_000 })),
    { numRuns: Number(process.env.LIMIT_RUNS ?? 10) },
  );
}, 60_000);

test('an age: every message is there, finished, or counted as dropped', async () => {
  await fc.assert(
    fc.asyncProperty(steps, (list) => play(list, { maxTopicAge: 15, maxBytesPerFile: 3000 })),
    { numRuns: Number(process.env.LIMIT_RUNS ?? 10) },
  );
}, 60_000);
