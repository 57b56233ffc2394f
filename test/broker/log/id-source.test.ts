import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdSource } from '../../../src/broker/log/id-source.js';

const value = ({ hi, lo }: { hi: number; lo: number }): bigint => (BigInt(hi) << 32n) | BigInt(lo);
const NOW = Date.UTC(2026, 5, 1);

test('runs begin in order, after each other and after what they are told, with the node in the upper 10 bits', () => {
  const steps = fc.array(fc.record({ passed: fc.nat(1000), used: fc.option(fc.nat(10_000_000)) }), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1023 }), steps, (node, list) => {
      let now = NOW;
      const ids = new IdSource(node, () => now);
      let last = ids.next();
      for (const { passed, used } of list) {
        now += passed;
        const after = used === null ? undefined : halves(value(last) + BigInt(used));
        const next = ids.next(after);
        expect(value(next) > value(last)).toBe(true);
        if (after) expect(value(next) >= value(after)).toBe(true);
        expect(value(next) >> 54n).toBe(BigInt(node));
        expect(Number.isInteger(next.hi) && next.hi >= 0 && next.hi < 2 ** 32).toBe(true);
        last = next;
      }
    }),
  );
});

test('a later start of the same node begins past 4 million ids per second of the one before', () => {
  const before = new IdSource(5, () => NOW).next();
  const after = new IdSource(5, () => NOW + 1000).next();
  expect(value(after) - value(before)).toBe(4_096_000n);
});

test('a clock that was set back gives no id again to who knows the last one', () => {
  const last = new IdSource(5, () => NOW).next();
  expect(value(new IdSource(5, () => NOW - 86_400_000).next(last)) >= value(last)).toBe(true);
});

test('nodes never share an id', () => {
  const [one, other] = [1, 2].map((node) => new IdSource(node, () => NOW).next());
  expect(value(one!) >> 54n).not.toBe(value(other!) >> 54n);
});

function halves(id: bigint): { hi: number; lo: number } {
  return { hi: Number(id >> 32n), lo: Number(id & 0xffffffffn) };
}
