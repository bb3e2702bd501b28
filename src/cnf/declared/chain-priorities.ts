/** The priorities by which the members of a declared chain stand in its order. */
import { priorityRange } from '../order.js';

/** Between two members of a new chain, so that others fit in without moving them. */
const step = 10;
const { least, most } = priorityRange;

/**
 * One priority for each member, rising. Members that have one keep it where the order allows, so that as few as possible
 * are moved: as many as can stay do, with room for the rest between them.
 * @param present the priorities that members have, in the order that is wanted; undefined for those that are new
 */
export function chainPriorities(present: readonly (number | undefined)[]): number[] {
  const staying = mostStaying(present);
  const result: number[] = [];
  for (let index = 0; index < present.length; ) {
    if (staying.has(index)) {
      result.push(present[index] ?? 0);
      index++;
      continue;
    }
    const start = index;
    while (index < present.length && !staying.has(index)) index++;
    result.push(...between(result.at(-1), present[index], index - start));
  }
  return result;
}

/** So many numbers above `low` and below `high`, spread evenly: there is room for them. */
function between(low: number | undefined, high: number | undefined, count: number): number[] {
  const floor = low ?? least - 1;
  const isRoomy = high === undefined && floor + count * step <= most;
  const gap = isRoomy ? step : ((high ?? most + 1) - floor) / (count + 1);
  return Array.from({ length: count }, (_, index) => Math.floor(floor + (index + 1) * gap));
}

/**
 * The indices of most members that can keep what they have: rising, with a number left for each member between two of them,
 * before the first and behind the last. A chain has ten members at most.
 */
function mostStaying(values: readonly (number | undefined)[]): Set<number> {
  const runs: { readonly indices: readonly number[]; readonly last: number }[] = [];
  values.forEach((value, index) => {
    if (value === undefined || value - least < index || most - value < values.length - 1 - index) return;
    const longest = runs
      .filter(({ indices, last }) => value - last >= index - (indices.at(-1) ?? 0))
      .reduce<readonly number[]>((one, { indices }) => (indices.length > one.length ? indices : one), []);
    runs.push({ indices: [...longest, index], last: value });
  });
  return new Set(
    runs.reduce<readonly number[]>((one, { indices }) => (indices.length > one.length ? indices : one), []),
  );
}
