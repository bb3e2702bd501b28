/** What is measured of a round trip, and how the groups of the document are made of it. */
import type { BenchGroup, BenchMetric, BenchVariant } from '../../document.js';
import { lag, share } from '../side-metrics.js';

const latency: BenchMetric = {
  name: 'latency',
  title: 'Round trip',
  unit: 'ns',
  better: 'lower',
  isMain: true,
};

/** Of the curves alone: the parts of it are in the other groups. */
const busy: BenchMetric = {
  name: 'busy',
  title: "The receiver's CPU in use",
  unit: 'share',
  better: 'lower',
  isMain: false,
};

/** Of the groups that are measured: one for each load. */
export const metrics: readonly BenchMetric[] = [
  latency,
  lag,
  share('cpu.napi', "The receiver's CPU: taking packets off the wire, up to the socket"),
  share('cpu.server', "The receiver's CPU: the server, and its answers' way back to the client"),
];

const ofCurves: readonly BenchMetric[] = [latency, busy];

function part(
  values: Readonly<Record<string, number>>,
  wanted: readonly BenchMetric[],
): Record<string, number> {
  return Object.fromEntries(wanted.map(({ name }) => [name, values[name] ?? 0]));
}

/** The group that was measured, without what belongs to the curves. */
export function loadGroup(group: BenchGroup): BenchGroup {
  const variants = group.variants.map((variant) => ({
    ...variant,
    samples: variant.samples.map((sample) => ({ ...sample, values: part(sample.values, metrics) })),
  }));
  return { ...group, variants };
}

/** All loads together, as curves: the same samples once more, since a ratio compares what had the same load. */
export function curvesOf(groups: readonly BenchGroup[]): BenchGroup {
  const names = new Set(ofCurves.map(({ name }) => name));
  const variants = groups.flatMap(({ variants: ofLoad }, index) =>
    ofLoad.flatMap((variant): BenchVariant[] => {
      // Of the references the first alone is one here, with its control.
      if (index > 0 && variant.role === 'control') return [];
      return [
        {
          ...variant,
          role: index > 0 ? 'variant' : variant.role,
          samples: variant.samples.map((sample) => ({ ...sample, values: part(sample.values, ofCurves) })),
          histograms: variant.histograms.filter(({ metric }) => names.has(metric)),
        },
      ];
    }),
  );
  return {
    name: 'latency',
    title: 'How does a round trip grow with the load?',
    axis: { title: 'Load', unit: 'share', scale: 'linear' },
    metrics: [...ofCurves],
    variants,
  };
}
