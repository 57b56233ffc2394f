import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';

/** How often the load is looked at. */
const LOOK_MS = 1000;
/** The share of such a time in which there is work, from which on compiled code is worth its memory. */
const BUSY = 0.5;
/** As many times in a row: when all brokers register at once, that is over sooner. */
const LOOKS = 2;

/**
 * Makes V8 prefer little memory to speed until the process is busy for longer than a moment. A lookupd rarely is:
 *
 * - The space of new objects keeps its size. The second in which all brokers register would make it grow to 16 MB, as
 *   much as the whole directory of 50 brokers needs.
 * - The heap is collected before it grows much.
 * - The optimizing compiler waits until there is something to be won: its own code alone is 4 MB. The one before it, from
 *   Node 24 on, is left out: what it made would not be made anew.
 *
 * To be called when the modules are loaded, since V8 takes no code cache that was made with other flags. For a process
 * of its own: the flags are the process's.
 */
export function keepProcessSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-maglev');
  let last = performance.eventLoopUtilization();
  let busy = 0;
  const timer = setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(last);
    last = performance.eventLoopUtilization();
    busy = utilization < BUSY ? 0 : busy + 1;
    if (busy < LOOKS) return;
    clearInterval(timer);
    setFlagsFromString('--opt');
  }, LOOK_MS);
  timer.unref();
}
