import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DurationError, formatDuration, parseDuration } from '../../src/protocol/duration.js';

describe('parseDuration', () => {
  test.each([
    ['0', 0],
    ['-0', 0],
    ['+0', 0],
    ['0s', 0],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['-1s', -1000],
    ['+5s', 5000],
    ['.5s', 500],
    ['1.s', 1000],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1ns', 0.000001],
    ['1h15m30.918273645s', 4_530_918.273645],
    ['0.100000000000000000000h', 360_000],
    ['2540400h10m10.000000000s', 9_145_440_610_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ['', 'a number with a unit'],
    ['-', 'a number with a unit'],
    ['3', 'a unit is missing, as in 3s or 3ms'],
    ['1m30', 'a unit is missing'],
    ['s', 'a number is missing before "s"'],
    ['.s', 'a number is missing before "s"'],
    ['1x', 'the unit "x"'],
    ['1 s', 'the unit " s"'],
    ['1S', 'the unit "S"'],
    ['--1s', 'the unit "-"'],
    ['1e3s', 'the unit "e"'],
    ['.', 'unit is missing'],
    ['1..s', 'is no number'],
    ['9223372037s', '292 years'],
  ])('refuses %j: %s', (text, reason) => {
    expect(() => parseDuration(text)).toThrow(DurationError);
    expect(() => parseDuration(text)).toThrow(reason);
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [0.000001, '1ns'],
    [0.0011, '1.1µs'],
    [2.2, '2.2ms'],
    [250, '250ms'],
    [3300, '3.3s'],
    [60_000, '1m0s'],
    [245_000, '4m5s'],
    [245_001, '4m5.001s'],
    [3_600_000, '1h0m0s'],
    [18_367_001, '5h6m7.001s'],
    [-1500, '-1.5s'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what it prints is read back', () => {
    fc.assert(
      // Up to eleven days a number of milliseconds holds every nanosecond.
      fc.property(fc.integer({ min: -1e15, max: 1e15 }), (ns) => {
        expect(formatDuration(parseDuration(formatDuration(ns / 1e6)))).toBe(formatDuration(ns / 1e6));
      }),
    );
  });
});
