/** Equal steps in which each power of two is counted. */
const STEPS_BITS = 7;
const STEPS = 2 ** STEPS_BITS;
/** A float64's upper half: sign, 11 bits of exponent, 20 of mantissa. */
const EXPONENT_SHIFT = 20;
const EXPONENT_BIAS = 1023;
const STEP_SHIFT = EXPONENT_SHIFT - STEPS_BITS;

const float = new DataView(new ArrayBuffer(8));

/**
 * Counts values from 0 on by their size, in steps that grow with it (as HdrHistogram's do): a quantile is within 0.4 %
 * of the value that has its rank, and the least and the largest value are exact. A step is found from the bits of the
 * number; only powers of two that values fell into take memory, 1 KiB each.
 */
export class Histogram {
  readonly #powers: (Float64Array | undefined)[] = [];
  #count = 0;
  #least = Number.POSITIVE_INFINITY;
  #largest = 0;

  get count(): number {
    return this.#count;
  }

  add(value: number, times: number): void {
    if (value < this.#least) this.#least = value;
    if (value > this.#largest) this.#largest = value;
    this.#count += times;
    float.setFloat64(0, value < 1 ? 1 : value);
    const bits = float.getUint32(0);
    const steps = this.#stepsOf((bits >>> EXPONENT_SHIFT) - EXPONENT_BIAS);
    steps[(bits >>> STEP_SHIFT) & (STEPS - 1)]! += times;
  }

  addAll(other: Histogram): void {
    this.#least = Math.min(this.#least, other.#least);
    this.#largest = Math.max(this.#largest, other.#largest);
    this.#count += other.#count;
    for (const [power, steps] of other.#powers.entries()) {
      if (!steps) continue;
      const own = this.#stepsOf(power);
      for (let step = 0; step < STEPS; step++) own[step]! += steps[step]!;
    }
  }

  clear(): void {
    this.#powers.length = 0;
    this.#count = 0;
    this.#least = Number.POSITIVE_INFINITY;
    this.#largest = 0;
  }

  /** The value that the given part of all values, above 0 and up to 1, is not larger than; 0 if there is none. */
  quantile(part: number): number {
    if (this.#count === 0) return 0;
    // 0.07 * 100 is a little more than 7: that is no reason to take the eighth.
    let rank = Math.max(1, Math.ceil(part * this.#count * (1 - 2 * Number.EPSILON)));
    if (rank === this.#count) return this.#largest;
    for (let power = 0; power < this.#powers.length; power++) {
      const steps = this.#powers[power];
      if (!steps) continue;
      for (let step = 0; step < STEPS; step++) {
        rank -= steps[step]!;
        if (rank > 0) continue;
        const middle = 2 ** power * (1 + (step + 0.5) / STEPS);
        return Math.min(Math.max(middle, this.#least), this.#largest);
      }
    }
    return this.#largest;
  }

  #stepsOf(power: number): Float64Array {
    const steps = this.#powers[power];
    if (steps) return steps;
    while (this.#powers.length < power) this.#powers.push(undefined);
    this.#powers[power] = new Float64Array(STEPS);
    return this.#powers[power];
  }
}
