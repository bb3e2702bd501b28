/** Time series: how the samples of each variant went, block by block, each against its own median. */
import { colour } from '../palette.js';
import { numberText, oneLine, scaled } from '../units.js';
import { type MetricView, type Row, titleOf } from '../view.js';
import { mostRows } from './bars.js';
import { type Chart, labelColumn, labelOf, type Size, thinned, verdictColour, widths } from './chart.js';
import type { Mark, Picture } from './draw.js';
import { line, mark, ring, words } from './shapes.js';
import { fitted, greatest, least, linearTicks, tickText } from './ticks.js';

const mostPoints = 240;

interface Strip {
  readonly row: Row;
  readonly median: number;
  readonly points: readonly { readonly at: number; readonly block: number; readonly value: number }[];
}

export function blocksChart(view: MetricView): Chart | undefined {
  const strips = view.rows.flatMap((row) => stripOf(row, view));
  if (strips.length === 0 || strips.length > mostRows) return undefined;
  const range = rangeOf(strips);
  const most = greatest(strips.map(({ points }) => points.length));
  const percent = `${tickText(range * 100)} %`;
  return {
    title: 'How steady it was',
    caption: `The samples in the order in which they were taken, each strip around the median of its variant, from −${percent} to +${percent}. What shows in all strips at one time disturbed the whole machine. A ring is an outlier: it counts all the same. What goes further stands at the edge of its strip.${most > mostPoints ? ` Of up to ${most} samples each, ${mostPoints} are drawn.` : ''}`,
    legend: [
      ...(strips.some(({ row }) => (row.result?.outliers.length ?? 0) > 0)
        ? [{ text: 'outlier', look: 'outlier' } as const]
        : []),
    ],
    description: `${oneLine(view.metric.title)} over time: ${strips.map((strip) => `${oneLine(titleOf(strip.row.variant))} from ${scaled(least(valuesIn(strip)), view.scale)} to ${scaled(greatest(valuesIn(strip)), view.scale)} ${view.scale.unit}`).join('; ')}`,
    pictures: [{ picture: (size) => picture(strips, range, view, size) }],
  };
}

function stripOf(row: Row, { metric }: MetricView): Strip[] {
  const median = row.result?.median;
  if (row.verdict === 'invalid' || median == null || median === 0) return [];
  const points = row.samples.flatMap(({ at, block, values }) => {
    const value = values[metric.name];
    return value === undefined ? [] : [{ at, block, value }];
  });
  const inOrder = [...points].sort((one, other) => one.at - other.at);
  return points.length === 0 ? [] : [{ row, median, points: inOrder }];
}

function valuesIn({ points }: Strip): number[] {
  return points.map(({ value }) => value);
}

/** As far as nearly all samples go; what goes further is drawn at the edge. */
function rangeOf(strips: readonly Strip[]): number {
  const deviations = strips
    .flatMap(({ points, median }) => points.map(({ value }) => Math.abs(value / median - 1)))
    .sort((one, other) => one - other);
  const wanted = (deviations[Math.floor(deviations.length * 0.9)] ?? 0) * 1.5;
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((range) => wanted <= range) ?? 1;
}

function picture(strips: readonly Strip[], range: number, view: MetricView, size: Size): Picture {
  const isWide = size === 'wide';
  const width = widths[size];
  const margin = isWide
    ? { left: labelColumn(strips.map(({ row }) => labelOf(row))), right: 66, top: 20, bottom: 50 }
    : { left: 10, right: 14, top: 6, bottom: 50 };
  const height = isWide ? 40 : 58;
  const ats = strips.flatMap(({ points }) => points.map(({ at }) => at));
  const [first, last] = [Math.min(0, least(ats)), greatest(ats)];
  const max = last > first ? last + (last - first) * 0.01 : first + 1;
  return {
    width,
    height: margin.top + margin.bottom + strips.length * height,
    margin,
    x: {
      title: 'Time since the benchmark began (s)',
      min: first,
      max,
      ticks: linearTicks(first, max, isWide ? 8 : 5),
      label: tickText,
    },
    y: { min: 0, max: strips.length, inverse: true },
    marks: [
      ...(isWide
        ? [
            {
              draw: () => [
                words('spread', [width - 4, 9], { align: 'right', fill: colour('soft'), size: 11 }),
              ],
            },
          ]
        : []),
      ...strips.flatMap((strip, index) =>
        stripMarks(strip, index, { range, view, isWide, width, first, max, margin: margin.left }),
      ),
    ],
  };
}

interface Context {
  readonly range: number;
  readonly view: MetricView;
  readonly isWide: boolean;
  readonly width: number;
  readonly first: number;
  readonly max: number;
  /** Where the axis begins. */
  readonly margin: number;
}

function stripMarks(strip: Strip, index: number, context: Context): Mark[] {
  const { range, view, isWide, width, first, max, margin } = context;
  const { row, median, points } = strip;
  const tint = verdictColour(row.verdict, view.metric.better);
  const middle = index + (isWide ? 0.5 : 0.66);
  const half = isWide ? 0.42 : 0.3;
  const toY = (value: number): number => {
    const deviation = Math.min(1, Math.max(-1, (value / median - 1) / range));
    return middle - deviation * half;
  };
  const outliers = new Set(row.result?.outliers);
  const drawn = thinned(points, mostPoints);
  const far = points.filter(({ block }) => outliers.has(block)).slice(0, mostPoints);
  const spread = `±${numberText((100 * (greatest(valuesIn(strip)) - least(valuesIn(strip)))) / 2 / median)} %`;
  return [
    {
      tip: oneLine(titleOf(row.variant)),
      draw: (place) => {
        const [left, y] = place(first, isWide ? middle : index + 0.18);
        const title = labelOf(row);
        return [
          line([place(first, middle), place(max, middle)], colour('rule')),
          words(fitted(title, isWide ? margin - 14 : width - 80), [isWide ? left - 12 : left, y], {
            align: isWide ? 'right' : 'left',
          }),
          words(spread, [width - (isWide ? 4 : 14), y], { align: 'right', fill: colour('soft'), size: 12 }),
        ];
      },
    },
    {
      draw: (place) => [
        line(
          drawn.map(({ at, value }) => place(at, toY(value))),
          tint,
          { width: 1.2, opacity: 0.7 },
        ),
      ],
    },
    ...drawn.map(
      ({ at, value, block }): Mark => ({
        tip: `block ${block}: ${scaled(value, view.scale)} ${view.scale.unit}`,
        draw: (place) => [mark('circle', place(at, toY(value)), 3.4, tint)],
      }),
    ),
    ...far.map(
      ({ at, value, block }): Mark => ({
        tip: `outlier, block ${block}: ${scaled(value, view.scale)} ${view.scale.unit}`,
        draw: (place) => [ring(place(at, toY(value)), 4.5)],
      }),
    ),
  ];
}
