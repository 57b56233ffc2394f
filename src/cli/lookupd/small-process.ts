import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';

/** Time from one look at the load to the next. */
const LOOK_MS = 1000;
/** The event loop's utilization from which on the process counts as busy: then compiled code is worth its memory. */
const BUSY = 0.5;
/** Busy looks in a row that it takes. A cluster's brokers that all register at once keep the process busy for less. */
const LOOKS = 2;

/**
 * Makes V8 prefer little memory to speed until the process is busy for longer than a moment. A lookupd rarely is:
 *
 * - The space of new objects keeps its size. Otherwise the second in which all brokers register makes it grow to 16 MB,
 *   as much as the whole directory of 50 brokers needs.
 * - The heap is collected before it grows much.
 * - The optimizing compiler is off until the process is busy: its own code alone takes 4 MB. Maglev, the compiler before
 *   it that Node 24 has, stays off: what Maglev has compiled would not be compiled again by the better one.
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
