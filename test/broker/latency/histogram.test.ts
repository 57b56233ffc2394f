import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/broker/latency/histogram.js';

const QUANTILES = [0.001, 0.25, 0.5, 0.9, 0.99, 1];
const latency = fc.oneof(fc.nat(10), fc.nat(100_000), fc.double({ min: 0, max: 1e18, noNaN: true }));

/** The value that has a quantile's rank. */
function exact(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(quantile * values.length - 1e-9)) - 1]!;
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value, 1);
  return histogram;
}

describe('Histogram', () => {
  it('is within 0.4 % of every quantile, or about 1 where that is less', () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 300 }), (values) => {
        const histogram = histogramOf(values);
        expect(histogram.count).toBe(values.length);
        for (const quantile of QUANTILES) {
          const wanted = exact(values, quantile);
          expect(Math.abs(histogram.quantile(quantile) - wanted)).toBeLessThanOrEqual(1.01 + wanted / 250);
        }
      }),
    );
  });

  it('knows the one value, and the largest one, exactly', () => {
    expect(histogramOf([1_234_567]).quantile(0.5)).toBe(1_234_567);
    expect(histogramOf([1_234_567, 3, 1_234_571]).quantile(1)).toBe(1_234_571);
    expect(histogramOf([0, 0, 0.25]).quantile(0.1)).toBeLessThanOrEqual(0.25);
  });

  it('takes a rank for what it is meant to be', () => {
    const values = Array.from({ length: 100 }, (_, i) => 2 ** (i / 4));
    // 0.07 * 100 is 7.000000000000001.
    expect(histogramOf(values).quantile(0.07) / values[6]!).toBeCloseTo(1, 2);
  });

  it('says 0 while it is empty, and after it was cleared', () => {
    const histogram = histogramOf([5e6, 7e6]);
    histogram.clear();
    for (const empty of [new Histogram(), histogram]) {
      expect([empty.count, ...QUANTILES.map((it) => empty.quantile(it))]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    }
  });

  it('is the same however the values came to it', () => {
    fc.assert(
      fc.property(
        fc.array(latency, { maxLength: 50 }),
        fc.array(latency, { maxLength: 50 }),
        fc.integer({ min: 1, max: 9 }),
        (a, b, times) => {
          const sum = histogramOf(a);
          const other = new Histogram();
          for (const value of b) other.add(value, times);
          sum.addAll(other);
          const one = histogramOf([...a, ...b.flatMap((value) => new Array<number>(times).fill(value))]);
          expect(sum.count).toBe(one.count);
          expect(QUANTILES.map((it) => sum.quantile(it))).toEqual(QUANTILES.map((it) => one.quantile(it)));
        },
      ),
    );
  });
});
