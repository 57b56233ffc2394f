import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** The process's memory, in the fields that nsqd has for it: what in V8 comes closest to each. */
export interface MemoryStats {
  /** Always 0: V8 does not count them. */
  heap_objects: number;
  /** What V8's heap has and does not use. */
  heap_idle_bytes: number;
  /** What is used of it, and the buffers outside of it: queued messages are in those. */
  heap_in_use_bytes: number;
  /** The part of the heap that the system has given no memory for. */
  heap_released_bytes: number;
  /** Pauses of the last 256 garbage collections, small ones too. */
  gc_pause_usec_100: number;
  gc_pause_usec_99: number;
  gc_pause_usec_95: number;
  /** The most that the heap can grow to: V8 does not say when it collects next. */
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
    heap_in_use_bytes: heap.used_heap_size + heap.external_memory,
    heap_released_bytes: Math.max(0, heap.total_heap_size - heap.total_physical_size),
    gc_pause_usec_100: percentile(sorted, 100),
    gc_pause_usec_99: percentile(sorted, 99),
    gc_pause_usec_95: percentile(sorted, 95),
    next_gc_bytes: heap.heap_size_limit,
    gc_total_runs: runs,
  };
}

function percentile(sorted: readonly number[], percent: number): number {
  const at = Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length + 0.5));
  return Math.round(sorted[at] ?? 0);
}
