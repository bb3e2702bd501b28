/** Groups with an axis: a curve for each series, such as rules against rate, or latency against load. */
import type { BenchGroup } from '../../document.js';
import { colour, lookOf, type SeriesLook } from '../palette.js';
import { middleScale, numberText, oneLine, percentileText } from '../units.js';
import { type MetricView, type Row, titleOf, whyInvalid } from '../view.js';
import { betterText, describe, titleWithUnit } from './bars.js';
import { besideWidth, type Chart, type LegendEntry, type Size, widths } from './chart.js';
import type { AxisOption, Mark, Picture, Place } from './draw.js';
import { line, mark, missing } from './shapes.js';
import { greatest, least, linearTicks, logTicks, roundUp, tickText } from './ticks.js';

/** From here on curves near the ground could not be told apart on a linear axis. */
const logFrom = 20;
/** Beside the median, when the histograms give them. */
const facets = [50, 99, 99.9];

export interface Curve {
  readonly name: string;
  readonly look: SeriesLook;
  readonly rows: readonly Row[];
}

/** The curves of a group, in the order in which their first points stand. Controls are points measured twice. */
export function curvesOf(rows: readonly Row[]): Curve[] {
  const names = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.variant.x === null || row.variant.role === 'control') continue;
    const name = oneLine(row.variant.series ?? titleOf(row.variant));
    names.set(name, [...(names.get(name) ?? []), row]);
  }
  return [...names].map(([name, points], index) => ({
    name,
    look: lookOf(index),
    rows: [...points].sort((one, other) => (one.variant.x ?? 0) - (other.variant.x ?? 0)),
  }));
}

interface Facet {
  readonly title: string | undefined;
  readonly value: (row: Row) => number | undefined;
  readonly interval: (row: Row) => readonly [number, number] | undefined;
}

export function curvesChart({ axis }: BenchGroup, view: MetricView): Chart | undefined {
  const curves = curvesOf(view.rows);
  if (axis === null || curves.length === 0) return undefined;
  const parts = facetsOf(view);
  const values = parts.flatMap(({ value }) =>
    curves.flatMap(({ rows }) => rows.flatMap((row) => value(row) ?? [])),
  );
  if (values.length === 0) return undefined;
  const hasInvalid = curves.some(({ rows }) => rows.some(({ verdict }) => verdict === 'invalid'));
  const hasInterval = parts.length === 1;
  const { metric } = view;
  const scale = middleScale(metric.unit, values);
  const against = oneLine(axis.title).toLowerCase();
  return {
    title: `${titleWithUnit(metric.title, scale.unit)} against ${against}`,
    caption: `${hasInterval ? 'Each mark is the median of the samples, and the line through it its 95 % interval' : 'Each mark is a percentile of all values of all blocks, drawn where at least ten values lie beyond it; all pictures have the same scale'}.${betterText(metric.better)}`,
    legend: [
      ...curves.map(({ name, look }): LegendEntry => ({ text: name, look: { curve: look } })),
      ...(hasInvalid ? [{ text: 'invalid: no result', look: 'missing' } as const] : []),
    ],
    description: `${oneLine(metric.title)} against ${against}. ${view.rows.map((row) => describe(row, view)).join('; ')}`,
    pictures: parts.map((facet) => ({
      ...(facet.title === undefined ? {} : { title: facet.title }),
      picture: (size) =>
        picture({ ...{ curves, facet, values, size }, view: { ...view, scale }, axis, count: parts.length }),
    })),
  };
}

/** The medians, or for what has histograms the percentiles that there are. */
function facetsOf({ rows }: MetricView): Facet[] {
  const found = facets.filter((percentile) =>
    rows.some(({ result }) => result?.percentiles.some((each) => each.percentile === percentile)),
  );
  const valid = (row: Row): boolean => row.verdict !== 'invalid';
  if (found.length === 0) {
    return [
      {
        title: undefined,
        value: (row) => (valid(row) ? (row.result?.median ?? undefined) : undefined),
        interval: (row) => (valid(row) ? (row.result?.interval ?? undefined) : undefined),
      },
    ];
  }
  return found.map((percentile) => ({
    title: percentile === 50 ? 'Median' : `${percentileText(percentile)}th percentile`,
    value: (row) =>
      valid(row) ? row.result?.percentiles.find((each) => each.percentile === percentile)?.value : undefined,
    interval: () => undefined,
  }));
}

interface PictureContext {
  readonly curves: readonly Curve[];
  readonly facet: Facet;
  /** Of all facets. */
  readonly values: readonly number[];
  readonly size: Size;
  readonly view: MetricView;
  readonly axis: NonNullable<BenchGroup['axis']>;
  /** Pictures in the figure. */
  readonly count: number;
}

