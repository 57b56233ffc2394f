import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deferred, type DeferredMessage } from '../../../src/broker/delivery/deferred.js';

const message = fc.record({
  n: fc.nat(1000),
  attempts: fc.nat(65_535),
  due: fc.integer({ min: 1, max: 20 }).map((it) => 1.7e12 + it),
});

const byDueAndNumber = (a: DeferredMessage, b: DeferredMessage): number => a.due - b.due || a.n - b.n;

test('messages come by due time, then by number, however they are put in and taken out', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: fc.constant('shift') }), {
        maxLength: 300,
      }),
      (steps) => {
        const deferred = new Deferred();
        const model: DeferredMessage[] = [];
        for (const step of steps) {
          if (typeof step === 'object') {
            deferred.push(step.n, step.attempts, step.due);
            model.push(step);
          } else {
            model.sort(byDueAndNumber);
            const first = model.shift();
            const shifted = deferred.shift();
            expect(shifted && { n: shifted.n, due: shifted.due }).toEqual(
              first && { n: first.n, due: first.due },
            );
          }
          expect(deferred.length).toBe(model.length);
          expect(deferred.firstDue).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.map(({ due }) => due)));
        }
        expect([...deferred].sort(byDueAndNumber).map(({ n }) => n)).toEqual(
          model.sort(byDueAndNumber).map(({ n }) => n),
        );
      },
    ),
  );
});

test('attempts stay with their message, through growing and shrinking', () => {
  const deferred = new Deferred();
  for (let n = 0; n < 1000; n++) deferred.push(n, n % 7, 5000 - n);
  for (let n = 999; n >= 0; n--) expect(deferred.shift()).toEqual({ n, attempts: n % 7, due: 5000 - n });
  expect(deferred.shift()).toBeUndefined();
  deferred.push(1, 2, 3);
  deferred.clear();
  expect([deferred.length, deferred.firstDue, [...deferred]]).toEqual([0, Number.POSITIVE_INFINITY, []]);
});

test('some of them are taken out, and the others come as before', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 200 }), fc.nat(20), (messages, divisor) => {
      const deferred = new Deferred();
      for (const { n, attempts, due } of messages) deferred.push(n, attempts, due);
      const isGone = (n: number): boolean => divisor === 0 || n % divisor === 0;
      const gone = messages.filter(({ n }) => isGone(n));
      expect(deferred.extract(isGone).sort(byDueAndNumber)).toHaveLength(gone.length);
      const rest = messages.filter(({ n }) => !isGone(n)).sort(byDueAndNumber);
      expect(Array.from(rest, () => deferred.shift()?.n)).toEqual(rest.map(({ n }) => n));
      expect(deferred.length).toBe(0);
    }),
  );
});
