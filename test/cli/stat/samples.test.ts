import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Sample } from '../../../src/cli/cluster/cluster.js';
import { RunError } from '../../../src/cli/errors.js';
import { takeSamples } from '../../../src/cli/stat/samples.js';
import { sample } from './rows.js';

/** What comes from a cluster that answers so, until `count` are there. */
async function take(
  count: number,
  intervalMs: number,
  answer: (round: number) => Promise<Sample>,
): Promise<{ taken: (Sample | RunError)[]; ms: number[] }> {
  const abort = new AbortController();
  const start = performance.now();
  const taken: (Sample | RunError)[] = [];
  const ms: number[] = [];
  let round = 0;
  const cluster = { sample: () => answer(round++) };
  for await (const one of takeSamples({ cluster, query: {}, intervalMs, signal: abort.signal })) {
    taken.push(one);
    ms.push(performance.now() - start);
    if (taken.length === count) abort.abort();
  }
  return { taken, ms };
}

describe('samples', () => {
  test('the first at once, then on the beat of the interval', async () => {
    const { taken, ms } = await take(3, 50, async () => sample(0, {}));
    expect(taken).toHaveLength(3);
    expect(ms[1]).toBeGreaterThanOrEqual(45);
    expect(ms[2]).toBeGreaterThanOrEqual(95);
  });

  test('a timer that goes off a little early makes no sample twice on one beat', async () => {
    const times = [0, 0, 0, 1, 49.6, 49.6, 100];
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => times.shift() ?? 100);
    onTestFinished(() => clock.mockRestore());
    const start = Date.now();
    await take(3, 50, async () => sample(0, {}));
    expect(Date.now() - start).toBeGreaterThanOrEqual(90);
  });

  test('a slow answer makes the next one wait for the next beat, not for a whole interval', async () => {
    const slow = async (): Promise<Sample> => {
      await new Promise((resolve) => setTimeout(resolve, 70));
      return sample(0, {});
    };
    const { ms } = await take(2, 50, slow);
    expect(ms[1]).toBeGreaterThanOrEqual(165);
  });

  test('nobody answers: the error, and then the next sample', async () => {
    const answers = [sample(0, {}), new RunError('nobody'), sample(1, {})];
    const { taken } = await take(3, 1, async (round) => {
      const answer = answers[round]!;
      if (answer instanceof RunError) throw answer;
      return answer;
    });
    expect(taken).toEqual(answers);
  });

  test('other errors are not hidden', async () => {
    await expect(
      take(1, 1, async () => {
        throw new TypeError('ours');
      }),
    ).rejects.toThrow('ours');
  });

  test('ends while it waits', async () => {
    const abort = new AbortController();
    const cluster = { sample: async () => sample(0, {}) };
    const samples = takeSamples({ cluster, query: {}, intervalMs: 1e6, signal: abort.signal });
    await samples.next();
    const next = samples.next();
    abort.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
