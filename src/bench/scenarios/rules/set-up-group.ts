/** How long making the rules took: a group of its own, since it is measured when they are made and not in each block. */
import type { BenchGroup, BenchMetric } from '../../document.js';

const setUp: BenchMetric = {
  name: 'setup',
  title: 'Set-up time',
  unit: 's',
  better: 'lower',
  isMain: true,
};

/** Of one set-up. */
export interface SetUpTime {
  /** Seconds since the benchmark began. */
  readonly at: number;
  readonly seconds: number;
}

/**
 * @param group with what was measured of the same variants
 * @param times of each rung, by its name: a list for each time that it was set up to stay, of which the reference's second is the control's
 */
export function setUpGroup(
  { axis, variants }: BenchGroup,
  times: ReadonlyMap<string, readonly (readonly SetUpTime[])[]>,
): BenchGroup {
  return {
    name: 'setup',
    title: 'How long does it take to set up?',
    axis,
    metrics: [setUp],
    variants: variants.map((variant) => {
      const isControl = variant.role === 'control';
      const of = isControl ? variant.name.replace(/ again$/, '') : variant.name;
      const timed = times.get(of)?.[isControl ? 1 : 0] ?? [];
      return {
        ...variant,
        // One that drops too much, or nothing, was not set up. Who sets the pace has no part in it.
        checks: variant.checks.filter(({ name }) => name !== 'generator'),
        samples: timed.map(({ at, seconds }, block) => ({
          block,
          at,
          seconds,
          values: { [setUp.name]: seconds },
          checks: [],
        })),
        histograms: [],
      };
    }),
  };
}
