/** Of numbers, which need not be in order. */

/** From the smallest to the largest, in a new list. */
export function ascending(values: readonly number[]): number[] {
  return [...values].sort((one, other) => one - other);
}

/**
 * The value below which a share of the sorted values lies, between two of them in proportion (type 7 of Hyndman and
 * Fan, as in R and NumPy).
 * @throws RangeError without values
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * Math.min(Math.max(share, 0), 1);
  const below = Math.floor(at);
  const low = sorted[below];
  if (low === undefined) throw new RangeError('no values have no quantile');
  const high = sorted[below + 1] ?? low;
  return low === high ? low : low + (high - low) * (at - below);
}

/** The middle one, or the mean of the two. @throws RangeError without values */
export function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5);
}

/** The mean of the sorted values between the quartiles: what hits a few does not count. */
export function middleMean(sorted: readonly number[]): number {
  const out = Math.floor(sorted.length / 4);
  const middle = sorted.slice(out, sorted.length - out);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** How far the values lie from their median, in the middle of them. @throws RangeError without values */
export function medianDeviation(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/** What makes the median deviation of normal values their standard deviation. */
const normalFactor = 1.4826;
const farDeviations = 5;

/**
 * Which values lie so far from the median that something else must have happened: more than five standard deviations,
 * which are judged by the median deviation. None when half of the values are the same.
 */
export function outliers(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const middle = median(values);
  const deviation = medianDeviation(values);
  if (deviation === 0) return [];
  const limit = farDeviations * normalFactor * deviation;
  return values.flatMap((value, index) => (Math.abs(value - middle) > limit ? [index] : []));
}
