/** What is measured of a rung, and the group that follows from the same samples. */
import type { BenchDocument, BenchGroup, BenchMetric } from '../../document.js';
import { median } from '../../statistics/quantile.js';
import { share } from '../side-metrics.js';

const rate: BenchMetric = {
  name: 'rate',
  title: 'Packets dropped',
  unit: 'packets/s',
  better: 'higher',
  isMain: true,
};

const cost: BenchMetric = {
  name: 'cost',
  title: "The receiver's CPU time for a packet",
  unit: 'ns',
  better: 'lower',
  isMain: true,
};

export const metrics: readonly BenchMetric[] = [
  rate,
  share(
    'cpu.napi',
    "The receiver's CPU: taking packets off the wire, and all that the kernel does with them",
  ),
  share('cpu.reader', "The receiver's CPU: the program that reads"),
  share('queue', 'Packets for which the receiver had no room'),
  { name: 'offered', title: 'Packets made', unit: 'packets/s', better: 'neither', isMain: false },
];

/** Checks without which a rate means nothing: the sender set the pace, or others took a CPU. */
const ofTheRate: ReadonlySet<string> = new Set(['generator', 'receiver', 'sender']);

/** What the generator sets the pace of is no result as a rate: what a packet costs is one all the same. */
export function costGroup({ axis, variants }: BenchGroup): BenchGroup {
  return {
    name: 'cost',
    title: "How much of the receiver's CPU does a packet take?",
    axis,
    metrics: [cost],
    variants: variants.map((variant) => ({
      ...variant,
      checks: variant.checks.filter(({ name }) => !ofTheRate.has(name)),
      samples: variant.samples.map((sample) => ({
        ...sample,
        values: only(sample.values, [cost]),
        checks: sample.checks.filter(({ name }) => !ofTheRate.has(name)),
      })),
    })),
  };
}

/** The group that was measured, without what belongs to the other. */
export function rateGroup(group: BenchGroup): BenchGroup {
  return {
    ...group,
    variants: group.variants.map((variant) => ({
      ...variant,
      samples: variant.samples.map((sample) => ({ ...sample, values: only(sample.values, metrics) })),
    })),
  };
}

/** The most that the sender made at any rung: where the receiver has no room, nothing holds the sender up. */
export function senderLimit(groups: readonly BenchGroup[]): BenchDocument['limits'] {
  const rates = groups
    .flatMap(({ variants }) => variants)
    .filter(({ samples }) => samples.length > 0)
    .map(({ title, samples }) => ({
      title,
      value: median(samples.map(({ values }) => values['offered'] ?? 0)),
    }))
    .sort((one, other) => other.value - one.value);
  const [most] = rates;
  if (most === undefined) return [];
  return [
    {
      name: 'sender',
      title: 'Packets that the sender makes',
      value: most.value,
      unit: 'packets/s',
      detail: `XDP live frames, in the median; the most of any rung, at «${most.title}»`,
    },
  ];
}

function only(
  values: Readonly<Record<string, number>>,
  wanted: readonly BenchMetric[],
): Record<string, number> {
  return Object.fromEntries(wanted.map(({ name }) => [name, values[name] ?? 0]));
}
