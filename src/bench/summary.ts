/** What a benchmark comes to, in sentences. */
import type { BenchGroup, BenchMetric, BenchNoise, BenchResult, BenchVariant, Measured } from './document.js';
import { changeText, factor, inSentence, quantity } from './quantity.js';
import { numberText, ratioNumber } from './report/units.js';

/** More stolen time than this is worth a sentence. */
const muchSteal = 0.05;

/** More noise than this hides what people look for. */
const muchNoise = 1.1;

/** One row of the results with what it is about. */
interface Row {
  readonly variant: BenchVariant;
  readonly result: BenchResult;
}

/** The sentences, most important first. */
export function summarise(
  measured: Measured,
  noise: readonly BenchNoise[],
  results: readonly BenchResult[],
): string[] {
  const sentences = measured.groups.flatMap((group) => {
    const main = group.metrics.filter(({ isMain }) => isMain);
    const ofMain = main.flatMap((metric) => {
      const rows = rowsOf(group, metric, results);
      const band = noise.find((each) => each.group === group.name && each.metric === metric.name)?.band;
      return group.axis === null ? ofBars(group, metric, rows, band) : ofCurves(group, metric, rows);
    });
    return [...ofMain, ...ofInvalid(group), ...ofTooFew(group, main, results)];
  });
  return [...sentences, ...ofRun(measured)];
}

function rowsOf(group: BenchGroup, metric: BenchMetric, results: readonly BenchResult[]): Row[] {
  return group.variants.flatMap((variant) => {
    const result = results.find(
      (each) => each.group === group.name && each.variant === variant.name && each.metric === metric.name,
    );
    return result === undefined ? [] : [{ variant, result }];
  });
}

/** The best one, then which ones differ from the reference, and by how much they must to be more than noise. */
function ofBars(
  group: BenchGroup,
  metric: BenchMetric,
  rows: readonly Row[],
  band: readonly [number, number] | undefined,
): string[] {
  const judged = rows.filter(
    ({ variant, result }) =>
      variant.role !== 'control' && result.median !== null && result.verdict !== 'not enough data',
  );
  const reference = rows.find(({ variant }) => variant.role === 'reference')?.variant.title;
  const best = bestOf(judged, metric);
  const sentences = best === undefined ? [] : [`${about(group)} ${ofBest(best, metric, reference)}.`];
  const words =
    metric.better === 'neither'
      ? ({ faster: 'more than', slower: 'less than', 'within noise': 'like' } as const)
      : ({ faster: 'better than', slower: 'worse than', 'within noise': 'like' } as const);
  const parts = (['faster', 'slower', 'within noise'] as const).flatMap((verdict) => {
    const titles = judged
      .filter(({ result }) => result.verdict === verdict)
      .map(({ variant, result }) => `${variant.title}${howMuch(result, metric)}`);
    return titles.length === 0 ? [] : [`${words[verdict]} ${reference ?? 'it'}: ${listed(titles)}`];
  });
  if (parts.length > 0) sentences.push(`${capital(parts.join('; '))}.`);
  if (band !== undefined && parts.length > 0) {
    const more = band[1] > muchNoise ? '; a longer run, or a quieter machine, shows smaller differences' : '';
    sentences.push(
      `Measured twice, ${reference ?? 'the reference'} differs from itself by up to ${changeText(band[1]).slice(1)}: less than that is noise${more}.`,
    );
  }
  return sentences;
}

/** Beside a reference that is nothing there is no ratio: the value itself, unless it is nothing too. */
function howMuch({ ratio, median }: BenchResult, { unit }: BenchMetric): string {
  if (ratio !== null) return ` (${factor(ratio.median)})`;
  return median === null || median === 0 ? '' : ` (${quantity(median, unit)})`;
}

function bestOf(rows: readonly Row[], { better }: BenchMetric): Row | undefined {
  if (better === 'neither') return undefined;
  const sign = better === 'higher' ? -1 : 1;
  return rows.toSorted((one, other) => sign * ((one.result.median ?? 0) - (other.result.median ?? 0)))[0];
}

