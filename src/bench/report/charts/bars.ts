/** The ladder: a bar for each variant, the 95 % interval of its median, and its samples. */
import { colour } from '../palette.js';
import { countText, intervalText, oneLine, ratioText, scaled } from '../units.js';
import { type MetricView, type Row, titleOf, valuesOf, whyInvalid } from '../view.js';
import {
  type Chart,
  labelColumn,
  labelOf,
  type Size,
  thinned,
  verdictColour,
  verdictLegend,
  verdictSign,
  widths,
} from './chart.js';
import type { AxisOption, Mark, Picture } from './draw.js';
import { line, mark, missing, rect, whisker, words } from './shapes.js';
import { fitted, greatest, least, linearTicks, logTicks, roundUp, tickText, widthOf } from './ticks.js';

/** As many points can be told apart in a bar. */
const mostPoints = 80;
/** From here on bars would show the largest only. */
const logFrom = 60;
export const mostRows = 40;

export function barsChart(view: MetricView): Chart | undefined {
  const { metric, rows, scale } = view;
  const shown = rows.filter(({ verdict }) => verdict !== 'invalid');
  const medians = shown.flatMap(({ result }) => result?.median ?? []);
  if (medians.length === 0 || rows.length > mostRows) return undefined;
  const axis = axisOf(view, medians);
  const most = Math.max(...rows.map((row) => row.samples.length));
  const sampled =
    most > mostPoints ? `; of up to ${countText(most)} samples each, ${mostPoints} are drawn` : '';
  return {
    title: titleWithUnit(metric.title, scale.unit),
    caption: `${axis.isLog ? 'A line goes' : 'A bar goes'} to the median of the samples; the bracket is its 95 % interval${metric.isMain ? `, and each point is a sample${sampled}` : ''}.${betterText(metric.better)}`,
    legend: [
      ...verdictLegend(rows, metric.better),
      { text: '95 % interval of the median', look: 'interval' },
      ...(metric.isMain ? [{ text: 'a sample', look: 'points' } as const] : []),
    ],
    description: `${oneLine(metric.title)}: ${rows.map((row) => describe(row, view)).join('; ')}`,
    pictures: [{ picture: (size) => picture(view, axis, size) }],
  };
}

export function titleWithUnit(title: string, unit: string): string {
  return unit === '' ? oneLine(title) : `${oneLine(title)} (${unit})`;
}

export function betterText(better: 'higher' | 'lower' | 'neither'): string {
  return better === 'neither' ? '' : better === 'higher' ? ' More is better.' : ' Less is better.';
}

export function describe(row: Row, { scale, metric }: MetricView): string {
  const { result, verdict } = row;
  const title = oneLine(titleOf(row.variant));
  if (verdict === 'invalid') return `${title}: invalid, ${oneLine(whyInvalid(row))}`;
  if (result?.median == null) return `${title}: ${verdict}`;
  const say = (value: number) => scaled(value, scale);
  const interval = result.interval === null ? '' : `, 95 % interval ${intervalText(result.interval, say)}`;
  const ratio = result.ratio === null ? '' : `, ${ratioText(result.ratio.median)} the reference`;
  const samples = `, ${countText(valuesOf(row, metric).length)} samples`;
  return `${title}: ${say(result.median)} ${scale.unit}${interval}${ratio}${samples}, ${verdict}`;
}

interface Axis {
  readonly isLog: boolean;
  readonly option: AxisOption;
  /** A value in the metric's unit, where it is on the axis. */
  readonly at: (value: number) => number;
}

function axisOf({ metric, rows, scale }: MetricView, medians: readonly number[]): Axis {
  const values = rows
    .filter(({ verdict }) => verdict !== 'invalid')
    .flatMap((row) => [...valuesOf(row, metric), ...(row.result?.interval ?? [])])
    .map((value) => value * scale.factor);
  const [low, high] = [Math.min(...medians), Math.max(...medians)];
  const title = titleWithUnit(metric.title, scale.unit);
  const positive = values.filter((value) => value > 0);
  if (low > 0 && high / low > logFrom && positive.length === values.length) {
    const [from, to] = [least(positive) / 1.5, greatest(positive) * 1.3];
    const ticks = logTicks(from, to, 6);
    return {
      isLog: true,
      option: {
        title: `${title}, logarithmic`,
        min: Math.log10(from),
        max: Math.log10(to),
        ticks: ticks.map((tick) => Math.log10(tick)),
        label: (value) => tickText(10 ** value),
      },
      at: (value) => Math.log10(value * scale.factor),
    };
  }
  const max = roundUp(greatest(values));
  const min = Math.min(0, least(values));
  return {
    isLog: false,
    option: { title, min, max, ticks: linearTicks(min, max), label: tickText },
    at: (value) => value * scale.factor,
  };
}

function picture(view: MetricView, { option, at, isLog }: Axis, size: Size): Picture {
  const { rows } = view;
  const isWide = size === 'wide';
  const width = widths[size];
  const rowHeight = isWide ? 34 : 52;
  const { medianRoom, ratioRoom } = figureRooms(view);
  const margin = isWide
    ? { left: labelColumn(rows.map(labelOf)), right: medianRoom + ratioRoom, top: 24, bottom: 50 }
    : { left: 10, right: 14, top: 6, bottom: 50 };
  const marks: Mark[] = [];
  if (isWide) marks.push(columnHeads(view, width, ratioRoom));
  rows.forEach((row, index) => {
    marks.push(
      ...rowMarks(row, index, {
        view,
        at,
        isLog,
        isWide,
        width,
        ratioRoom,
        min: option.min,
        left: margin.left,
      }),
    );
  });
  return {
    width,
    height: margin.top + margin.bottom + rows.length * rowHeight,
    margin,
    x: option,
    y: { min: 0, max: rows.length, inverse: true },
    marks,
  };
}

