/** What each probe adds to an operation: the time with it less the time without, of the same block. */
import { blockValues } from '../../analysis.js';
import type { BenchGroup, BenchMetric, BenchSample, BenchVariant } from '../../document.js';
import { clockPeriod, type Hook } from './hooks.js';

export const timeMetric: BenchMetric = {
  name: 'time',
  title: 'Time of an operation',
  unit: 'ns',
  better: 'lower',
  isMain: true,
};

const addedMetric: BenchMetric = {
  name: 'added',
  title: 'Time that it adds',
  unit: 'ns',
  better: 'lower',
  isMain: true,
};

/** A group that was measured, and what of it is compared. */
export interface Added {
  readonly group: string;
  readonly title: string;
  /** The names of those that the others are compared with. */
  readonly reference: string;
  readonly control: string;
  readonly hookOf: (variant: string) => Hook | undefined;
}

/** One more group for each of those measured, in front of them. */
export function withAdded(groups: readonly BenchGroup[], wanted: readonly Added[]): BenchGroup[] {
  const more = wanted.flatMap((added) => {
    const group = groups.find(({ name }) => name === added.group);
    return group === undefined ? [] : [addedGroup(group, added)];
  });
  return [...more, ...groups];
}

function addedGroup(group: BenchGroup, added: Added): BenchGroup {
  const reference = group.variants.find(({ role }) => role === 'reference');
  const bare = reference === undefined ? new Map() : blockValues(reference, timeMetric.name);
  return {
    name: `added-${group.name}`,
    title: added.title,
    axis: null,
    metrics: [addedMetric],
    variants: group.variants.flatMap((variant) => {
      const hook = added.hookOf(variant.name);
      return hook === undefined ? [] : [addedOf(variant, roleOf(variant.name, added), hook, bare)];
    }),
  };
}

function roleOf(name: string, { reference, control }: Added): BenchVariant['role'] {
  if (name === reference) return 'reference';
  return name === control ? 'control' : 'variant';
}

function addedOf(
  variant: BenchVariant,
  role: BenchVariant['role'],
  { runs }: Hook,
  bare: ReadonlyMap<number, number>,
): BenchVariant {
  const samples = variant.samples.flatMap((sample): BenchSample[] => {
    const [time, without] = [sample.values[timeMetric.name], bare.get(sample.block)];
    if (time === undefined || without === undefined) return [];
    const difference = time - without;
    // By the clock a run comes whatever is done: its share of the time is what it costs.
    const added = runs === 'by the clock' ? (difference / time) * clockPeriod : difference;
    return [{ ...sample, values: { [addedMetric.name]: Math.max(0, added) } }];
  });
  return { ...variant, role, samples };
}
