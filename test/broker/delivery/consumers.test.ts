import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/broker/delivery/consumer.js';
import { Consumers } from '../../../src/broker/delivery/consumers.js';
import type { Proximity } from '../../../src/broker/delivery/proximity.js';

const BROKER = { topologyZone: 'a', topologyRegion: 'eu' };
const PLACES = {
  zone: { topologyZone: 'a', topologyRegion: 'eu' },
  region: { topologyZone: 'b', topologyRegion: 'eu' },
  global: { topologyZone: 'c', topologyRegion: 'us' },
};
const NEAREST_FIRST: readonly Proximity[] = ['zone', 'region', 'global'];

class Counter {
  got = 0;
  ready: number;
  readonly proximity: Proximity;

  constructor(ready: number, proximity: Proximity = 'global') {
    this.ready = ready;
    this.proximity = proximity;
  }

  get place() {
    return PLACES[this.proximity];
  }

  capacity(): number {
    return this.ready - this.got;
  }
}

function make(...ready: number[]): { consumers: Consumers; counters: Counter[] } {
  const consumers = new Consumers();
  const counters = ready.map((it) => new Counter(it));
  for (const counter of counters) consumers.add(counter as unknown as Consumer);
  return { consumers, counters };
}

type Ready = readonly [Proximity, number];

function makeTiers(...ready: Ready[]): { consumers: Consumers; counters: Counter[] } {
  const consumers = new Consumers(BROKER);
  const counters = ready.map(([proximity, it]) => new Counter(it, proximity));
  for (const counter of counters) consumers.add(counter as unknown as Consumer);
  return { consumers, counters };
}

const gotOf = (counters: readonly Counter[]): number[] => counters.map(({ got }) => got);

/** Shares out `messages`, as a channel does; how many were left. */
function shareOut(consumers: Consumers, messages: number): number {
  let left = messages;
  consumers.share(
    () => left,
    (consumer, share) => {
      const given = Math.min(share, left, Math.max(0, consumer.capacity()));
      (consumer as unknown as Counter).got += given;
      left -= given;
      return given;
    },
  );
  return left;
}

describe('Consumers', () => {
  it('gives equal shares to those that are equally ready', () => {
    const { consumers, counters } = make(100, 100, 100);
    shareOut(consumers, 90);
    expect(counters.map(({ got }) => got)).toEqual([30, 30, 30]);
  });

  it('gives what one does not take to the others', () => {
    const { consumers, counters } = make(5, 100, 0);
    shareOut(consumers, 60);
    expect(counters.map(({ got }) => got)).toEqual([5, 55, 0]);
  });

  it('begins with another one each time', () => {
    const { consumers, counters } = make(100, 100, 100);
    for (let i = 0; i < 30; i++) shareOut(consumers, 1);
    expect(counters.map(({ got }) => got)).toEqual([10, 10, 10]);
  });

  it('stops when nothing can be had, although there is something', () => {
    const { consumers } = make(10, 10);
    let asked = 0;
    consumers.share(
      () => 5,
      () => {
        asked++;
        return 0;
      },
    );
    expect(asked).toBe(2);
  });

  it('never gives more than is taken, gives all that is taken, and shares fairly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -3, max: 20 }), { maxLength: 6 }),
        fc.nat({ max: 80 }),
        (ready, messages) => {
          const { consumers, counters } = make(...ready);
          const room = ready.reduce((sum, it) => sum + Math.max(0, it), 0);
          expect(consumers.capacity).toBe(room);
          expect(shareOut(consumers, messages)).toBe(Math.max(0, messages - room));
          for (const { got, ready: most } of counters) expect(got).toBeLessThanOrEqual(Math.max(0, most));
          const unfilled = counters.filter(({ got, ready: most }) => got < most).map(({ got }) => got);
          const most = Math.max(0, ...counters.map(({ got }) => got));
          // One that could take more has about as much as any other.
          for (const got of unfilled) expect(most - got).toBeLessThanOrEqual(counters.length);
        },
      ),
    );
  });

  it('forgets one that left', () => {
    const { consumers, counters } = make(10, 10);
    const [first] = consumers;
    expect(consumers.remove(first!)).toBe(true);
    expect(consumers.remove(first!)).toBe(false);
    shareOut(consumers, 4);
    expect(counters.map(({ got }) => got)).toEqual([0, 4]);
    expect(consumers.clear()).toHaveLength(1);
    expect(consumers.size).toBe(0);
  });
});

