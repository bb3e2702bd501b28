/** What is measured of a command, and the groups that a command and the one that undoes it are shown in. */
import type { CommandCosts } from '../../../host/measured-command.js';
import type { BenchGroup, BenchMetric } from '../../document.js';
import { median } from '../../statistics/quantile.js';
import type { Task } from './ways.js';

const metrics: readonly BenchMetric[] = [
  { name: 'time', title: 'Time from start to end', unit: 'ns', better: 'lower', isMain: true },
  { name: 'cpu', title: 'CPU time, user and system', unit: 'ns', better: 'lower', isMain: false },
  { name: 'memory', title: 'Peak memory', unit: 'bytes', better: 'lower', isMain: false },
];

/** Of the command that takes away what the first made. */
const undoPrefix = 'undo.';

/** Of a task as it is measured. */
export function metricsOf({ undo }: Task): readonly BenchMetric[] {
  if (undo === undefined) return metrics;
  return [...metrics, ...metrics.map((metric) => ({ ...metric, name: `${undoPrefix}${metric.name}` }))];
}

/** Of the rounds of a slice, the middle one; of memory the most. */
export function valuesOf(
  act: readonly CommandCosts[],
  undo: readonly CommandCosts[],
): Record<string, number> {
  return { ...middle(act, ''), ...(undo.length === 0 ? {} : middle(undo, undoPrefix)) };
}

function middle(costs: readonly CommandCosts[], prefix: string): Record<string, number> {
  const of = (value: (cost: CommandCosts) => number): number => median(costs.map(value));
  return {
    [`${prefix}time`]: of(({ seconds }) => seconds * 1e9),
    [`${prefix}cpu`]: of(({ busySeconds }) => busySeconds * 1e9),
    // A look may come too early, and never sees too much.
    [`${prefix}memory`]: Math.max(...costs.map(({ peakBytes }) => peakBytes)),
  };
}

/** The group that was measured, and where something was undone one more. */
export function cliGroups(group: BenchGroup, { undo, ways }: Task): BenchGroup[] {
  const own = part(group, group, '');
  if (undo === undefined) return [own];
  const undone = part(group, undo, undoPrefix);
  const variants = undone.variants.map((variant) => {
    const way = ways.find(({ name }) => name === variant.name || `${name} again` === variant.name);
    return { ...variant, title: variant.title.replace(way?.title ?? '', way?.undoTitle ?? '') };
  });
  return [own, { ...undone, variants }];
}

function part(group: BenchGroup, texts: Pick<BenchGroup, 'name' | 'title'>, prefix: string): BenchGroup {
  return {
    ...group,
    name: texts.name,
    title: texts.title,
    metrics: [...metrics],
    variants: group.variants.map((variant) => ({
      ...variant,
      samples: variant.samples.map((sample) => ({
        ...sample,
        values: Object.fromEntries(
          metrics.map(({ name }) => [name, sample.values[`${prefix}${name}`] ?? Number.NaN]),
        ),
      })),
    })),
  };
}
