/** What is measured of a way to replace a program, and the two groups that it is shown in. */
import type { BenchGroup, BenchMetric } from '../../document.js';

const time: readonly BenchMetric[] = [
  { name: 'time', title: 'Time of a replacement', unit: 'ns', better: 'lower', isMain: true },
  { name: 'replacements', title: 'Replacements', unit: '', better: 'neither', isMain: false },
  {
    name: 'rate',
    title: 'Packets that got through meanwhile',
    unit: 'packets/s',
    better: 'neither',
    isMain: false,
  },
];

const packets: readonly BenchMetric[] = [
  {
    name: 'lost',
    title: 'Packets lost for a replacement',
    unit: 'packets',
    better: 'lower',
    isMain: true,
  },
  {
    name: 'misjudged',
    title: 'Packets that met neither or both, for a replacement',
    unit: 'packets',
    better: 'lower',
    isMain: true,
  },
];

export const metrics: readonly BenchMetric[] = [...packets, ...time];

/** The group that was measured, as one of packets and one of times. */
export function upgradeGroups(group: BenchGroup): BenchGroup[] {
  return [
    part(group, 'packets', 'What becomes of packets while a program is replaced?', packets),
    part(group, 'time', 'How long does it take to replace a program?', time),
  ];
}

function part(group: BenchGroup, name: string, title: string, wanted: readonly BenchMetric[]): BenchGroup {
  const isWanted = (metric: string): boolean => wanted.some((each) => each.name === metric);
  return {
    ...group,
    name,
    title,
    metrics: [...wanted],
    variants: group.variants.map((variant) => ({
      ...variant,
      samples: variant.samples.map((sample) => ({
        ...sample,
        values: Object.fromEntries(Object.entries(sample.values).filter(([metric]) => isWanted(metric))),
      })),
      histograms: variant.histograms.filter(({ metric }) => isWanted(metric)),
    })),
  };
}
