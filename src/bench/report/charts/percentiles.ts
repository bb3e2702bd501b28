/** Percentile curves: how long the slowest of ten, of a hundred, of a thousand take. */

import type { BenchGroup, BenchHistogram } from '../../document.js';
import { percentileOf } from '../../statistics/histogram.js';
import { lookOf, type SeriesLook } from '../palette.js';
import { countText, middleScale, numberText, oneLine, percentileText } from '../units.js';
import { type MetricView, type Row, titleOf } from '../view.js';
import { titleWithUnit } from './bars.js';
import { besideWidth, type Chart, type Size, widths } from './chart.js';
import { valueAxis } from './curves.js';
import type { Mark, Picture } from './draw.js';
import { line, mark } from './shapes.js';
import { greatest, tickText } from './ticks.js';

/** So many values lie beyond the last point of a curve. */
const fewestBeyond = 10;
/** Curves in one picture. */
const mostCurves = 6;
const mostPictures = 6;
/** Of nines: 0 is the median's half of the way to 90 %. */
const pointsPerNine = 12;

interface Line {
  readonly name: string;
  readonly look: SeriesLook;
  readonly row: Row;
  readonly count: number;
  readonly points: readonly { readonly percentile: number; readonly nines: number; readonly value: number }[];
}

export function percentilesChart(group: BenchGroup, view: MetricView): Chart | undefined {
  const rows = view.rows.filter(
    ({ verdict, variant }) =>
      verdict !== 'invalid' &&
      histogramOf(variant.histograms, view) !== undefined &&
      variant.role !== 'control',
  );
  const parts = partsOf(group, rows, view);
  const lines = parts.flatMap((part) => part.lines);
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  if (values.length === 0) return undefined;
  const scale = middleScale(view.metric.unit, values);
  const names = new Map(lines.map(({ name, look }) => [name, look] as const));
  const nines = greatest(lines.flatMap(({ points }) => points.map((point) => point.nines)));
  return {
    title: `${titleWithUnit(view.metric.title, scale.unit)} by percentile`,
    caption: `How much the given share of all values did not exceed; the further right, the rarer. A curve ends where fewer than ten values lie beyond it.${parts.length > 1 ? ' All pictures have the same scale.' : ''}`,
    legend: [...names].map(([text, look]) => ({ text, look: { curve: look } })),
    description: `Percentiles of ${oneLine(view.metric.title)}: ${lines.map((each) => describeLine(each, scale)).join('; ')}`,
    pictures: parts.map(({ title, lines: mine }) => ({
      ...(title === undefined ? {} : { title }),
      picture: (size) =>
        picture(mine, { nines, values, view: { ...view, scale }, size, count: parts.length }),
    })),
  };
}

function histogramOf(
  histograms: readonly BenchHistogram[],
  { metric }: MetricView,
): BenchHistogram | undefined {
  return histograms.find((each) => each.metric === metric.name && each.buckets.length > 0);
}

interface Part {
  readonly title: string | undefined;
  readonly lines: readonly Line[];
}

/** With an axis a picture for some of its places, with a curve for each series; else all in one, as far as there is room. */
function partsOf({ axis }: BenchGroup, rows: readonly Row[], view: MetricView): Part[] {
  if (axis === null) {
    const lines = rows.map((row, index) =>
      lineOf(row, oneLine(titleOf(row.variant)), index % mostCurves, view),
    );
    const parts: Part[] = [];
    for (let at = 0; at < lines.length && parts.length < mostPictures; at += mostCurves)
      parts.push({ title: undefined, lines: lines.slice(at, at + mostCurves) });
    return parts;
  }
  const names = [...new Set(rows.map(({ variant }) => oneLine(variant.series ?? titleOf(variant))))];
  const xs = [...new Set(rows.flatMap(({ variant }) => variant.x ?? []))].sort((one, other) => one - other);
  const some = new Set(
    [xs[0], xs[Math.floor((xs.length - 1) / 2)], xs.at(-1)].filter((x) => x !== undefined),
  );
  const unit = axis.unit === 'share' ? '%' : oneLine(axis.unit);
  return [...some].map((x) => ({
    title: `${oneLine(axis.title)}: ${tickText(axis.unit === 'share' ? x * 100 : x)}${unit === '' ? '' : ` ${unit}`}`,
    lines: rows
      .filter(({ variant }) => variant.x === x)
      .map((row) => {
        const name = oneLine(row.variant.series ?? titleOf(row.variant));
        return lineOf(row, name, names.indexOf(name), view);
      }),
  }));
}

function lineOf(row: Row, name: string, index: number, view: MetricView): Line {
  const buckets = histogramOf(row.variant.histograms, view)?.buckets ?? [];
  const count = buckets.reduce((sum, [, , times]) => sum + times, 0);
  const last = count > fewestBeyond ? Math.log10(count / fewestBeyond) : 0;
  const points: Line['points'][number][] = [];
  for (let step = 0; step <= Math.floor(last * pointsPerNine + 1e-9); step++) {
    const nines = step / pointsPerNine;
    const percentile = 100 * (1 - 10 ** -nines);
    const value = percentileOf(buckets, percentile);
    if (value !== undefined) points.push({ percentile, nines, value });
  }
  return { name, look: lookOf(index), row, count, points };
}

function describeLine(
  { name, row, count }: Line,
  { factor, unit }: { factor: number; unit: string },
): string {
  const said = (row.result?.percentiles ?? []).map(
    ({ percentile, value }) => `${percentileText(percentile)} % ${numberText(value * factor)} ${unit}`,
  );
  return `${name}, ${countText(count)} values: ${said.join(', ')}`;
}

interface Context {
  readonly nines: number;
  /** Of all pictures. */
  readonly values: readonly number[];
  readonly view: MetricView;
  readonly size: Size;
  /** Pictures in the figure. */
  readonly count: number;
}

function picture(lines: readonly Line[], { nines, values, view, size, count }: Context): Picture {
  const isFull = size === 'wide' && count === 1;
  const width = size === 'wide' ? besideWidth(count) : widths.narrow;
  const y = valueAxis(values, view);
  const { factor, unit } = view.scale;
  const ticks = [
    0,
    Math.log10(2),
    ...Array.from({ length: Math.floor(nines + 1e-9) }, (_, index) => index + 1),
  ];
  const marks = lines.flatMap(({ name, look, row, points }): Mark[] => [
    {
      tip: name,
      draw: (place) => [
        line(
          points.map((point) => place(point.nines, y.at(point.value))),
          look.colour,
          { width: 2, dash: look.dash },
        ),
      ],
    },
    ...(row.result?.percentiles ?? []).map(
      ({ percentile, value }): Mark => ({
        tip: `${name}: ${percentileText(percentile)} % of the values are at most ${numberText(value * factor)} ${unit}`,
        draw: (place) => [
          mark(look.mark, place(-Math.log10(1 - percentile / 100), y.at(value)), 8, look.colour),
        ],
      }),
    ),
  ]);
  return {
    width,
    height: isFull ? 340 : 270,
    margin: { left: 64, right: 24, top: 14, bottom: 50 },
    x: {
      title: 'Share of all values (%)',
      min: 0,
      max: Math.max(nines, 1) * 1.02,
      ticks,
      label: (value) => percentileText(100 * (1 - 10 ** -value)),
    },
    y: y.option,
    marks,
  };
}
