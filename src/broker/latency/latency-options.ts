import { MINUTE, type OptionSpec } from '../option-spec.js';

export const LATENCY_OPTIONS: readonly OptionSpec[] = [
  {
    key: 'e2eProcessingLatencyPercentiles',
    flag: 'e2e-processing-latency-percentile',
    config: 'e2e_processing_latency_percentiles',
    kind: 'fractions',
    default: [],
    doc: 'quantiles of the time from publish to FIN that /stats is to show, as 1.0,0.99,0.95 (default: none)',
    group: 'messages',
  },
  {
    key: 'e2eProcessingLatencyWindowTime',
    flag: 'e2e-processing-latency-window-time',
    kind: 'duration',
    default: 10 * MINUTE,
    min: 1,
    max: 2 ** 45,
    doc: 'how long a time they cover, of which the older half goes at once',
    group: 'messages',
  },
];