function ofBest(
  { variant, result }: Row,
  { title, unit }: BenchMetric,
  reference: string | undefined,
): string {
  const value = `${inSentence(title)} ${result.median === 0 ? '0' : quantity(result.median ?? 0, unit)}`;
  if (variant.role === 'reference') return `${variant.title}, the reference, does best: ${value}`;
  if (result.ratio === null) return `${variant.title} does best: ${value}`;
  const [low, high] = result.ratio.interval;
  return `${variant.title} does best: ${value}, ${factor(result.ratio.median)} ${reference ?? 'the reference'} (${ratioNumber(low)} to ${ratioNumber(high)})`;
}

/** From the first to the last point of each curve. */
function ofCurves(group: BenchGroup, metric: BenchMetric, rows: readonly Row[]): string[] {
  const names = [...new Set(group.variants.map(({ series }) => series))];
  const curves = names.flatMap((name) => {
    const points = rows
      .filter(
        ({ variant, result }) =>
          variant.series === name &&
          variant.role !== 'control' &&
          variant.x !== null &&
          result.median !== null,
      )
      .toSorted((one, other) => (one.variant.x ?? 0) - (other.variant.x ?? 0));
    const first = points[0];
    const last = points.at(-1);
    if (first === undefined || last === undefined || name === null) return [];
    const at = ({ variant, result }: Row): string =>
      `${quantity(result.median ?? 0, metric.unit)} at ${placeText(variant.x ?? 0, group.axis?.unit ?? '')}`;
    if (first === last) return [`${name} ${at(first)}`];
    const ratio = (last.result.median ?? 0) / (first.result.median ?? 1);
    return [`${name} ${at(first)}, ${at(last)}${Number.isFinite(ratio) ? ` (${factor(ratio)})` : ''}`];
  });
  return curves.length === 0 ? [] : [`${about(group)} ${inSentence(metric.title)} of ${curves.join('; ')}.`];
}

/** Where a point stands: a number of things is not rounded. */
function placeText(x: number, unit: string): string {
  if (!Number.isInteger(x) || unit === 'share' || unit === 'bytes') return quantity(x, unit);
  return [x.toLocaleString('en-GB'), unit].filter((part) => part !== '').join(' ');
}

function ofInvalid({ variants }: BenchGroup): string[] {
  return variants.flatMap(({ title, checks }) => {
    const failed = checks.filter(({ ok }) => !ok);
    return failed.length === 0
      ? []
      : [`${title} is invalid: ${failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')}.`];
  });
}

function ofTooFew(
  group: BenchGroup,
  main: readonly BenchMetric[],
  results: readonly BenchResult[],
): string[] {
  const titles = group.variants.flatMap(({ name, title }) =>
    main.some((metric) =>
      results.some(
        (each) =>
          each.group === group.name &&
          each.variant === name &&
          each.metric === metric.name &&
          each.verdict === 'not enough data',
      ),
    )
      ? [title]
      : [],
  );
  if (titles.length === 0) return [];
  const isAll = group.axis !== null && titles.length === group.variants.length;
  return [`${about(group)} not enough data to judge ${isAll ? 'any of them' : listed(titles)}.`];
}

function ofRun({ ended, environment }: Measured): string[] {
  const { steal } = environment.during;
  return [
    ...(ended === 'interrupted' ? ['Interrupted: this is what was measured until then.'] : []),
    ...(steal > muchSteal
      ? [
          `The hypervisor gave ${numberText(steal * 100)} % of the time of the CPUs to others, which makes the intervals wide.`,
        ]
      : []),
  ];
}

/** What a sentence is about; a question needs no colon. */
function about({ title }: BenchGroup): string {
  return title.endsWith('?') ? title : `${title}:`;
}

function listed(titles: readonly string[]): string {
  return titles.length < 2 ? titles.join('') : `${titles.slice(0, -1).join(', ')} and ${titles.at(-1) ?? ''}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
