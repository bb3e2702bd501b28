/**
 * Many values in little room, such as every round-trip time: buckets of equal width below `2^bits` steps, above that `2^bits`
 * in each doubling. A value of at least one step is off by less than one part in `2^bits`.
 */

/** From (included), to (excluded), how many. */
export type Bucket = readonly [from: number, to: number, count: number];

export interface HistogramOptions {
  /** Buckets in each doubling, as a power of two: 7 gives errors below 0.8 %. 1 to 20. */
  readonly bits?: number;
  /** The width of the smallest buckets, in the unit of the values. 1 when left out. */
  readonly step?: number;
}

export class Histogram {
  readonly bits: number;
  readonly step: number;
  readonly #counts = new Map<number, number>();
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @throws RangeError for options that are out of range */
  constructor({ bits = 7, step = 1 }: HistogramOptions = {}) {
    if (!Number.isInteger(bits) || bits < 1 || bits > 20) throw new RangeError(`${bits} bits`);
    if (!Number.isFinite(step) || step <= 0) throw new RangeError(`a step of ${step}`);
    this.bits = bits;
    this.step = step;
  }

  /** How many values there are. */
  get count(): number {
    return this.#count;
  }

  /** The smallest value; infinite without one. */
  get min(): number {
    return this.#min;
  }

  /** The greatest value; minus infinite without one. */
  get max(): number {
    return this.#max;
  }

  /** @throws RangeError for a value that is negative or not finite */
  record(value: number, times = 1): void {
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`${value} has no bucket`);
    if (times <= 0) return;
    const index = this.#indexOf(value);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + times);
    this.#count += times;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  /** Adds all values of another one. @throws RangeError when its buckets are others */
  merge(other: Histogram): void {
    if (other.bits !== this.bits || other.step !== this.step)
      throw new RangeError('the buckets of the two histograms are not the same');
    for (const [index, times] of other.#counts) {
      this.#counts.set(index, (this.#counts.get(index) ?? 0) + times);
    }
    this.#count += other.#count;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The buckets that hold something, in order. */
  buckets(): Bucket[] {
    return [...this.#counts]
      .sort(([one], [other]) => one - other)
      .map(([index, times]) => [this.#start(index), this.#start(index + 1), times]);
  }

  /** @see percentileOf; never below the smallest or above the greatest value */
  percentile(percentile: number): number | undefined {
    const value = percentileOf(this.buckets(), percentile);
    return value === undefined ? undefined : Math.min(Math.max(value, this.#min), this.#max);
  }

  #indexOf(value: number): number {
    const size = 2 ** this.bits;
    const steps = value / this.step;
    if (steps < size) return Math.floor(steps);
    let doubling = Math.floor(Math.log2(steps)) - this.bits;
    // The logarithm of a number just below a power of two is rounded up to it.
    if (steps < 2 ** (doubling + this.bits)) doubling--;
    else if (steps >= 2 ** (doubling + this.bits + 1)) doubling++;
    return size * doubling + Math.floor(steps / 2 ** doubling);
  }

  /** Where a bucket begins. */
  #start(index: number): number {
    const size = 2 ** this.bits;
    if (index < size) return index * this.step;
    const doubling = Math.floor(index / size) - 1;
    return (index - size * doubling) * 2 ** doubling * this.step;
  }
}

/** Percentiles that are shown, when there are values enough. */
export const shownPercentiles: readonly number[] = [50, 75, 90, 95, 99, 99.9, 99.99, 99.999];

/** A percentile with fewer values beyond it is the story of those few. */
const fewestBeyond = 10;

/** Those of `shownPercentiles` that at least ten values lie beyond. */
export function percentilesOf(
  buckets: readonly Bucket[],
): { readonly percentile: number; readonly value: number }[] {
  const count = countOf(buckets);
  return shownPercentiles.flatMap((percentile) => {
    // A hair less than ten is what 100 − 99.9 leaves of it.
    if (count * (100 - percentile) < fewestBeyond * 100 - 1e-6) return [];
    const value = percentileOf(buckets, percentile);
    return value === undefined ? [] : [{ percentile, value }];
  });
}

/**
 * The value that so many per cent of the values do not exceed, by rank, placed in its bucket in proportion; undefined without
 * values. Buckets are in order and do not overlap.
 */
export function percentileOf(buckets: readonly Bucket[], percentile: number): number | undefined {
  const rank = Math.max(1, Math.ceil((countOf(buckets) * Math.min(percentile, 100)) / 100 - 1e-9));
  let before = 0;
  for (const [from, to, times] of buckets) {
    if (before + times >= rank) return from + ((to - from) * (rank - before - 0.5)) / times;
    before += times;
  }
  return undefined;
}

function countOf(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, [, , times]) => sum + times, 0);
}
