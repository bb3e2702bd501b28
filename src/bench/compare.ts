/** Two runs of a benchmark: what became faster or slower from one to the other, beyond the noise of both. */
import { analyse, type BlockValues, blockRatios, blockValues, isValid } from './analysis.js';
import type { BenchDocument, BenchGroup, BenchMetric, BenchVariant } from './document.js';
import { inSentence } from './quantity.js';
import { differences } from './run-differences.js';
import { type Estimate, estimateOf, type Interval, medians } from './statistics/bootstrap.js';
import { ascending, median, quantile } from './statistics/quantile.js';
import { Random } from './statistics/random.js';
import { fewestBlocks, isNothing, jointBand, verdictBesideNothing, verdictOf } from './statistics/verdict.js';

/** What is compared: the ratio to the reference, the ratio to all others, or the value itself. */
export type Basis = 'ratio' | 'others' | 'value';

/** What became of a metric of a variant. */
export interface Change {
  readonly group: string;
  readonly variant: string;
  readonly title: string;
  readonly metric: BenchMetric;
  readonly basis: Basis;
  /** The median value before and after; null without one that counts. */
  readonly before: number | null;
  readonly after: number | null;
  /** How many times as much as before, on that basis; null when too little was measured. */
  readonly ratio: Estimate | null;
  /** The ratios that are noise; null when that is not known. */
  readonly noise: Interval | null;
  readonly verdict: 'faster' | 'slower' | 'within noise' | 'reference' | 'not enough data' | 'invalid';
}

/** What two runs come to, side by side. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** Those of `changes` that became worse. */
  readonly regressions: readonly Change[];
  /** What only one of the documents has, and what is invalid in one of them. */
  readonly missing: readonly string[];
  /** What else is different: the machine, the scenario, the version. */
  readonly notes: readonly string[];
}

export interface CompareOptions {
  /** Compares values instead of ratios to the reference: for machines on which nothing else runs. */
  readonly values?: boolean;
  /** Smaller changes are noise in any case, as a ratio: 1.05 when left out. */
  readonly least?: number;
}

/** The same program, loaded again, lies elsewhere in memory, which alone makes this much of a difference. */
export const leastChange = 1.05;

/** With fewer others, which of them changed cannot be told. */
const fewestOthers = 3;

/** Compares a run with an earlier one; whoever measured them, the same two documents give the same. */
export function compare(
  before: BenchDocument,
  after: BenchDocument,
  options: CompareOptions = {},
): Comparison {
  // What follows from the samples is taken from them, whatever the document says.
  const runs = { before: analyse(before), after: analyse(after) };
  const missing: string[] = [];
  const changes = pairs(before.groups, after.groups, 'group', missing).flatMap((groups) => {
    const compared = new ComparedGroup(groups, runs, options);
    return pairs(groups.before.metrics, groups.after.metrics, `metric of ${groups.before.name}`, missing)
      .filter(({ before: one, after: other }) => {
        if (one.unit === other.unit && one.better === other.better) return true;
        missing.push(`${groups.before.name}: ${one.name} is measured otherwise in the two`);
        return false;
      })
      .flatMap((metrics) =>
        pairs(groups.before.variants, groups.after.variants, `variant of ${groups.before.name}`, missing)
          .filter((variants) => variants.before.role !== 'control' && variants.after.role !== 'control')
          .map((variants) => compared.change(metrics.after, variants)),
      );
  });
  return {
    changes,
    regressions: changes.filter(({ verdict, metric }) => verdict === 'slower' && metric.better !== 'neither'),
    missing: [...new Set(missing)],
    notes: [...differences(before, after), ...ofReferences(changes)],
  };
}

interface Pair<T> {
  readonly before: T;
  readonly after: T;
}

/** What both lists have, by name; what only one has is added to `missing`. */
function pairs<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
  what: string,
  missing: string[],
): Pair<T>[] {
  const isIn = (list: readonly T[], name: string): boolean => list.some((each) => each.name === name);
  for (const { name } of before)
    if (!isIn(after, name)) missing.push(`${what}: only the old run has ${name}`);
  for (const { name } of after)
    if (!isIn(before, name)) missing.push(`${what}: only the new run has ${name}`);
  return before.flatMap((each) => {
    const other = after.find(({ name }) => name === each.name);
    return other === undefined ? [] : [{ before: each, after: other }];
  });
}

class ComparedGroup {
  readonly #groups: Pair<BenchGroup>;
  readonly #runs: Pair<BenchDocument>;
  readonly #options: CompareOptions;

  constructor(groups: Pair<BenchGroup>, runs: Pair<BenchDocument>, options: CompareOptions) {
    this.#groups = groups;
    this.#runs = runs;
    this.#options = options;
  }

  change(metric: BenchMetric, variants: Pair<BenchVariant>): Change {
    const values = both(variants, (variant) => blockValues(variant, metric.name));
    const { basis, compared } = this.#compared(metric, variants, values);
    const ratio = this.#ratio(metric, variants.after, compared);
    const noise = this.#noise(metric);
    const isYardstick = basis === 'ratio' && variants.after.role === 'reference';
    return {
      group: this.#groups.after.name,
      variant: variants.after.name,
      title: variants.after.title,
      metric,
      basis: isYardstick ? 'value' : basis,
      before: middle([...values.before.values()]),
      after: middle([...values.after.values()]),
      ratio: ratio ?? null,
      noise: noise ?? null,
      verdict: verdict(),
    };

    function verdict(): Change['verdict'] {
      if (!isValid(variants.before) || !isValid(variants.after)) return 'invalid';
      if (isNothing([...values.before.values()])) {
        const found = verdictBesideNothing([...values.after.values()], values.before.size, metric.better);
        return isYardstick && found === 'within noise' ? 'reference' : found;
      }
      if (ratio === undefined || noise === undefined) return 'not enough data';
      return isYardstick ? 'reference' : verdictOf(ratio.wide, noise, metric.better);
    }
  }

