/** What a difference is worth: whether it is one, beyond what measuring the same thing twice gives. */
import type { Interval } from './bootstrap.js';

/** Which way is better. */
export type Better = 'higher' | 'lower' | 'neither';

/** Differences of less are never claimed: a ratio of 1.01 and its inverse. */
export const leastNoise = 1.01;

/** Fewer blocks say nothing. */
export const fewestBlocks = 8;

/**
 * The ratios that are noise: as far as the interval of the control reaches from 1 on either side, and at least 1 %. It is
 * symmetric in the logarithm: half as much is as far as twice as much. Undefined when the interval reaches down to nothing.
 */
export function noiseBand(control: Interval): Interval | undefined {
  const reach = Math.max(...control.map(distance), Math.log(leastNoise));
  return Number.isFinite(Math.exp(reach)) ? bandOf(reach) : undefined;
}

/** The noise of two runs together: what each may be off by chance adds up as independent errors do. */
export function jointBand(one: Interval, other: Interval): Interval {
  return bandOf(Math.hypot(distance(one[1]), distance(other[1])));
}

/** `faster` or `slower` only when the whole interval lies outside of the band. Without a better direction, more is `faster`. */
export function verdictOf(
  ratio: Interval,
  band: Interval,
  better: Better,
): 'faster' | 'slower' | 'within noise' {
  const more = ratio[0] > band[1];
  const less = ratio[1] < band[0];
  if (!more && !less) return 'within noise';
  return more === (better === 'lower') ? 'slower' : 'faster';
}

/** Whether a figure is nothing in every block, such as packets lost: there is no ratio to it. */
export function isNothing(values: readonly number[]): boolean {
  return values.length >= fewestBlocks && values.every((value) => value === 0);
}

/**
 * Of what is compared with nothing: the same when it never is anything, and more when it is something in so many blocks that
 * chance would put them all among its own less than once in a hundred times (Fisher's exact test).
 * @param nothings blocks of what it is compared with
 */
export function verdictBesideNothing(
  values: readonly number[],
  nothings: number,
  better: Better,
): 'faster' | 'slower' | 'within noise' | 'not enough data' {
  if (isNothing(values)) return 'within noise';
  const some = values.filter((value) => value > 0).length;
  let chance = 1;
  for (let each = 0; each < some; each++)
    chance *= (values.length - each) / (values.length + nothings - each);
  if (values.length < fewestBlocks || chance > 0.01) return 'not enough data';
  return better === 'lower' ? 'slower' : 'faster';
}

function bandOf(reach: number): Interval {
  return [Math.exp(-reach), Math.exp(reach)];
}

/** How far a ratio lies from 1; endlessly far when it is nothing or no number. */
function distance(ratio: number): number {
  return ratio > 0 ? Math.abs(Math.log(ratio)) : Number.POSITIVE_INFINITY;
}
