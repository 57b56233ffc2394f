import { type Host, HostPool } from './host-pool.js';
import type { Choice, Now } from './selection.js';

/** Of go-hostpool: 120 buckets over five minutes; how often another than a fast one is tried. */
const BUCKETS = 120;
const BUCKET_MS = 300_000 / BUCKETS;
const FIRST_EPSILON = 0.3;
const EPSILON_DECAY = 0.9;
const MIN_EPSILON = 0.01;

/** Response times of one host: sums and counts of 2.5 s each, in a ring. */
class ResponseTimes {
  readonly #counts = new Float64Array(BUCKETS);
  readonly #sums = new Float64Array(BUCKETS);
  #newest = 0;

  add(ms: number): void {
    this.#counts[this.#newest]!++;
    this.#sums[this.#newest]! += ms;
  }

  /** Begins a bucket, in place of the oldest. */
  turn(): void {
    this.#newest = (this.#newest + 1) % BUCKETS;
    this.#counts[this.#newest] = 0;
    this.#sums[this.#newest] = 0;
  }

  /** A sum that grows with the response times, the newer the more; a bucket without any counts as the one before. */
  get weight(): number {
    let weight = 0;
    let last = 0;
    for (let age = 1; age <= BUCKETS; age++) {
      const bucket = (this.#newest + age) % BUCKETS;
      const count = this.#counts[bucket]!;
      if (count > 0) last = this.#sums[bucket]! / count;
      weight += (last * age) / BUCKETS;
    }
    return weight;
  }
}

/**
 * go-hostpool's epsilon-greedy pool: as {@link HostPool} for those that fail, and of the others the faster the more. A
 * part of the messages, 30 % at first and 1 % in the end, goes to each in turn, so that one that became fast is noticed.
 */
export class EpsilonGreedyPool<T> extends HostPool<T> {
  readonly #times: ReadonlyMap<Host<T>, ResponseTimes>;
  readonly #random: () => number;
  #epsilon = FIRST_EPSILON;
  #bucketEnd: number;

  /** @param random gives numbers from 0 to below 1 */
  constructor(targets: readonly T[], now: Now = () => performance.now(), random: () => number = Math.random) {
    super(targets, now);
    this.#random = random;
    this.#times = new Map(this.hosts.map((host) => [host, new ResponseTimes()]));
    this.#bucketEnd = now() + BUCKET_MS;
  }

  override next(): Choice<T> {
    this.#turnBuckets();
    return this.choice(this.#nextGreedy() ?? this.nextInTurn());
  }

  protected override choice(host: Host<T>): Choice<T> {
    const start = this.now();
    const { target, succeeded, failed } = super.choice(host);
    return {
      target,
      failed,
      succeeded: () => {
        succeeded();
        this.#times.get(host)?.add(this.now() - start);
      },
    };
  }

  /** One of those whose speed is known, at random, in proportion to it; undefined when it is time to explore. */
  #nextGreedy(): Host<T> | undefined {
    if (this.#random() < this.#epsilon) {
      this.#epsilon = Math.max(MIN_EPSILON, this.#epsilon * EPSILON_DECAY);
      return undefined;
    }
    const now = this.now();
    const known: { readonly host: Host<T>; readonly speed: number }[] = [];
    let total = 0;
    for (const [host, times] of this.#times) {
      const weight = host.canBeTried(now) ? times.weight : 0;
      if (weight === 0) continue;
      known.push({ host, speed: 1 / weight });
      total += 1 / weight;
    }
    let left = this.#random() * total;
    const found = known.find(({ speed }) => {
      left -= speed;
      return left < 0;
    })?.host;
    found?.chosen(now);
    return found;
  }

  #turnBuckets(): void {
    const passed = Math.floor((this.now() - this.#bucketEnd) / BUCKET_MS) + 1;
    if (passed <= 0) return;
    this.#bucketEnd += passed * BUCKET_MS;
    for (let turn = 0; turn < Math.min(passed, BUCKETS); turn++)
      for (const times of this.#times.values()) times.turn();
  }
}
