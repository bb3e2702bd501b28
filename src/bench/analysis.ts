/** What samples come to: medians and how sure they are, what is noise, and verdicts. The same samples and seed give the same. */
import type {
  BenchDocument,
  BenchGroup,
  BenchMetric,
  BenchNoise,
  BenchResult,
  BenchVariant,
  Measured,
} from './document.js';
import { type Estimate, estimate, type Interval } from './statistics/bootstrap.js';
import { percentilesOf } from './statistics/histogram.js';
import { median, outliers } from './statistics/quantile.js';
import { Random } from './statistics/random.js';
import { fewestBlocks, isNothing, noiseBand, verdictBesideNothing, verdictOf } from './statistics/verdict.js';
import { summarise } from './summary.js';

/** The whole document: what was measured, and what it comes to. */
export function analyse(measured: Measured): BenchDocument {
  const parts = measured.groups.flatMap((group) =>
    group.metrics.map((metric) => analyseMetric(group, metric, measured.seed)),
  );
  const noise = parts.flatMap((part) => part.noise);
  const results = parts.flatMap((part) => part.results);
  const { notes, ...others } = measured;
  return { ...others, noise, results, summary: summarise(measured, noise, results), notes };
}

/** What a variant came to in each block that counts, by block; of several samples in a block their median. */
export type BlockValues = ReadonlyMap<number, number>;

/** The values of samples that nothing is wrong with; none of a variant that is invalid. */
export function blockValues(variant: BenchVariant, metric: string): BlockValues {
  const found = new Map<number, number[]>();
  if (!isValid(variant)) return new Map();
  for (const { block, values, checks } of variant.samples) {
    const value = values[metric];
    if (value === undefined || !Number.isFinite(value) || checks.some(({ ok }) => !ok)) continue;
    found.set(block, [...(found.get(block) ?? []), value]);
  }
  return new Map([...found].map(([block, values]) => [block, median(values)]));
}

/** The ratio to the reference in each block that has both. */
export function blockRatios(values: BlockValues, reference: BlockValues): number[] {
  return [...values].flatMap(([block, value]) => {
    const ratio = value / (reference.get(block) ?? 0);
    return Number.isFinite(ratio) && ratio >= 0 ? [ratio] : [];
  });
}

/** Whether everything holds that was checked of a variant. */
export function isValid({ checks }: BenchVariant): boolean {
  return checks.every(({ ok }) => ok);
}

interface Compared {
  readonly variant: BenchVariant;
  readonly values: BlockValues;
  readonly ratio: Estimate | undefined;
  /** Where reference and control are nothing in every block, so many of these: what is something is more. */
  readonly nothings: number | undefined;
}

function analyseMetric(
  group: BenchGroup,
  metric: BenchMetric,
  seed: number,
): { readonly noise: BenchNoise[]; readonly results: BenchResult[] } {
  const reference = group.variants.find(({ role }) => role === 'reference');
  const ofReference = reference === undefined ? new Map() : blockValues(reference, metric.name);
  const noRatio = isNothing([...ofReference.values()]);
  const again = group.variants.find(({ role }) => role === 'control');
  const ofControl = again === undefined ? [] : [...blockValues(again, metric.name).values()];
  const nothings = noRatio && isNothing(ofControl) ? ofReference.size + ofControl.length : undefined;
  const randomFor = (variant: BenchVariant, what: string): Random =>
    new Random(seed, [group.name, variant.name, metric.name, what].join('\n'));
  const compared = group.variants.map((variant): Compared => {
    const values = blockValues(variant, metric.name);
    const ratios = variant === reference || noRatio ? [] : blockRatios(values, ofReference);
    const enough = ratios.length >= fewestBlocks;
    const ratio = enough ? estimate(ratios, randomFor(variant, 'ratio')) : undefined;
    return { variant, values, ratio, nothings };
  });
  const control = compared.find(({ variant }) => variant.role === 'control')?.ratio;
  const band = control === undefined ? undefined : noiseBand(control.wide);
  return {
    noise: band === undefined ? [] : [{ group: group.name, metric: metric.name, band: pair(band) }],
    results: compared.map((each) => resultOf(group, metric, each, band, randomFor(each.variant, 'median'))),
  };
}

function resultOf(
  group: BenchGroup,
  metric: BenchMetric,
  compared: Compared,
  band: Interval | undefined,
  random: Random,
): BenchResult {
  const { variant, values, ratio } = compared;
  const list = [...values.values()];
  const blocks = [...values.keys()];
  const own = list.length === 0 ? undefined : estimate(list, random);
  const buckets = variant.histograms.find((histogram) => histogram.metric === metric.name)?.buckets ?? [];
  return {
    group: group.name,
    variant: variant.name,
    metric: metric.name,
    count: list.length,
    median: own?.median ?? null,
    interval: own === undefined ? null : pair(own.interval),
    ratio:
      ratio === undefined
        ? null
        : { median: ratio.median, interval: pair(ratio.interval), wide: pair(ratio.wide) },
    verdict: judge(metric, compared, list, band),
    outliers: outliers(list).flatMap((index) => blocks[index] ?? []),
    percentiles: isValid(variant) ? percentilesOf(buckets) : [],
  };
}

function judge(
  metric: BenchMetric,
  { variant, ratio, nothings }: Compared,
  values: readonly number[],
  band: Interval | undefined,
): BenchResult['verdict'] {
  if (!isValid(variant)) return 'invalid';
  if (values.length < fewestBlocks) return 'not enough data';
  if (variant.role === 'reference') return 'reference';
  if (nothings !== undefined) return verdictBesideNothing(values, nothings, metric.better);
  if (ratio === undefined || band === undefined) return 'not enough data';
  return verdictOf(ratio.wide, band, metric.better);
}

function pair([from, to]: Interval): [number, number] {
  return [from, to];
}
