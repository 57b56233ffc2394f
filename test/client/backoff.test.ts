import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, type BackoffSettings, type Outcome } from '../../src/client/backoff.js';

const DEFAULTS: BackoffSettings = {
  backoffStrategy: 'exponential',
  backoffMultiplier: 1000,
  maxBackoffDuration: 120_000,
};

/** Counts the outcomes, letting each delay pass; gives `[level, delay]` of every step. */
function steps(backoff: Backoff, outcomes: readonly Outcome[]): (readonly [number, number] | undefined)[] {
  return outcomes.map((outcome) => {
    const step = backoff.count(outcome);
    if (step) backoff.passed();
    return step && [step.level, step.delay];
  });
}

describe('Backoff', () => {
  it('doubles with each failure and halves with each success', () => {
    const outcomes = ['success', 'failure', 'failure', 'failure', 'success', 'success', 'success', 'success'];
    expect(steps(new Backoff(DEFAULTS), outcomes as Outcome[])).toEqual([
      undefined,
      [1, 2000],
      [2, 4000],
      [3, 8000],
      [2, 4000],
      [1, 2000],
      [0, 0],
      undefined,
    ]);
  });

  it('stays where the next level would be longer than the longest', () => {
    const backoff = new Backoff(DEFAULTS);
    expect(steps(backoff, Array<Outcome>(8).fill('failure')).slice(4)).toEqual([
      [5, 32_000],
      [6, 64_000],
      [6, 64_000],
      [6, 64_000],
    ]);
  });

  it('counts nothing while everything is stopped', () => {
    const backoff = new Backoff(DEFAULTS);
    backoff.count('failure');
    expect([backoff.isStopped, backoff.isProbing]).toEqual([true, false]);
    for (const outcome of ['failure', 'success', 'neutral'] as const)
      expect(backoff.count(outcome)).toBeUndefined();
    expect(backoff.level).toBe(1);
    backoff.passed();
    expect([backoff.isStopped, backoff.isProbing]).toEqual([false, true]);
  });

  it('goes on at the same level after an answer that says nothing, and does not begin with one', () => {
    expect(steps(new Backoff(DEFAULTS), ['neutral', 'failure', 'neutral', 'success'])).toEqual([
      undefined,
      [1, 2000],
      [1, 2000],
      [0, 0],
    ]);
  });

  it('never begins when the longest is 0', () => {
    expect(steps(new Backoff({ ...DEFAULTS, maxBackoffDuration: 0 }), ['failure', 'failure'])).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('lets one message at a time through without waiting when the unit is 0', () => {
    const backoff = new Backoff({ ...DEFAULTS, backoffMultiplier: 0 });
    expect(steps(backoff, Array<Outcome>(2000).fill('failure')).at(-1)).toEqual([2000, 0]);
  });

  it('takes a random part with full jitter', () => {
    const settings: BackoffSettings = { ...DEFAULTS, backoffStrategy: 'full_jitter' };
    expect(steps(new Backoff(settings, () => 0.25), ['failure', 'failure'])).toEqual([
      [1, 500],
      [2, 1000],
    ]);
  });

  it('asks a function, and takes nonsense for 0', () => {
    const given: number[] = [];
    const backoffStrategy = (level: number): number => {
      given.push(level);
      return level === 1 ? 70 : Number.NaN;
    };
    const backoff = new Backoff({ ...DEFAULTS, backoffStrategy });
    expect(steps(backoff, ['failure', 'failure'])).toEqual([
      [1, 70],
      [2, 0],
    ]);
    expect(new Set(given)).toEqual(new Set([1, 2]));
  });

  // What go-nsq 1.1.0 keeps in backoffCounter and backoffDuration, said once more.
  it('is in the state that go-nsq would be in, whatever happens', () => {
    const happening = fc.constantFrom<Outcome | 'passed'>('success', 'failure', 'neutral', 'passed');
    const settings = fc.record({
      backoffStrategy: fc.constant('exponential' as const),
      backoffMultiplier: fc.integer({ min: 0, max: 5000 }),
      maxBackoffDuration: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(settings, fc.array(happening, { maxLength: 60 }), (given, happenings) => {
        const backoff = new Backoff(given);
        let counter = 0;
        let isWaiting = false;
        for (const one of happenings) {
          if (one === 'passed') {
            if (isWaiting) backoff.passed();
            isWaiting = false;
          } else {
            const step = backoff.count(one);
            let expected: unknown;
            if (!isWaiting) {
              const before = counter;
              const next = given.backoffMultiplier * 2 ** (counter + 1);
              if (one === 'success' && counter > 0) counter--;
              if (one === 'failure' && next <= given.maxBackoffDuration) counter++;
              if (counter > 0) {
                const delay = Math.min(given.backoffMultiplier * 2 ** counter, given.maxBackoffDuration);
                expected = { level: counter, delay };
                isWaiting = true;
              } else if (before > 0) {
                expected = { level: 0, delay: 0 };
              }
            }
            expect(step).toEqual(expected);
          }
          expect(backoff.level).toBe(counter);
          expect(backoff.isStopped).toBe(isWaiting);
        }
      }),
    );
  });
});
