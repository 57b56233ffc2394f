import { monotonic, wallClock } from '../clock.js';
import { publishTime, recordLength } from '../log/record.js';
import type { Slab } from '../log/slab.js';
import type { BrokerSettings } from '../settings.js';
import type { Histogram } from './histogram.js';
import { LatencyWindow } from './latency-window.js';

const NS_PER_MS = 1e6;
/** Finished messages that are gathered at most before their latencies are worked out. */
const GATHERED = 128;

/** When each of `count` records was published that stand one after the other from `at` on, in ns since 1970. */
export function publishTimes({ buf, view }: Slab, at: number, count: number): number[] {
  // A typed array costs twice as much: runs are short, and many.
  const times: number[] = [];
  for (let next = at; times.length < count; next += recordLength(buf, next))
    times.push(publishTime(view, next));
  return times;
}

/**
 * How long a channel's messages took from their publication to FIN, whatever happened between: delays, deliveries that
 * failed, restarts. The FINs of a turn are gathered and share one look at the clock, at its end.
 */
export class ChannelLatency {
  readonly #window: LatencyWindow;
  readonly #published = new Float64Array(GATHERED);
  #gathered = 0;

  /** Undefined if no percentile is asked for: then nothing is measured. */
  static from(settings: BrokerSettings): ChannelLatency | undefined {
    if (settings.e2eProcessingLatencyPercentiles.length === 0) return undefined;
    return new ChannelLatency(settings.e2eProcessingLatencyWindowTime);
  }

  constructor(windowTime: number) {
    this.#window = new LatencyWindow(windowTime, monotonic());
  }

  /** A message is finished that was published at `published`, ns since 1970. */
  finished(published: number): void {
    this.#published[this.#gathered++] = published;
    if (this.#gathered === GATHERED) this.settle();
  }

  /** Works out the latencies of what was finished since the last time. */
  settle(): void {
    const count = this.#gathered;
    if (count === 0) return;
    this.#gathered = 0;
    const published = this.#published;
    const now = monotonic();
    const wall = wallClock() * NS_PER_MS;
    // Messages that were published together have the same time.
    for (let from = 0, to = 1; from < count; from = to++) {
      const time = published[from]!;
      while (to < count && published[to] === time) to++;
      this.#window.add(Math.max(0, wall - time), to - from, now);
    }
  }

  addTo(sum: Histogram): void {
    this.settle();
    this.#window.addTo(sum, monotonic());
  }
}
