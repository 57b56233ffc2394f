import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/broker/delivery/consumer.js';
import { Consumers } from '../../../src/broker/delivery/consumers.js';

class Counter {
  got = 0;
  ready: number;

  constructor(ready: number) {
    this.ready = ready;
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
