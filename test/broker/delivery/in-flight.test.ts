import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../src/broker/delivery/consumer.js';
import { InFlight, Run } from '../../../src/broker/delivery/in-flight.js';
import { Segment } from '../../../src/broker/log/segment.js';

const segment = new Segment('', 0, 0, 0, 0, 0, 0);
const consumers = [{}, {}, {}] as unknown as readonly [Consumer, Consumer, Consumer];
const [ANN, BOB] = consumers;

function run(firstN: number, count: number, deadline = 100, consumer = ANN): Run {
  return new Run(consumer, firstN, count, segment, 1, 0, deadline);
}

interface Entry {
  readonly run: Run;
  readonly consumer: Consumer;
}

describe('InFlight', () => {
  it('finds every message of a run, over the borders of its pages', () => {
    for (const [first, count] of [
      [0, 1],
      [255, 1],
      [255, 2],
      [256, 256],
      [200, 700],
      [2 ** 40 - 1, 300],
    ] as const) {
      const inFlight = new InFlight();
      const added = run(first, count);
      inFlight.add(added);
      expect(inFlight.size).toBe(count);
      expect([inFlight.get(first - 1), inFlight.get(first + count)]).toEqual([undefined, undefined]);
      for (let n = first; n < first + count; n++) expect(inFlight.get(n)).toBe(added);
      expect([...inFlight.remaining(added)]).toHaveLength(count);
      for (let n = first; n < first + count; n++) expect(inFlight.take(n, ANN)).toBe(added);
      expect([inFlight.size, added.live, inFlight.nextDeadline]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
    }
  });

  it('gives a message to nobody but its consumer, and once', () => {
    const inFlight = new InFlight();
    inFlight.add(run(5, 2));
    expect(inFlight.take(5, BOB)).toBeUndefined();
    expect(inFlight.take(5, ANN)).toBeDefined();
    expect(inFlight.take(5, ANN)).toBeUndefined();
    expect(inFlight.take(7, ANN)).toBeUndefined();
    expect(inFlight.take(70_000, ANN)).toBeUndefined();
    expect(inFlight.size).toBe(1);
  });

  it('expires runs by deadline, those with something left only', () => {
    const inFlight = new InFlight();
    const [late, early, finished] = [run(0, 2, 30), run(2, 2, 10), run(4, 1, 5)];
    for (const it of [late, early, finished]) inFlight.add(it);
    inFlight.take(4, ANN);
    inFlight.take(2, ANN);
    expect(inFlight.nextDeadline).toBe(10);
    expect(inFlight.expire(9)).toBeUndefined();
    expect(inFlight.expire(10)).toBe(early);
    expect([...inFlight.remaining(early)]).toEqual([3]);
    expect(inFlight.expire(29)).toBeUndefined();
    expect(inFlight.expire(99)).toBe(late);
  });

  it('keeps no run of which nothing is left for long', () => {
    const inFlight = new InFlight();
    for (let n = 0; n < 10_000; n++) {
      inFlight.add(run(n, 1, 1e9 - n));
      inFlight.take(n, ANN);
    }
    inFlight.add(run(20_000, 1));
    expect([...inFlight.runs()]).toHaveLength(1);
  });

  it('has nothing after clear, not in its last page either', () => {
    const inFlight = new InFlight();
    inFlight.add(run(3, 4));
    inFlight.get(3);
    inFlight.clear();
    expect([inFlight.size, inFlight.get(3), inFlight.take(3, ANN), [...inFlight.runs()]]).toEqual([
      0,
      undefined,
      undefined,
      [],
    ]);
    inFlight.add(run(3, 1));
    expect(inFlight.get(4)).toBeUndefined();
  });

  it('holds what a map from numbers would', () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'add', 'take', 'take', 'take', 'expire', 'clear', 'touch'),
      n: fc.nat({ max: 700 }),
      count: fc.integer({ min: 1, max: 300 }),
      who: fc.nat({ max: 2 }),
      time: fc.nat({ max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const inFlight = new InFlight();
        const model = new Map<number, Entry>();
        const due = (): number => Math.min(...[...model.values()].map((it) => it.run.deadline));
        for (const { kind, n, count, who, time } of steps) {
          const consumer = consumers[who]!;
          if (kind === 'add') {
            let free = 0;
            while (free < count && !model.has(n + free)) free++;
            if (free === 0) continue;
            const added = run(n, free, time, consumer);
            inFlight.add(added);
            for (let i = 0; i < free; i++) model.set(n + i, { run: added, consumer });
          } else if (kind === 'take' || kind === 'touch') {
            const entry = model.get(n);
            const mine = entry?.consumer === consumer ? entry.run : undefined;
            expect(inFlight.take(n, consumer)).toBe(mine);
            if (!mine) continue;
            model.delete(n);
            if (kind === 'take') continue;
            const again = run(n, 1, time, consumer);
            inFlight.add(again);
            model.set(n, { run: again, consumer });
          } else if (kind === 'clear') {
            inFlight.clear();
            model.clear();
          } else {
            const first = due();
            const expired = inFlight.expire(time);
            expect(expired?.deadline).toBe(first <= time ? first : undefined);
            if (!expired) continue;
            const left = [...model].filter(([, it]) => it.run === expired).map(([number]) => number);
            expect([...inFlight.remaining(expired)]).toEqual(left.sort((a, b) => a - b));
            for (const number of left) {
              inFlight.take(number, expired.consumer);
              model.delete(number);
            }
          }
          expect(inFlight.size).toBe(model.size);
        }
        const wrong = Array.from({ length: 1001 }, (_, n) => n).filter(
          (n) => inFlight.get(n) !== model.get(n)?.run,
        );
        expect(wrong).toEqual([]);
        expect(new Set(inFlight.runs())).toEqual(new Set([...model.values()].map((it) => it.run)));
        expect(inFlight.nextDeadline).toBe(due());
      }),
      { numRuns: 100 },
    );
  });
});