/** Pixels for the two columns of figures, with what is before them. */
function figureRooms(view: MetricView): { readonly medianRoom: number; readonly ratioRoom: number } {
  const texts = view.rows.map((row) => figureTexts(row, view));
  const room = (least: number, column: readonly string[]) =>
    Math.ceil(Math.max(least, ...column.map((text) => widthOf(text) * 1.08))) + 16;
  return {
    medianRoom: room(
      60,
      texts.map(({ median }) => median),
    ),
    ratioRoom: room(
      40,
      texts.map(({ ratio }) => ratio),
    ),
  };
}

function figureTexts({ result, verdict }: Row, { scale }: MetricView): { median: string; ratio: string } {
  const { median, ratio } = result ?? {};
  return {
    median: median == null ? '' : scaled(median, scale),
    ratio: ratio == null ? '' : `${ratioText(ratio.median)} ${verdictSign(verdict)}`.trim(),
  };
}

function columnHeads({ scale, rows }: MetricView, width: number, ratioRoom: number): Mark {
  const options = { align: 'right', fill: colour('soft'), size: 11 } as const;
  const hasRatio = rows.some(({ result }) => result?.ratio != null);
  return {
    draw: () => [
      words(fitted(scale.unit === '' ? 'median' : scale.unit, 76, 11), [width - ratioRoom, 11], options),
      ...(hasRatio ? [words('ratio', [width - 4, 11], options)] : []),
    ],
  };
}

interface RowContext {
  readonly view: MetricView;
  readonly at: (value: number) => number;
  readonly isLog: boolean;
  readonly isWide: boolean;
  readonly width: number;
  /** Of the column to the right. */
  readonly ratioRoom: number;
  readonly min: number;
  /** Where the axis begins. */
  readonly left: number;
}

function rowMarks(row: Row, index: number, context: RowContext): Mark[] {
  const { view, at, isLog, isWide, width, min, left: margin } = context;
  const { verdict, result, variant } = row;
  const tip = describe(row, view);
  const tint = verdictColour(verdict, view.metric.better);
  const title = labelOf(row);
  const middle = index + (isWide ? 0.5 : 0.68);
  const ground = isLog ? min : Math.max(min, 0);
  const half = 8;
  const label: Mark = {
    tip,
    draw: (place) => {
      const [left, y] = place(min, isWide ? middle : index + 0.22);
      const bold = variant.role === 'reference';
      return isWide
        ? [words(fitted(title, margin - 14), [left - 12, y], { align: 'right', bold })]
        : [words(fitted(title, width - 160), [left, y], { bold })];
    },
  };
  if (verdict === 'invalid' || result?.median == null) {
    const why = verdict === 'invalid' ? `invalid — ${oneLine(whyInvalid(row))}` : verdict;
    const room = width - margin - (isWide ? 30 : 40);
    return [
      label,
      {
        tip,
        draw: (place) => {
          const [x, y] = place(min, middle);
          return [
            rect([x, y - half], [width - (isWide ? 4 : 14), y + half], {
              ...(verdict === 'invalid' ? { fill: colour('bad-ground') } : {}),
              stroke: tint,
              dash: [3, 3],
            }),
            ...(verdict === 'invalid' ? missing([x + 12, y], 7) : []),
            words(fitted(why, room, 12), [x + 22, y], { fill: tint, size: 12 }),
          ];
        },
      },
    ];
  }
  const { median, interval } = result;
  const isThin = verdict === 'not enough data';
  const values = view.metric.isMain ? thinned(valuesOf(row, view.metric), mostPoints) : [];
  return [
    label,
    {
      tip,
      draw: (place) => {
        const [x0, y] = place(ground, middle);
        const [x1] = place(at(median), middle);
        const bar = isLog
          ? line(
              [
                [x0, y],
                [x1, y],
              ],
              tint,
              { width: 2, dash: [1, 3] },
            )
          : rect([x0, y - half], [x1, y + half], {
              fill: tint,
              opacity: isThin ? 0.12 : 0.32,
              ...(isThin ? { stroke: tint, dash: [3, 3] } : {}),
            });
        return [
          bar,
          line(
            [
              [x1, y - half],
              [x1, y + half],
            ],
            tint,
            { width: 3 },
          ),
        ];
      },
    },
    {
      draw: (place) =>
        values.map((value, at_) => {
          const [x, y] = place(at(value), middle);
          const shift = (((at_ * 7) % 11) / 10 - 0.5) * 1.5 * half;
          return mark('circle', [x, y + shift], 3.2, tint, { opacity: 0.75 });
        }),
    },
    {
      tip,
      draw: (place) => {
        if (interval === null) return [];
        const [from, to] = [place(at(interval[0]), middle), place(at(interval[1]), middle)];
        return whisker(from, to, 5, colour('ink'), 1.6);
      },
    },
    figures(row, index, context),
  ];
}

/** Median and ratio in figures: beside the bar, or above it where there is no room. */
function figures(row: Row, index: number, { view, isWide, width, ratioRoom, min }: RowContext): Mark {
  const { median, ratio } = figureTexts(row, view);
  const fill = verdictColour(row.verdict, view.metric.better);
  return {
    draw: (place) => {
      const [, y] = place(min, index + (isWide ? 0.5 : 0.22));
      const right = width - (isWide ? 4 : 14);
      const beside = isWide ? width - ratioRoom : width - (ratio === '' ? 14 : ratioRoom + 6);
      return [
        words(median, [beside, y], { align: 'right', bold: true }),
        words(ratio, [right, y], { align: 'right', fill, bold: true }),
      ];
    },
  };
}