describe('Consumers in tiers', () => {
  it('gives to the nearest that are ready, and the rest to the next ones', () => {
    const { consumers, counters } = makeTiers(['global', 10], ['region', 3], ['zone', 2]);
    shareOut(consumers, 1);
    expect(gotOf(counters)).toEqual([0, 0, 1]);
    shareOut(consumers, 3);
    expect(gotOf(counters)).toEqual([0, 2, 2]);
    shareOut(consumers, 5);
    expect(gotOf(counters)).toEqual([4, 3, 2]);
    expect(NEAREST_FIRST.map((it) => consumers.deliveryCount(it))).toEqual([2, 3, 4]);
  });

  it('begins with another one of the tier each time', () => {
    const { consumers, counters } = makeTiers(['zone', 100], ['global', 100], ['zone', 100]);
    for (let i = 0; i < 20; i++) shareOut(consumers, 1);
    expect(gotOf(counters)).toEqual([10, 0, 10]);
  });

  it('asks nobody further away while a near one would take more', () => {
    const { consumers, counters } = makeTiers(['global', 10], ['zone', 10]);
    const asked: unknown[] = [];
    consumers.share(
      () => 5,
      (consumer) => {
        asked.push(consumer);
        return 0;
      },
    );
    expect(asked).toEqual([counters[1]]);
  });

  it('forgets one that left, of any tier', () => {
    const { consumers, counters } = makeTiers(['zone', 10], ['region', 10], ['global', 10]);
    const [zone, region] = [...consumers];
    expect(consumers.remove(zone!)).toBe(true);
    expect(consumers.remove(zone!)).toBe(false);
    shareOut(consumers, 4);
    expect(gotOf(counters)).toEqual([0, 4, 0]);
    expect(consumers.remove(region!)).toBe(true);
    expect(consumers.size).toBe(1);
    expect(consumers.clear()).toEqual([counters[2]]);
    expect([...consumers]).toEqual([]);
    expect(consumers.size).toBe(0);
  });

  it('knows one tier where the broker does not say where it is', () => {
    const consumers = new Consumers();
    const counters = NEAREST_FIRST.map((proximity) => new Counter(10, proximity));
    for (const counter of counters) consumers.add(counter as unknown as Consumer);
    shareOut(consumers, 9);
    expect(gotOf(counters)).toEqual([3, 3, 3]);
    expect(NEAREST_FIRST.map((it) => consumers.deliveryCount(it))).toEqual([0, 0, 9]);
  });

  it('fills the nearer tiers first, leaves nothing that is taken, and shares fairly within each', () => {
    const ready = fc.tuple(fc.constantFrom(...NEAREST_FIRST), fc.integer({ min: -3, max: 20 }));
    fc.assert(
      fc.property(fc.array(ready, { maxLength: 8 }), fc.nat({ max: 120 }), (all, messages) => {
        const { consumers, counters } = makeTiers(...all);
        const left = shareOut(consumers, messages);
        let toGive = messages;
        for (const proximity of NEAREST_FIRST) {
          const tier = counters.filter((it) => it.proximity === proximity);
          const room = tier.reduce((sum, it) => sum + Math.max(0, it.ready), 0);
          const got = tier.reduce((sum, it) => sum + it.got, 0);
          expect(got).toBe(Math.min(room, toGive));
          expect(consumers.deliveryCount(proximity)).toBe(got);
          toGive -= got;
          const most = Math.max(0, ...gotOf(tier));
          for (const it of tier) {
            expect(it.got).toBeLessThanOrEqual(Math.max(0, it.ready));
            // One that could take more has about as much as any other of its tier.
            if (it.capacity() > 0) expect(most - it.got).toBeLessThanOrEqual(tier.length);
          }
        }
        expect(left).toBe(toGive);
      }),
    );
  });
});
