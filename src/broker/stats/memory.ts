import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** The process's memory, in the fields that nsqd has for it; what V8 has no figure for is 0. */
export interface MemoryStats {
  heap_objects: number;
  heap_idle_bytes: number;
  heap_in_use_bytes: number;
  heap_released_bytes: number;
  gc_pause_usec_100: number;
  gc_pause_usec_99: number;
  gc_pause_usec_95: number;
  next_gc_bytes: number;
  gc_total_runs: number;
}

/** As many of the last pauses as Go's runtime keeps. */
const KEPT_PAUSES = 256;
const pauses: number[] = [];
let runs = 0;

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    pauses[runs % KEPT_PAUSES] = duration * 1000;
    runs++;
  }
}).observe({ entryTypes: ['gc'] });

export function memoryStats(): MemoryStats {
  const heap = getHeapStatistics();
  const sorted = [...pauses].sort((a, b) => a - b);
  return {
    heap_objects: 0,
    heap_idle_bytes: heap.total_heap_size - heap.used_heap_size,
    heap_in_use_bytes: heap.used_heap_size,
    heap_released_bytes: 0,
    gc_pause_usec_100: percentile(sorted, 100),
    gc_pause_usec_99: percentile(sorted, 99),
    gc_pause_usec_95: percentile(sorted, 95),
    next_gc_bytes: heap.heap_size_limit,
    gc_total_runs: runs,
  };
}

function percentile(sorted: readonly number[], percent: number): number {
  const at = Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length));
  return Math.round(sorted[at] ?? 0);
}
