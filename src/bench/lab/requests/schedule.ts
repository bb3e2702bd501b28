/** When requests are to be sent, whatever becomes of those before them. */
import { Random } from '../../statistics/random.js';

/** Evenly spaced, or at random as from many independent users: then the gaps are distributed exponentially. */
export type Spacing = 'even' | 'poisson';

export const spacings: readonly Spacing[] = ['even', 'poisson'];

export interface ScheduleOptions {
  /** Requests a second, on average. */
  readonly rate: number;
  readonly seconds: number;
  readonly spacing: Spacing;
  readonly seed: number;
}

/**
 * Nanoseconds from the beginning, in order. The same options give the same times.
 * @throws RangeError for a rate or time that is not above zero
 */
export function intendedTimes({ rate, seconds, spacing, seed }: ScheduleOptions): Float64Array {
  if (!(rate > 0 && Number.isFinite(rate))) throw new RangeError(`${rate} requests a second`);
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new RangeError(`${seconds} seconds`);
  const gap = 1e9 / rate;
  const end = seconds * 1e9;
  if (spacing === 'even') {
    return Float64Array.from({ length: Math.max(1, Math.round(rate * seconds)) }, (_, index) => index * gap);
  }
  const random = new Random(seed, 'schedule');
  const times: number[] = [];
  for (let at = 0; at < end || times.length === 0; ) {
    times.push(at);
    at -= gap * Math.log(1 - random.next());
  }
  return Float64Array.from(times);
}
