import { performance } from 'node:perf_hooks';

/**
 * Wall-clock time in milliseconds with its fraction. It follows the system clock when that is set, but never runs
 * backwards within the process by less than `RESYNC`, so that deadlines stay in order.
 */
const RESYNC = 50;
let origin = Date.now() - performance.now();

export function wallClock(): number {
  const now = origin + performance.now();
  const drift = Date.now() - now;
  if (drift > RESYNC || drift < -RESYNC) {
    origin += drift;
    return now + drift;
  }
  return now;
}

/** Milliseconds on a clock that only goes forward; for deadlines within this process. */
export function monotonic(): number {
  return performance.now();
}
