import type { Target } from './process.mjs';

export interface Measured {
  seconds: number;
  generatorCpu: number | undefined;
  daemonCpu: number | undefined;
}

export declare function measure<T>(
  target: Target,
  work: () => Promise<T>,
): Promise<{ result: T; measured: Measured }>;
export declare function median(values: readonly number[]): number;
export declare function percentile(sorted: Float64Array, p: number): number;
