import { describe, expect, test } from 'vitest';
import { EpsilonGreedyPool } from '../../../src/cli/relay/epsilon-greedy-pool.js';
import { HostPool } from '../../../src/cli/relay/host-pool.js';
import { RoundRobin, type Selection } from '../../../src/cli/relay/selection.js';

const names = (selection: Selection<string>, count: number): string[] =>
  Array.from({ length: count }, () => selection.next().target);

/** A clock that only `pass` moves. */
function manualClock() {
  let time = 1000;
  return { now: () => time, pass: (ms: number) => (time += ms) };
}

test('round-robin: the second target first, and failures change nothing', () => {
  const selection = new RoundRobin(['a', 'b', 'c']);
  selection.next().failed();
  expect(names(selection, 4)).toEqual(['c', 'a', 'b', 'c']);
  expect(names(new RoundRobin(['a']), 2)).toEqual(['a', 'a']);
});

describe('HostPool', () => {
  test('takes each in turn, the first one first', () => {
    expect(names(new HostPool(['a', 'b', 'c']), 5)).toEqual(['a', 'b', 'c', 'a', 'b']);
  });

  test('leaves one that failed alone, for 30 s at first and then for twice as long', () => {
    const clock = manualClock();
    const pool = new HostPool(['a', 'b'], clock.now);
    const fail = (): void => {
      const choice = pool.next();
      expect(choice.target).toBe('a');
      choice.failed();
      expect(names(pool, 1)).toEqual(['b']);
    };
    fail();
    expect(names(pool, 3)).toEqual(['b', 'b', 'b']);
    clock.pass(30_000);
    expect(names(pool, 1)).toEqual(['b']);
    clock.pass(1);
    fail();
    clock.pass(60_000);
    expect(names(pool, 2)).toEqual(['b', 'b']);
    clock.pass(1);
    fail();
    for (let delay = 120_000; delay < 900_000; delay *= 2) {
      clock.pass(delay + 1);
      fail();
    }
    clock.pass(900_000);
    expect(names(pool, 1)).toEqual(['b']);
    clock.pass(1);
    expect(names(pool, 1)).toEqual(['a']);
  });

  test('a dead one that took a message is alive, and its next death lasts 30 s again', () => {
    const clock = manualClock();
    const pool = new HostPool(['a', 'b'], clock.now);
    pool.next().failed();
    clock.pass(30_001);
    pool.next();
    const again = pool.next();
    expect(again.target).toBe('a');
    again.succeeded();
    expect(names(pool, 3)).toEqual(['b', 'a', 'b']);
    pool.next().failed();
    clock.pass(30_001);
    expect(names(pool, 2)).toEqual(['b', 'a']);
  });

  test('when all are dead, all are tried again', () => {
    const pool = new HostPool(['a', 'b'], manualClock().now);
    pool.next().failed();
    pool.next().failed();
    expect(names(pool, 3)).toEqual(['a', 'a', 'b']);
    const single = new HostPool(['x']);
    single.next().failed();
    expect(single.next().target).toBe('x');
  });
});

describe('EpsilonGreedyPool', () => {
  /** Takes `count` messages, each of which lasts as long as its target's entry says; returns how many each had. */
  function serve(
    pool: EpsilonGreedyPool<string>,
    clock: ReturnType<typeof manualClock>,
    times: Record<string, number>,
    count: number,
  ): Record<string, number> {
    const counts: Record<string, number> = Object.fromEntries(Object.keys(times).map((name) => [name, 0]));
    for (let n = 0; n < count; n++) {
      const choice = pool.next();
      counts[choice.target]!++;
      clock.pass(times[choice.target]!);
      choice.succeeded();
    }
    return counts;
  }

  /** A fixed sequence that looks random. */
  function randomNumbers(): () => number {
    let state = 1;
    return () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
  }

  test('the fast one gets the more, also below a millisecond, and the slow one is still tried', () => {
    const clock = manualClock();
    const pool = new EpsilonGreedyPool(['slow', 'fast'], clock.now, randomNumbers());
    const counts = serve(pool, clock, { slow: 0.9, fast: 0.1 }, 1000);
    expect(counts.fast).toBeGreaterThan(800);
    expect(counts.slow).toBeGreaterThan(20);
  });

  test('notices within minutes that the fast one became slow', () => {
    const clock = manualClock();
    const pool = new EpsilonGreedyPool(['a', 'b'], clock.now, randomNumbers());
    serve(pool, clock, { a: 10, b: 100 }, 2000);
    serve(pool, clock, { a: 100, b: 10 }, 20_000);
    const counts = serve(pool, clock, { a: 100, b: 10 }, 1000);
    expect(counts.b).toBeGreaterThan(counts.a! * 4);
  });

  test('leaves dead ones alone, as the plain pool does', () => {
    const clock = manualClock();
    const pool = new EpsilonGreedyPool(['a', 'b'], clock.now, randomNumbers());
    serve(pool, clock, { a: 1, b: 1 }, 50);
    for (let failed = false; !failed; ) {
      const choice = pool.next();
      failed = choice.target === 'a';
      if (failed) choice.failed();
    }
    expect(serve(pool, clock, { a: 1, b: 1 }, 100)).toEqual({ a: 0, b: 100 });
    clock.pass(30_001);
    expect(serve(pool, clock, { a: 1, b: 1 }, 100).a).toBeGreaterThan(20);
  });

  test('forgets in five minutes: then nothing is known, and it is turn by turn', () => {
    const clock = manualClock();
    const pool = new EpsilonGreedyPool(['a', 'b'], clock.now, randomNumbers());
    serve(pool, clock, { a: 1, b: 1000 }, 100);
    clock.pass(400_000);
    const targets = names(pool, 10);
    expect(targets.filter((name) => name === 'a')).toHaveLength(5);
  });
});
