/** What each further function adds: the slope of the cost over the number of functions, block by block. */
import { isValid } from '../../analysis.js';
import type { BenchCheck, BenchGroup, BenchMetric, BenchSample, BenchVariant } from '../../document.js';

const step: BenchMetric = {
  name: 'step',
  title: "The receiver's CPU time for a further function",
  unit: 'ns',
  better: 'lower',
  isMain: true,
};

/** Names of what is set up once more end so. */
export function isAgain({ name }: Pick<BenchVariant, 'name'>): boolean {
  return name.endsWith(' again');
}

/** The group without what only the slope of the control needs. */
export function withoutTwice(group: BenchGroup): BenchGroup {
  return {
    ...group,
    variants: group.variants.filter((variant) => !isAgain(variant) || variant.role === 'control'),
  };
}

/**
 * A variant for each curve of `cost`, and for its points that were set up once more, which are the control.
 * @returns undefined where no curve has two points, or none of them is the reference's
 */
export function stepGroup(cost: BenchGroup): BenchGroup | undefined {
  const reference = cost.variants.find(({ role }) => role === 'reference')?.series;
  const names = [...new Set(cost.variants.map(({ series }) => series))];
  const variants = names.flatMap((series) => {
    if (series === null) return [];
    const ofCurve = cost.variants.filter((variant) => variant.series === series);
    const role = series === reference ? 'reference' : 'variant';
    const again = ofCurve.filter(isAgain);
    return [
      ...slopeOf(
        series,
        role,
        ofCurve.filter((each) => !isAgain(each)),
      ),
      ...slopeOf(`${series} again`, 'control', again),
    ];
  });
  if (!variants.some(({ role }) => role === 'reference')) return undefined;
  return {
    name: 'step',
    title: 'What does each further function cost?',
    axis: null,
    metrics: [step],
    variants,
  };
}

/** Nothing where there is less than a line. */
function slopeOf(name: string, role: BenchVariant['role'], points: readonly BenchVariant[]): BenchVariant[] {
  if (new Set(points.map(({ x }) => x)).size < 2) return [];
  const valid = points.filter(isValid);
  const places = valid.map(({ x }) => x ?? 0).sort((one, other) => one - other);
  const enough = new Set(places).size >= 2;
  const check: BenchCheck = {
    name: 'points',
    ok: enough,
    detail: `${valid.length} of ${points.length} numbers of functions were measured`,
  };
  return [
    {
      name,
      title: role === 'control' ? `${name.replace(/ again$/, '')} (again)` : name,
      description: `the slope of a straight line, by least squares, through the cost of a packet with ${places.join(', ')} functions, in each block`,
      role,
      series: null,
      x: null,
      checks: [check],
      samples: enough ? slopes(valid) : [],
      histograms: [],
    },
  ];
}

/** One of each block in which all points count. */
function slopes(points: readonly BenchVariant[]): BenchSample[] {
  const blocks = new Map<number, { readonly x: number; readonly sample: BenchSample }[]>();
  for (const { x, samples } of points) {
    for (const sample of samples) {
      if (sample.checks.some(({ ok }) => !ok)) continue;
      blocks.set(sample.block, [...(blocks.get(sample.block) ?? []), { x: x ?? 0, sample }]);
    }
  }
  return [...blocks].flatMap(([block, found]) => {
    if (found.length < points.length) return [];
    const line = found.map(({ x, sample }) => [x, sample.values['cost'] ?? Number.NaN] as const);
    return [
      {
        block,
        at: Math.min(...found.map(({ sample }) => sample.at)),
        seconds: found.reduce((sum, { sample }) => sum + sample.seconds, 0),
        values: { step: slope(line) },
        checks: [],
      },
    ];
  });
}

/** Of a straight line through points, by least squares. At least two of them have different places. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))] as const;
  const along = points.reduce((sum, [x, y]) => sum + (x - middle[0]) * (y - middle[1]), 0);
  return along / points.reduce((sum, [x]) => sum + (x - middle[0]) ** 2, 0);
}