function picture(context: PictureContext): Picture {
  const { curves, facet, values, size, view, axis, count } = context;
  const isFull = size === 'wide' && count === 1;
  const width = size === 'wide' ? besideWidth(count) : widths.narrow;
  const xs = curves.flatMap(({ rows }) => rows.flatMap(({ variant }) => variant.x ?? []));
  const isLogX = axis.scale === 'logarithmic' && least(xs) > 0;
  const toX = (x: number): number => (isLogX ? Math.log10(x) : axis.unit === 'share' ? x * 100 : x);
  const y = valueAxis(values, view);
  const marks = curves.flatMap(({ rows, look }, index) => {
    const shift = (index - (curves.length - 1) / 2) * 1.5;
    return curveMarks({ rows, look, facet, view, toX, toY: y.at, ground: y.option.min, shift });
  });
  return {
    width,
    height: isFull ? 360 : 270,
    margin: { left: 64, right: 20, top: 14, bottom: 50 },
    x: xAxis(axis, xs, isLogX, isFull ? 8 : 4),
    y: y.option,
    marks,
  };
}

function xAxis(
  { title, unit }: NonNullable<BenchGroup['axis']>,
  xs: readonly number[],
  isLog: boolean,
  most: number,
): AxisOption {
  const name = titleWithUnit(title, unit === 'share' ? '%' : oneLine(unit));
  if (isLog) {
    const [from, to] = [least(xs) / 1.25, greatest(xs) * 1.25];
    const ticks = logTicks(from, to, most);
    return {
      title: `${name}, logarithmic`,
      min: Math.log10(from),
      max: Math.log10(to),
      ticks: ticks.map((tick) => Math.log10(tick)),
      label: (value) => tickText(10 ** value),
    };
  }
  const factor = unit === 'share' ? 100 : 1;
  const [low, high] = [least(xs) * factor, greatest(xs) * factor];
  const pad = (high - low || Math.abs(high) || 1) * 0.04;
  const [min, max] = [low >= 0 && low < (high - low) / 3 ? 0 : low - pad, high + pad];
  return { title: name, min, max, ticks: linearTicks(min, max, most), label: tickText };
}

/** From zero, or logarithmic where the values differ by much. */
export function valueAxis(
  values: readonly number[],
  { metric, scale }: Pick<MetricView, 'metric' | 'scale'>,
): { readonly option: AxisOption; readonly at: (value: number) => number } {
  const name = titleWithUnit(metric.title, scale.unit);
  const [low, high] = [least(values) * scale.factor, greatest(values) * scale.factor];
  if (low > 0 && high / low > logFrom) {
    const [from, to] = [low / 1.4, high * 1.4];
    return {
      option: {
        title: `${name}, logarithmic`,
        min: Math.log10(from),
        max: Math.log10(to),
        ticks: logTicks(from, to, 7).map((tick) => Math.log10(tick)),
        label: (value) => tickText(10 ** value),
      },
      at: (value) => Math.log10(Math.max(from, value * scale.factor)),
    };
  }
  const max = roundUp(high * 1.04);
  const min = Math.min(0, low);
  return {
    option: { title: name, min, max, ticks: linearTicks(min, max, 5), label: tickText },
    at: (value) => value * scale.factor,
  };
}

interface CurveContext {
  readonly rows: readonly Row[];
  readonly look: SeriesLook;
  readonly facet: Facet;
  readonly view: MetricView;
  readonly toX: (x: number) => number;
  readonly toY: (value: number) => number;
  /** Where the picture ends below. */
  readonly ground: number;
  /** Pixels, so that intervals of several curves do not cover one another. */
  readonly shift: number;
}

function curveMarks({ rows, look, facet, view, toX, toY, ground, shift }: CurveContext): Mark[] {
  const points = rows.map((row) => ({ row, x: toX(row.variant.x ?? 0), value: facet.value(row) }));
  const pieces: (readonly [number, number])[][] = [[]];
  for (const { x, value } of points) {
    if (value === undefined) pieces.push([]);
    else pieces.at(-1)?.push([x, toY(value)]);
  }
  const at = (place: Place, x: number, y: number): readonly [number, number] => {
    const [left, top] = place(x, y);
    return [left + shift, top];
  };
  return [
    {
      draw: (place) =>
        pieces
          .filter((piece) => piece.length > 1)
          .map((piece) =>
            line(
              piece.map(([x, y]) => at(place, x, y)),
              look.colour,
              { width: 2, dash: look.dash },
            ),
          ),
    },
    ...points.map(({ row, x, value }): Mark => {
      const head = `${oneLine(titleOf(row.variant))} at ${numberText(row.variant.x ?? 0)}`;
      if (value === undefined) {
        const isInvalid = row.verdict === 'invalid';
        return {
          tip: isInvalid ? `${head}: invalid, ${whyInvalid(row)}` : head,
          draw: (place) => {
            const [left, bottom] = at(place, x, ground);
            return isInvalid ? missing([left, bottom - 8], 8) : [];
          },
        };
      }
      const interval = facet.interval(row);
      const said = `${numberText(value * view.scale.factor)} ${view.scale.unit}`;
      return {
        tip:
          facet.title === undefined ? describe(row, view) : `${head}: ${facet.title.toLowerCase()} ${said}`,
        draw: (place) => [
          ...(interval === undefined
            ? []
            : [
                line([at(place, x, toY(interval[0])), at(place, x, toY(interval[1]))], colour('ink'), {
                  width: 1.4,
                }),
              ]),
          mark(look.mark, at(place, x, toY(value)), 9, look.colour),
        ],
      };
    }),
  ];
}
