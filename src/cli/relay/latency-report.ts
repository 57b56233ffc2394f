/** Says after every so many requests how long they took. */
export class LatencyReport {
  readonly #name: string;
  readonly #every: number;
  readonly #say: (line: string) => void;
  #durations: number[] = [];

  /** @param every requests from one line to the next; 0 for none */
  constructor(name: string, every: number, say: (line: string) => void) {
    this.#name = name;
    this.#every = every;
    this.#say = say;
  }

  /** A request has taken `ms`. */
  add(ms: number): void {
    if (this.#every === 0) return;
    this.#durations.push(ms);
    if (this.#durations.length < this.#every) return;
    const sorted = Float64Array.from(this.#durations).sort();
    this.#durations = [];
    const average = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
    const [p99, p95, avg] = [percentile(sorted, 99), percentile(sorted, 95), average].map((one) =>
      one.toFixed(2),
    );
    this.#say(`[${this.#name}]: finished ${sorted.length} - 99th: ${p99}ms - 95th: ${p95}ms - avg: ${avg}ms`);
  }
}

function percentile(sorted: Float64Array, percent: number): number {
  const index = Math.ceil((percent / 100) * sorted.length + 0.5);
  return sorted[Math.min(index, sorted.length - 1)] ?? 0;
}