  /** What is compared of each run, block by block. */
  #compared(
    metric: BenchMetric,
    variants: Pair<BenchVariant>,
    values: Pair<BlockValues>,
  ): { readonly basis: Basis; readonly compared: Pair<readonly number[]> } {
    const own = both(values, (each) => [...each.values()]);
    if (this.#options.values === true) return { basis: 'value', compared: own };
    const isReference = both(variants, ({ role }) => role === 'reference');
    if (isReference.before && isReference.after) {
      const others = this.#others(metric);
      if (others.length < fewestOthers) return { basis: 'ratio', compared: own };
      return { basis: 'others', compared: againstOthers(values, others) };
    }
    const references = both(this.#groups, (group) => group.variants.find(({ role }) => role === 'reference'));
    // A ratio to something else is another thing.
    if (references.before?.name !== references.after?.name) return { basis: 'ratio', compared: nothing };
    const ratios = (variant: BlockValues, reference: BenchVariant | undefined): number[] =>
      reference === undefined ? [] : blockRatios(variant, blockValues(reference, metric.name));
    return {
      basis: 'ratio',
      compared: {
        before: ratios(values.before, references.before),
        after: ratios(values.after, references.after),
      },
    };
  }

  /** The other variants that both runs have enough of. */
  #others(metric: BenchMetric): Pair<BlockValues>[] {
    return pairs(this.#groups.before.variants, this.#groups.after.variants, '', [])
      .filter(({ before, after }) => before.role === 'variant' && after.role === 'variant')
      .map((variants) => both(variants, (variant) => blockValues(variant, metric.name)))
      .filter(({ before, after }) => Math.min(before.size, after.size) >= fewestBlocks);
  }

  #ratio(
    metric: BenchMetric,
    variant: BenchVariant,
    compared: Pair<readonly number[]>,
  ): Estimate | undefined {
    if (Math.min(compared.before.length, compared.after.length) < fewestBlocks) return undefined;
    const sorted = both(compared, ascending);
    const value = quantile(sorted.after, 0.5) / quantile(sorted.before, 0.5);
    const stream = [this.#groups.after.name, variant.name, metric.name].join('\n');
    const drawn = {
      before: medians(sorted.before, new Random(this.#runs.before.seed, `before\n${stream}`)),
      after: medians(sorted.after, new Random(this.#runs.after.seed, `after\n${stream}`)),
    };
    const ratios = drawn.after.map((each, index) => each / (drawn.before[index] ?? 0));
    return [value, ...ratios].every(Number.isFinite) ? estimateOf(value, ratios) : undefined;
  }

  /** The noise of both runs. */
  #noise(metric: BenchMetric): Interval | undefined {
    const bands = both(
      this.#runs,
      ({ noise }) =>
        noise.find((each) => each.group === this.#groups.after.name && each.metric === metric.name)?.band,
    );
    if (bands.before === undefined || bands.after === undefined) return undefined;
    const [, joint] = jointBand(bands.before, bands.after);
    const reach = Math.max(joint, this.#options.least ?? leastChange);
    return [1 / reach, reach];
  }
}

const nothing: Pair<readonly number[]> = { before: [], after: [] };

function both<T, U>({ before, after }: Pair<T>, of: (one: T) => U): Pair<U> {
  return { before: of(before), after: of(after) };
}

function middle(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values);
}

/**
 * How the reference does against all others, block by block: the median of the ratios to them, each of which is 1 in the middle of
 * the earlier run. One other that changed does not move it.
 */
function againstOthers(reference: Pair<BlockValues>, others: readonly Pair<BlockValues>[]): Pair<number[]> {
  const levels = others.map(({ before }) => middle(blockRatios(reference.before, before)) ?? Number.NaN);
  return {
    before: medianRatios(
      reference.before,
      others.map(({ before }) => before),
      levels,
    ),
    after: medianRatios(
      reference.after,
      others.map(({ after }) => after),
      levels,
    ),
  };
}

function medianRatios(
  reference: BlockValues,
  others: readonly BlockValues[],
  levels: readonly number[],
): number[] {
  return [...reference].flatMap(([block, value]) => {
    const ratios = others.flatMap((other, index) => {
      const ratio = value / (other.get(block) ?? 0) / (levels[index] ?? 0);
      return Number.isFinite(ratio) ? [ratio] : [];
    });
    return ratios.length < fewestOthers ? [] : [median(ratios)];
  });
}

/** When a reference changed itself, ratios to it say less. */
function ofReferences(changes: readonly Change[]): string[] {
  return changes.flatMap(({ title, metric, ratio, noise, verdict, basis, group }) => {
    if (basis === 'ratio' || ratio === null || noise === null) return [];
    if (basis === 'others' && (verdict === 'faster' || verdict === 'slower')) {
      return [
        `${group}: ${title}, to which all others are compared, is ${verdict} itself: ${inSentence(metric.title)} of the others looks ${verdict === 'slower' ? 'better' : 'worse'} by as much`,
      ];
    }
    if (verdict !== 'reference' || verdictOf(ratio.wide, noise, 'neither') === 'within noise') return [];
    return [
      `${group}: ${title}, to which the others are compared, differs itself: either the machine was in another state, or it changed`,
    ];
  });
}
