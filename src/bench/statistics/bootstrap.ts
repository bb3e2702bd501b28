/** How sure a median is: what it would have been, had the same measurement come out a little differently. */
import { ascending, quantile } from './quantile.js';
import type { Random } from './random.js';

/** From, to. */
export type Interval = readonly [number, number];

/** A median and its percentile intervals. */
export interface Estimate {
  readonly median: number;
  /** 95 %. */
  readonly interval: Interval;
  /** 99 %. */
  readonly wide: Interval;
}

/** Enough for the ends of a 99 % interval: twenty draws lie beyond each. */
export const draws = 4000;

/** The median of values and, by bootstrap, how sure it is. @throws RangeError without values */
export function estimate(values: readonly number[], random: Random): Estimate {
  const sorted = ascending(values);
  return estimateOf(quantile(sorted, 0.5), medians(sorted, random));
}

/** From the value itself and what it came to in each draw. */
export function estimateOf(value: number, drawn: readonly number[]): Estimate {
  const sorted = ascending(drawn);
  const between = (share: number): Interval => [
    quantile(sorted, (1 - share) / 2),
    quantile(sorted, (1 + share) / 2),
  ];
  return { median: value, interval: between(0.95), wide: between(0.99) };
}

/**
 * The median of as many values, drawn with replacement, once for each draw. Only the middle of what would be drawn is: of
 * `count` places drawn evenly from 0 to 1 the one in the middle is distributed as Beta, and the next one as the smallest of
 * those that are left.
 */
export function medians(sorted: readonly number[], random: Random): number[] {
  const count = sorted.length;
  if (count === 0) throw new RangeError('no values have no median');
  const rank = Math.ceil(count / 2);
  const valueAt = (place: number): number =>
    sorted[Math.min(count - 1, Math.floor(place * count))] ?? Number.NaN;
  return Array.from({ length: draws }, () => {
    const place = random.beta(rank, count - rank + 1);
    if (count % 2 === 1) return valueAt(place);
    const next = 1 - (1 - place) * (1 - random.next()) ** (1 / (count - rank));
    return (valueAt(place) + valueAt(next)) / 2;
  });
}
