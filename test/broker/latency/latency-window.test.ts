import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/broker/latency/histogram.js';
import { LatencyWindow } from '../../../src/broker/latency/latency-window.js';

function countAt(window: LatencyWindow, now: number): number {
  const sum = new Histogram();
  window.addTo(sum, now);
  return sum.count;
}

describe('LatencyWindow', () => {
  it('forgets a half when another one has gone by', () => {
    const window = new LatencyWindow(100, 1000);
    window.add(5, 2, 1000);
    window.add(5, 1, 1050);
    expect(countAt(window, 1050)).toBe(3);
    window.add(5, 4, 1051);
    expect(countAt(window, 1100)).toBe(7);
    expect(countAt(window, 1101)).toBe(4);
    expect(countAt(window, 1150)).toBe(4);
    expect(countAt(window, 1151)).toBe(0);
  });

  it('forgets all of it after a long rest, and goes on', () => {
    const window = new LatencyWindow(100, 0);
    window.add(5, 1, 10);
    window.add(5, 1, 1_000_000_007);
    expect(countAt(window, 1_000_000_007)).toBe(1);
    expect(countAt(window, 1_000_000_107)).toBe(0);
  });

  it("rotates as nsqd's two streams do", () => {
    const events = fc.array(fc.record({ wait: fc.nat(130), adds: fc.boolean() }), { maxLength: 40 });
    fc.assert(
      fc.property(events, (steps) => {
        const window = new LatencyWindow(100, 0);
        const streams = [0, 0];
        let current = 0;
        let moved = 0;
        let now = 0;
        for (const { wait, adds } of steps) {
          now += wait;
          while (now > moved + 50) {
            current = 1 - current;
            streams[current] = 0;
            moved += 50;
          }
          if (adds) {
            window.add(1, 1, now);
            streams[current]!++;
          }
          expect(countAt(window, now)).toBe(streams[0]! + streams[1]!);
        }
      }),
    );
  });
});
