import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Channel } from '../../../src/broker/channel.js';
import type { Place, Proximity } from '../../../src/broker/delivery/proximity.js';
import type { BrokerOptions } from '../../../src/broker/settings.js';
import { openBroker, statsOf } from '../support/brokers.js';
import { settled, subscribe, take } from '../support/clients.js';
import { FakeConsumer } from '../support/fake-consumer.js';

const HERE = { topologyZone: 'a', topologyRegion: 'eu' };
const ON: BrokerOptions = { experiments: ['topology-aware-consumption'], ...HERE };
const PLACES: Readonly<Record<Proximity, Place>> = {
  zone: HERE,
  region: { topologyZone: 'b', topologyRegion: 'eu' },
  global: { topologyZone: 'c', topologyRegion: 'us' },
};
const NEAREST_FIRST: readonly Proximity[] = ['zone', 'region', 'global'];

/** A consumer with what it has in flight. */
class Member {
  readonly consumer: FakeConsumer;
  /** 0 for the nearest. */
  readonly rank: number;
  readonly #held = new Set<number>();
  #taken = 0;

  constructor(consumer: FakeConsumer, proximity: Proximity) {
    this.consumer = consumer;
    this.rank = NEAREST_FIRST.indexOf(proximity);
  }

  act(what: 'rdy' | 'fin' | 'req' | 'leave', ready: number): void {
    if (what === 'rdy') return this.consumer.rdy(ready);
    if (what === 'leave') return this.consumer.leave();
    const [first] = this.#held;
    if (first === undefined) return;
    this.#held.delete(first);
    expect(this.consumer[what](first)).toBe(true);
  }

  /** How many messages came since it was asked last. */
  take(): number {
    const fresh = this.consumer.deliveries.slice(this.#taken);
    for (const { n } of fresh) this.#held.add(n);
    this.#taken += fresh.length;
    return fresh.length;
  }
}

async function openChannel(options: BrokerOptions = ON) {
  const broker = await openBroker(options);
  const channel = broker.topic('t').channel('c');
  const join = (proximity: Proximity, ready = 0): FakeConsumer =>
    new FakeConsumer(channel, ready, PLACES[proximity]);
  const publish = async (...bodies: string[]): Promise<void> => {
    const done = broker.publish('t', bodies);
    broker.turn.run();
    await done;
  };
  return { broker, channel, join, publish, turn: () => broker.turn.run() };
}

function countsOf(channel: Channel): number[] {
  return NEAREST_FIRST.map((it) => channel.consumers.deliveryCount(it));
}

describe('with the experiment', () => {
  it('a message that is given back goes to the nearest again, whoever gave it back', async () => {
    const { join, publish, turn, channel } = await openChannel();
    const far = join('global', 1);
    await publish('x');
    const near = join('zone', 5);
    const between = join('region', 5);
    far.req(0);
    turn();
    expect(near.deliveries).toEqual([{ n: 0, body: 'x', attempts: 2 }]);
    near.rdy(0);
    near.req(0);
    turn();
    expect(between.deliveries).toEqual([{ n: 0, body: 'x', attempts: 3 }]);
    expect(countsOf(channel)).toEqual([1, 1, 1]);
  });

  it('what a consumer had in flight when it left goes to the nearest', async () => {
    const { join, publish, turn } = await openChannel();
    const [near, far, other] = [join('zone', 2), join('global', 2), join('region', 2)];
    await publish('1', '2', '3');
    expect([near.bodies, other.bodies, far.bodies]).toEqual([['1', '2'], ['3'], []]);
    near.leave();
    turn();
    expect([other.bodies, far.bodies]).toEqual([['3', expect.anything()], [expect.anything()]]);
  });

  it('a full consumer holds nothing back, and is the first again when it has room', async () => {
    const { join, publish, turn } = await openChannel();
    const [near, far] = [join('zone', 1), join('global', 10)];
    await publish('1');
    await publish('2');
    near.fin(0);
    turn();
    await publish('3');
    expect([near.bodies, far.bodies]).toEqual([['1', '3'], ['2']]);
  });

  it('a consumer whose share is a sample passes messages over like any other', async () => {
    const { broker, channel, join, publish } = await openChannel();
    const near = join('zone', 1000);
    near.sampleRate = 1;
    const far = join('global', 1000);
    await publish(...Array.from({ length: 200 }, String));
    expect(channel.depth).toBe(0);
    expect(far.deliveries).toEqual([]);
    expect(near.deliveries.length).toBeLessThan(100);
    expect(statsOf(broker).topics?.[0]?.channels[0]).toMatchObject({ zone_local_msg_count: 200 });
  });

  it('no message waits while one is ready, and none goes further than it must, whatever consumers do', async () => {
    const { channel, join, publish, turn } = await openChannel();
    const step = fc.oneof(
      fc.record({
        do: fc.constant('join' as const),
        proximity: fc.constantFrom(...NEAREST_FIRST),
        ready: fc.nat({ max: 5 }),
      }),
      fc.record({ do: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 8 }) }),
      fc.record({
        do: fc.constantFrom('rdy' as const, 'fin' as const, 'req' as const, 'leave' as const),
        which: fc.nat(),
        ready: fc.nat({ max: 5 }),
      }),
    );
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const members: Member[] = [];
      for (const it of steps) {
        if (it.do === 'join') members.push(new Member(join(it.proximity, it.ready), it.proximity));
        else if (it.do === 'publish') await publish(...Array.from({ length: it.count }, String));
        else if (members.length > 0) {
          const at = it.which % members.length;
          members[at]!.act(it.do, it.ready);
          if (it.do === 'leave') members.splice(at, 1);
        }
        turn();
        const served = members.filter((member) => member.take() > 0).map(({ rank }) => rank);
        const ready = members.filter(({ consumer }) => consumer.capacity() > 0).map(({ rank }) => rank);
        if (ready.length === 0) continue;
        expect(channel.depth).toBe(0);
        expect(Math.max(0, ...served)).toBeLessThanOrEqual(Math.min(...ready));
      }
      for (const { consumer } of members) consumer.leave();
      channel.empty();
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

it('without the experiment, where a consumer is makes no difference', async () => {
  const { join, publish, channel } = await openChannel(HERE);
  const consumers = [join('global', 10), join('zone', 10), join('region', 10)];
  await publish(...Array.from({ length: 9 }, String));
  expect(consumers.map(({ deliveries }) => deliveries.length)).toEqual([3, 3, 3]);
  expect(countsOf(channel)).toEqual([0, 0, 9]);
});

describe('clients', () => {
  it('those of the same zone come first, and /stats says what went where', async () => {
    const broker = await openBroker(ON);
    const [near, near2, far] = await Promise.all(
      ['a', 'a', 'b'].map((zone) =>
        subscribe(broker, 't', 'c', { ready: 10, identify: { topology_zone: zone } }),
      ),
    );
    for (const it of [near!, near2!, far!]) await settled(it);
    for (let i = 0; i < 21; i++) await broker.publish('t', `${i}`);
    await Promise.all([take(near!, 10), take(near2!, 10)]);
    expect((await take(far!, 1))[0]!.body.toString()).toBe('20');
    const channel = statsOf(broker).topics?.[0]?.channels[0];
    expect(channel).toMatchObject({ zone_local_msg_count: 20, global_msg_count: 1 });
    expect(channel).not.toHaveProperty('region_local_msg_count');
  });
});
