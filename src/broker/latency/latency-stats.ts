import type { ChannelLatency } from './channel-latency.js';
import { Histogram } from './histogram.js';

/** Time from publish to FIN in `/stats`; names and order of the fields are nsqd's. */
export interface LatencyStats {
  /** Messages that were finished within the window. */
  count: number;
  /** Values in ns, 0 while there is no message; `null` where nothing is measured. */
  percentiles: { quantile: number; value: number }[] | null;
}

/** Of some channels together; without one, as where nothing is measured. */
export function latencyStats(
  channels: Iterable<{ readonly latency: ChannelLatency | undefined }>,
  quantiles: readonly number[],
): LatencyStats {
  const measured = [...channels].flatMap(({ latency }) => latency ?? []);
  if (measured.length === 0) return { count: 0, percentiles: null };
  const sum = new Histogram();
  for (const latency of measured) latency.addTo(sum);
  const percentiles = quantiles.map((quantile) => ({ quantile, value: Math.round(sum.quantile(quantile)) }));
  return { count: sum.count, percentiles };
}

/** The values as nsqd prints them: `1.5ms, 20.0us`. */
export function latencyText({ percentiles }: LatencyStats): string {
  return (percentiles ?? []).map(({ value }) => durationText(value)).join(', ');
}

function durationText(ns: number): string {
  if (ns > 1e9) return `${(ns / 1e9).toFixed(1)}s`;
  if (ns > 1e6) return `${(ns / 1e6).toFixed(1)}ms`;
  return ns > 1e3 ? `${(ns / 1e3).toFixed(1)}us` : `${ns.toFixed(1)}ns`;
}
