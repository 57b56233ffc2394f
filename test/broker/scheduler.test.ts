import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { monotonic } from '../../src/broker/clock.js';
import { Deadline, Scheduler } from '../../src/broker/scheduler.js';

const DAY = 86_400_000;

vi.mock('../../src/broker/clock.js', () => ({ monotonic: () => Date.now() }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function note(fired: string[], name: string): Deadline {
  return new Deadline(() => fired.push(name));
}

describe('Scheduler', () => {
  it('calls what is due, in order of time, and never before', () => {
    const scheduler = new Scheduler();
    const fired: string[] = [];
    const now = monotonic();
    for (const [name, wait] of [
      ['c', 30],
      ['a', 10],
      ['b', 20.5],
    ] as const)
      scheduler.arm(note(fired, name), now + wait);
    vi.advanceTimersByTime(9);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a']);
    vi.advanceTimersByTime(10);
    expect(fired).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a', 'b']);
    vi.advanceTimersByTime(100);
    expect(fired).toEqual(['a', 'b', 'c']);
  });

  it('has no timer while nothing is to come', () => {
    const scheduler = new Scheduler();
    expect(vi.getTimerCount()).toBe(0);
    scheduler.arm(note([], 'x'), monotonic() + 5);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has one timer for any number of deadlines', () => {
    const scheduler = new Scheduler();
    for (let i = 0; i < 1000; i++) scheduler.arm(note([], 'x'), monotonic() + 1000 - i);
    expect(vi.getTimerCount()).toBe(1);
    scheduler.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('moves a deadline that is armed again', () => {
    const scheduler = new Scheduler();
    const fired: string[] = [];
    const [a, b] = [note(fired, 'a'), note(fired, 'b')];
    scheduler.arm(a, monotonic() + 10);
    scheduler.arm(b, monotonic() + 20);
    scheduler.arm(a, monotonic() + 30);
    vi.advanceTimersByTime(25);
    expect(fired).toEqual(['b']);
    vi.advanceTimersByTime(5);
    expect(fired).toEqual(['b', 'a']);
  });

  it('calls a deadline in the past at once, but not within arm', () => {
    const scheduler = new Scheduler();
    const fired: string[] = [];
    scheduler.arm(note(fired, 'a'), monotonic() - 1000);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a']);
  });

  it('waits longer than the longest timer', () => {
    const scheduler = new Scheduler();
    const fired: string[] = [];
    scheduler.arm(note(fired, 'a'), monotonic() + 40 * DAY);
    vi.advanceTimersByTime(40 * DAY - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a']);
  });

  it('lets a deadline arm itself and others when it is due', () => {
    const scheduler = new Scheduler();
    const fired: number[] = [];
    const tick: Deadline = new Deadline((now) => {
      fired.push(Math.round(now));
      if (fired.length < 3) scheduler.arm(tick, now + 10);
    });
    const start = monotonic();
    scheduler.arm(tick, start + 10);
    vi.advanceTimersByTime(100);
    expect(fired.map((at) => at - Math.round(start))).toEqual([10, 20, 30]);
  });

  it('says of a deadline that is not armed that it never comes', () => {
    const scheduler = new Scheduler();
    const fired: string[] = [];
    const deadline = note(fired, 'a');
    expect(deadline.at).toBe(Number.POSITIVE_INFINITY);
    scheduler.arm(deadline, monotonic() + 1);
    scheduler.disarm(deadline);
    scheduler.disarm(deadline);
    expect([deadline.at, deadline.index]).toEqual([Number.POSITIVE_INFINITY, -1]);
    vi.advanceTimersByTime(10);
    expect(fired).toEqual([]);
  });

  it('keeps time for any arming, moving and disarming', () => {
    const step = fc.record({ which: fc.nat({ max: 9 }), wait: fc.nat({ max: 50 }), disarm: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scheduler = new Scheduler();
        const fired: number[] = [];
        const deadlines = Array.from({ length: 10 }, (_, i) => new Deadline(() => fired.push(i)));
        const start = monotonic();
        const model = new Map<number, number>();
        for (const { which, wait, disarm } of steps) {
          if (disarm) {
            scheduler.disarm(deadlines[which]!);
            model.delete(which);
          } else {
            scheduler.arm(deadlines[which]!, start + wait);
            model.set(which, wait);
          }
        }
        for (let time = 0; time <= 51; time++) {
          const due = [...model].filter(([, wait]) => wait <= time).map(([which]) => which);
          for (const which of fired) expect(due).toContain(which);
          vi.advanceTimersByTime(1);
        }
        expect([...fired].sort()).toEqual([...model.keys()].sort());
        scheduler.close();
      }),
      { numRuns: 30 },
    );
  });
});
