import { cpuSeconds } from './process.mjs';

/**
 * @typedef {object} Measured
 * @property {number} seconds
 * @property {number | undefined} generatorCpu CPU of this process, as a share of one core
 * @property {number | undefined} daemonCpu the same of the daemon, when its pid is known
 */

/**
 * Times `work`, with the CPU that it cost on both sides.
 * @template T
 * @param {import('./process.mjs').Target} target
 * @param {() => Promise<T>} work
 * @returns {Promise<{ result: T, measured: Measured }>}
 */
export async function measure(target, work) {
  const daemonBefore = target.pid === undefined ? 0 : cpuSeconds(target.pid);
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const daemonCpu = target.pid === undefined ? undefined : (cpuSeconds(target.pid) - daemonBefore) / seconds;
  return { result, measured: { seconds, generatorCpu: (user + system) / 1e6 / seconds, daemonCpu } };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/**
 * The value below which the share `p` of the values lies.
 * @param {Float64Array} sorted
 * @param {number} p
 */
export function percentile(sorted, p) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}
