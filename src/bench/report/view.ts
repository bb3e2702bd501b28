/** A document as its readers see it: each metric of a group with its rows, what is wrong with them, and one scale. */
import type {
  BenchCheck,
  BenchDocument,
  BenchGroup,
  BenchMetric,
  BenchResult,
  BenchSample,
  BenchVariant,
} from '../document.js';
import { oneLine, type Scale, scaleFor } from './units.js';

export type Verdict = BenchResult['verdict'];

export interface Row {
  readonly variant: BenchVariant;
  /** Absent when the document has none for this metric, as of a variant that never ran. */
  readonly result: BenchResult | undefined;
  readonly verdict: Verdict;
  /** What did not hold of the variant; not empty only when `verdict` is `invalid`. */
  readonly failed: readonly BenchCheck[];
  /** Samples with a value of the metric, the wrong ones aside. */
  readonly samples: readonly BenchSample[];
}

export interface MetricView {
  readonly metric: BenchMetric;
  readonly rows: readonly Row[];
  /** Ratios between these are noise. */
  readonly band: readonly [number, number] | undefined;
  /** For all values of the metric. */
  readonly scale: Scale;
}

export interface GroupView {
  readonly group: BenchGroup;
  /** The main one first, the others in their order; those named `cpu.…` aside. */
  readonly metrics: readonly MetricView[];
  /** Shares of the CPUs' time, which together are one picture. */
  readonly split: readonly MetricView[];
  readonly reference: BenchVariant | undefined;
}

export function viewOf(document: BenchDocument): GroupView[] {
  return document.groups.map((group) => {
    const views = group.metrics.map((metric) => metricView(document, group, metric));
    const others = views.filter(({ metric }) => !isCpu(metric));
    return {
      group,
      metrics: [
        ...others.filter(({ metric }) => metric.isMain),
        ...others.filter(({ metric }) => !metric.isMain),
      ],
      split: views.filter(({ metric }) => isCpu(metric)),
      reference: group.variants.find(({ role }) => role === 'reference'),
    };
  });
}

function isCpu({ name }: BenchMetric): boolean {
  return name.startsWith('cpu.');
}

function metricView(document: BenchDocument, group: BenchGroup, metric: BenchMetric): MetricView {
  const isMine = (other: { group: string; metric: string }) =>
    other.group === group.name && other.metric === metric.name;
  const results = new Map(document.results.filter(isMine).map((result) => [result.variant, result] as const));
  const rows = group.variants.map((variant) => rowOf(variant, results.get(variant.name), metric));
  const values = rows.flatMap(({ result, verdict }) =>
    result?.median == null || verdict === 'invalid' ? [] : [result.median],
  );
  return {
    metric,
    rows,
    band: document.noise.find(isMine)?.band,
    scale: scaleFor(metric.unit, values),
  };
}

function rowOf(variant: BenchVariant, result: BenchResult | undefined, metric: BenchMetric): Row {
  const failed = variant.checks.filter(({ ok }) => !ok);
  const isInvalid = failed.length > 0 || result?.verdict === 'invalid';
  return {
    variant,
    result,
    verdict: isInvalid ? 'invalid' : (result?.verdict ?? 'not enough data'),
    failed,
    samples: variant.samples.filter(
      ({ values, checks }) => values[metric.name] !== undefined && checks.length === 0,
    ),
  };
}

/** The variants of a document that are no result, each with its group and why. */
export function invalidVariants(
  document: BenchDocument,
): { readonly group: BenchGroup; readonly variant: BenchVariant; readonly why: string }[] {
  return viewOf(document).flatMap(({ group, metrics, split }) => {
    const views = [...metrics, ...split];
    return group.variants.flatMap((variant) => {
      const rows = views.flatMap(({ rows }) => rows.filter((row) => row.variant === variant));
      const row = rows.find(({ verdict }) => verdict === 'invalid');
      return row === undefined ? [] : [{ group, variant, why: whyInvalid(row) }];
    });
  });
}

/** `generator: it sent no more than …` */
export function whyInvalid({ failed }: Pick<Row, 'failed'>): string {
  if (failed.length === 0) return 'no sample of it counts';
  return failed.map(({ name, detail }) => (detail === '' ? name : `${name}: ${detail}`)).join('; ');
}

/** A metric that is neither better nor worse has more or less of something. */
export function saidVerdict(verdict: Verdict, { better }: BenchMetric): string {
  if (better !== 'neither') return verdict;
  return verdict === 'faster' ? 'more' : verdict === 'slower' ? 'less' : verdict;
}

/**
 * Titles of the parts of the CPU's time without what they all begin with: `softirq` of `CPU: softirq`, where all are of the CPU.
 */
export function partTitles(split: readonly MetricView[]): string[] {
  const titles = split.map(({ metric }) => oneLine(metric.title));
  const [first = ''] = titles;
  const colon = first.indexOf(': ');
  const head = colon < 0 ? '' : first.slice(0, colon + 2);
  return titles.every((title) => title.startsWith(head) && title.length > head.length)
    ? titles.map((title) => title.slice(head.length))
    : titles;
}

/** What is shown of a row's samples in a metric. */
export function valuesOf({ samples }: Row, { name }: BenchMetric): number[] {
  return samples.flatMap(({ values }) => values[name] ?? []);
}

/** `control` and `reference` are said beside the title, since titles need not say them. */
export function titleOf({ title, name, role }: BenchVariant): string {
  const text = title === '' ? name : title;
  return role === 'control' && !/control/i.test(text) ? `${text} (control)` : text;
}
