/** Messages `from` up to before `to`. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** Whether one of these ranges, which are in order, holds message `n`. */
export function holdsNumber(ranges: readonly NumberRange[], n: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.to <= n) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low]!.from <= n;
}
