import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { BrokerOptions } from '../../src/broker/settings.js';
import type { Topic } from '../../src/broker/topic.js';
import { afterCrash, openBroker, restart, statsOf } from './support/brokers.js';
import { FakeConsumer } from './support/fake-consumer.js';
import { ChannelModel, TopicModel } from './support/topic-model.js';

const HOUR = 3_600_000;

const isEphemeral = (name: string): boolean => name.endsWith('#ephemeral');

interface Operation {
  readonly name: string;
  readonly run: (it: Run) => unknown;
}

class Run {
  broker: Broker;
  readonly #options: BrokerOptions;
  readonly #name: string;
  readonly model = new TopicModel();
  consumers: FakeConsumer[] = [];
  /** What a consumer has in flight, in the order of delivery. */
  readonly held = new Map<FakeConsumer, { n: number; body: string }[]>();
  readonly #seen = new Map<FakeConsumer, number>();
  readonly #lastFresh = new Map<string, number>();
  #next = 0;

  constructor(broker: Broker, name: string, options: BrokerOptions) {
    this.broker = broker;
    this.#name = name;
    this.#options = options;
  }

  get topic(): Topic {
    return this.broker.topic(this.#name);
  }

  body(): string {
    return `message ${this.#next++}`;
  }

  async publish(count: number, deferMs: number): Promise<void> {
    const bodies = Array.from({ length: count }, () => this.body());
    const done = this.broker.publish(this.#name, bodies, { deferMs });
    this.broker.turn.run();
    await done;
    this.model.queue.push(...bodies.map((body) => ({ body, deferred: deferMs > 0 })));
    this.model.pump();
  }

  createChannel(name: string): void {
    this.topic.channel(name);
    if (!this.model.channels.has(name)) this.model.channels.set(name, new ChannelModel());
    this.model.pump();
  }

  deleteChannel(name: string): void {
    const existed = this.topic.deleteChannel(name);
    expect(existed).toBe(this.model.channels.has(name));
    if (existed) this.#channelGone(name);
    for (const consumer of this.consumers)
      if (consumer.channel.name === name) expect(consumer.closed).toBe(true);
    this.consumers = this.consumers.filter(({ channel }) => channel.name !== name);
  }

  #channelGone(name: string): void {
    this.model.channels.delete(name);
    this.#lastFresh.delete(name);
    if (this.model.channels.size > 0 || !isEphemeral(this.#name)) return;
    // The topic went with it; one of its name begins anew.
    expect(this.broker.topics.size).toBe(0);
    this.model.queue = [];
    this.model.paused = false;
  }

  subscribe(name: string, ready: number): void {
    this.createChannel(name);
    const consumer = new FakeConsumer(this.topic.channel(name), ready);
    this.consumers.push(consumer);
    this.held.set(consumer, []);
    this.#seen.set(consumer, 0);
  }

  /** Does something with one message that is in flight, if one is. */
  withMessage(
    pick: number,
    act: (consumer: FakeConsumer, n: number, body: string, channel: ChannelModel) => void,
  ): void {
    const all = this.consumers.flatMap((consumer) =>
      this.held.get(consumer)!.map((it) => ({ consumer, ...it })),
    );
    const chosen = all[pick % Math.max(1, all.length)];
    if (!chosen) return;
    const { consumer, n, body } = chosen;
    this.held.set(
      consumer,
      this.held.get(consumer)!.filter((it) => it.n !== n),
    );
    act(consumer, n, body, this.model.channels.get(consumer.channel.name)!);
  }

  leave(pick: number): void {
    const consumer = this.consumers[pick % Math.max(1, this.consumers.length)];
    if (!consumer) return;
    consumer.leave();
    this.consumers = this.consumers.filter((it) => it !== consumer);
    const { name } = consumer.channel;
    if (isEphemeral(name) && !this.consumers.some(({ channel }) => channel.name === name)) {
      this.#channelGone(name);
      return;
    }
    const bodies = this.held.get(consumer)!.map(({ body }) => body);
    this.model.channels.get(name)!.lose(bodies);
  }

  emptyChannel(name: string): void {
    const model = this.model.channels.get(name);
    if (!model) return;
    this.topic.channel(name).empty();
    model.clear();
    for (const consumer of this.consumers) if (consumer.channel.name === name) this.held.set(consumer, []);
  }

  pauseChannel(name: string, paused: boolean): void {
    const model = this.model.channels.get(name);
    if (!model) return;
    this.topic.channel(name).pause(paused);
    model.paused = paused;
  }

  pauseTopic(paused: boolean): void {
    this.topic.pause(paused);
    this.model.paused = paused;
    this.model.pump();
  }

  emptyTopic(): void {
    this.topic.empty();
    this.model.queue = [];
  }

  async restart(how: 'clean' | 'crash' | 'later'): Promise<void> {
    if (isEphemeral(this.#name)) return;
    this.broker.turn.run();
    if (how === 'later') {
      const then = Date.now() + 2 * HOUR;
      vi.spyOn(Date, 'now').mockImplementation(() => then);
    }
    this.broker = await (how === 'crash' ? afterCrash : restart)(this.broker, this.#options);
    this.consumers = [];
    this.#lastFresh.clear();
    for (const name of this.model.channels.keys()) if (isEphemeral(name)) this.model.channels.delete(name);
    for (const channel of this.model.channels.values()) {
      channel.lose([...channel.inFlight.keys()]);
      if (how === 'later') channel.makeDue();
    }
    if (how === 'later') {
      // What is still in the topic is passed on when it is due already.
      this.model.queue = this.model.queue.map(({ body }) => ({ body, deferred: false }));
      this.#unorderedFrom = this.#next;
    }
  }

  /** Messages below this number may have been deferred, and come in any order. */
  #unorderedFrom = 0;

  /** Waits until all is handed out that may be, and compares. */
  async check(): Promise<void> {
    this.broker.topic(this.#name);
    for (let tries = 0; ; tries++) {
      this.broker.turn.run();
      this.#takeDeliveries();
      if (this.#settled() || tries > 300) break;
      await new Promise(setImmediate);
      if (tries > 50) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { topics } = statsOf(this.broker);
    const topic = topics?.[0];
    expect(topic?.depth).toBe(this.model.queue.length);
    expect(topic?.paused).toBe(this.model.paused);
    const counts = topic?.channels.map(
      ({ channel_name: name, depth, in_flight_count, deferred_count, paused }) => ({
        name,
        depth,
        inFlight: in_flight_count,
        deferred: deferred_count,
        paused,
      }),
    );
    const wanted = [...this.model.channels].map(([name, it]) => ({
      name,
      depth: it.waiting.size,
      inFlight: it.inFlight.size,
      deferred: it.deferred.size,
      paused: it.paused,
    }));
    expect(counts).toEqual(wanted.sort((a, b) => (a.name < b.name ? -1 : 1)));
    for (const { backend_depth, depth } of [topic!, ...topic!.channels]) {
      expect(backend_depth).toBeGreaterThanOrEqual(0);
      expect(backend_depth).toBeLessThanOrEqual(depth);
    }
    expect(this.#settled(), 'a consumer is ready, a message waits, and nothing comes').toBe(true);
  }

  /** With nothing left to deliver, nothing is left of the log. */
  async finish(): Promise<void> {
    this.pauseTopic(false);
    for (const name of this.model.channels.keys()) this.emptyChannel(name);
    this.emptyTopic();
    await this.check();
    const segments = [...this.topic.log.segments];
    expect(segments.map(({ outstanding }) => outstanding)).toEqual(segments.map(() => 0));
    expect(segments.filter(({ sealed }) => sealed)).toEqual([]);
  }

  #settled(): boolean {
    for (const [name, channel] of this.model.channels) {
      if (this.topic.channel(name).deferredCount !== channel.deferred.size) return false;
      if (channel.paused || channel.waiting.size === 0) continue;
      for (const consumer of this.consumers) {
        if (consumer.channel.name === name && consumer.capacity() > 0) return false;
      }
    }
    return true;
  }

  #takeDeliveries(): void {
    for (const consumer of this.consumers) {
      const { name } = consumer.channel;
      const channel = this.model.channels.get(name)!;
      const news = consumer.deliveries.slice(this.#seen.get(consumer));
      this.#seen.set(consumer, consumer.deliveries.length);
      for (const { n, body, attempts } of news) {
        const waiting = channel.waiting.get(body);
        expect(waiting, `${name} got '${body}', which is not waiting`).toBeDefined();
        expect(attempts, `attempts of '${body}'`).toBe(waiting!.attempts + 1);
        channel.waiting.delete(body);
        channel.inFlight.set(body, attempts);
        this.held.get(consumer)!.push({ n, body });
        const number = Number(body.slice(8));
        if (
          !waiting!.fresh ||
          number < this.#unorderedFrom ||
          this.consumers.filter((it) => it.channel.name === name).length > 1
        )
          continue;
        expect(number, 'new messages in order').toBeGreaterThan(this.#lastFresh.get(name) ?? -1);
        this.#lastFresh.set(name, number);
      }
    }
  }
}

const channelName = fc.constantFrom('a', 'b', 'c#ephemeral');
const count = fc.integer({ min: 1, max: 6 });
const pick = fc.nat({ max: 20 });

function op<T extends unknown[]>(
  name: string,
  values: { [K in keyof T]: fc.Arbitrary<T[K]> },
  run: (it: Run, ...args: T) => unknown,
): fc.Arbitrary<Operation> {
  return fc.tuple<T>(...values).map((args) => ({
    name: `${name} ${args.join(' ')}`,
    run: (it: Run) => run(it, ...args),
    [fc.toStringMethod]: () => `${name} ${args.join(' ')}`,
  }));
}

const operation = fc.oneof(
  { weight: 6, arbitrary: op('publish', [count], (it, n) => it.publish(n, 0)) },
  { weight: 2, arbitrary: op('publish later', [count], (it, n) => it.publish(n, HOUR)) },
  { weight: 4, arbitrary: op('subscribe', [channelName, count], (it, name, n) => it.subscribe(name, n)) },
  { weight: 1, arbitrary: op('create channel', [channelName], (it, name) => it.createChannel(name)) },
  { weight: 1, arbitrary: op('delete channel', [channelName], (it, name) => it.deleteChannel(name)) },
  {
    weight: 3,
    arbitrary: op('rdy', [pick, fc.nat({ max: 6 })], (it, at, n) =>
      it.consumers[at % Math.max(1, it.consumers.length)]?.rdy(n),
    ),
  },
  {
    weight: 8,
    arbitrary: op('fin', [pick], (it, at) =>
      it.withMessage(at, (consumer, n, body, channel) => {
        expect(consumer.fin(n)).toBe(true);
        expect(consumer.fin(n)).toBe(false);
        channel.inFlight.delete(body);
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: op('req', [pick], (it, at) =>
      it.withMessage(at, (consumer, n, body, channel) => {
        expect(consumer.req(n)).toBe(true);
        channel.lose([body]);
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: op('req later', [pick], (it, at) =>
      it.withMessage(at, (consumer, n, body, channel) => {
        expect(consumer.req(n, HOUR)).toBe(true);
        channel.deferred.set(body, channel.inFlight.get(body)!);
        channel.inFlight.delete(body);
      }),
    ),
  },
  { weight: 2, arbitrary: op('leave', [pick], (it, at) => it.leave(at)) },
  { weight: 1, arbitrary: op('empty channel', [channelName], (it, name) => it.emptyChannel(name)) },
  {
    weight: 2,
    arbitrary: op('pause channel', [channelName, fc.boolean()], (it, name, yes) =>
      it.pauseChannel(name, yes),
    ),
  },
  { weight: 2, arbitrary: op('pause topic', [fc.boolean()], (it, yes) => it.pauseTopic(yes)) },
  { weight: 1, arbitrary: op('empty topic', [], (it) => it.emptyTopic()) },
  {
    weight: 3,
    arbitrary: op('restart', [fc.constantFrom('clean', 'crash', 'later')], (it, how) =>
      it.restart(how as 'clean' | 'crash' | 'later'),
    ),
  },
);

afterEach(() => vi.restoreAllMocks());

it.each<[string, string, BrokerOptions]>([
  ['all in memory', 'model', {}],
  ['a file a message, and nothing in memory', 'model', { maxBytesPerFile: 1, cacheSize: 0 }],
  ['small files', 'model', { maxBytesPerFile: 600, cacheSize: 1 }],
  ['nothing on disk', 'model#ephemeral', {}],
])('a topic is what its operations make of it, with %s', async (_name, topic, options) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 1, maxLength: 50, size: 'max' }),
      async (operations) => {
        vi.restoreAllMocks();
        const run = new Run(await openBroker(options), topic, options);
        try {
          for (const { run: act } of operations) {
            await act(run);
            await run.check();
          }
          await run.finish();
        } finally {
          await run.broker.close();
        }
      },
    ),
    {
      numRuns: Number(process.env.MODEL_RUNS ?? 25),
      interruptAfterTimeLimit: Number(process.env.MODEL_TIME ?? 15_000),
    },
  );
});
