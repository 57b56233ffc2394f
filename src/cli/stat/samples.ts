import { setTimeout } from 'node:timers/promises';
import type { Cluster, Sample, StatsQuery } from '../cluster/cluster.js';
import { RunError } from '../errors.js';

export interface SampleOptions {
  readonly cluster: Pick<Cluster, 'sample'>;
  readonly query: StatsQuery;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/**
 * The first sample at once, then one each interval, counted from the first so that they do not drift; times that pass
 * while somebody is slow to answer are left out. In place of a sample that nobody answered for stands the error. Ends
 * when the signal is aborted.
 */
export async function* takeSamples({
  cluster,
  query,
  intervalMs,
  signal,
}: SampleOptions): AsyncGenerator<Sample | RunError> {
  const start = performance.now();
  let beat = 0;
  while (!signal.aborted) {
    const sample = await cluster.sample(query, signal).catch(failure);
    if (signal.aborted) return;
    yield sample;
    const passed = performance.now() - start;
    // Timers may go off a little early: no beat comes twice.
    beat = Math.max(beat, Math.floor(passed / intervalMs)) + 1;
    await setTimeout(beat * intervalMs - passed, undefined, { signal }).catch(() => undefined);
  }
}

function failure(error: unknown): RunError {
  if (error instanceof RunError) return error;
  throw error;
}
