/** The ratios to the reference, with their intervals, over the noise band: what the verdicts go by. */
import { colour } from '../palette.js';
import { oneLine, ratioNumber, ratioText } from '../units.js';
import { type MetricView, type Row, titleOf, whyInvalid } from '../view.js';
import { mostRows } from './bars.js';
import {
  type Better,
  type Chart,
  labelColumn,
  labelOf,
  type Size,
  verdictColour,
  verdictLegend,
  verdictSign,
  widths,
} from './chart.js';
import type { Mark, Picture } from './draw.js';
import { line, mark, missing, rect, words } from './shapes.js';
import { fitted, greatest, least, logTicks, tickText, widthOf } from './ticks.js';

export function forestChart(view: MetricView): Chart | undefined {
  const { metric, rows, band } = view;
  const others = rows.filter(({ variant }) => variant.role !== 'reference');
  const ratios = others.flatMap(({ result, verdict }) =>
    verdict === 'invalid' ? [] : (result?.ratio ?? []),
  );
  if (ratios.length === 0 || others.length > mostRows) return undefined;
  const reference = rows.find(({ variant }) => variant.role === 'reference');
  const name = reference === undefined ? 'the reference' : oneLine(titleOf(reference.variant));
  return {
    title: `Compared with ${name}`,
    caption:
      'Each ratio is taken within one block, so that what disturbs the whole machine cancels out. The diamond is their median, the thick line its 95 % interval, the thin one its 99 % interval: only what lies wholly outside the grey band is called faster or slower. The band is how far the reference differs from itself.',
    legend: [
      ...verdictLegend(others, metric.better),
      ...(band === undefined ? [] : [{ text: 'noise', look: 'band' } as const]),
    ],
    description: `Ratios of ${oneLine(metric.title)} to ${name}: ${others.map(describeRatio).join('; ')}${band === undefined ? '' : `; noise from ${ratioText(band[0])} to ${ratioText(band[1])}`}`,
    pictures: [{ picture: (size) => picture(view, others, size) }],
  };
}

function describeRatio(row: Row): string {
  const title = oneLine(titleOf(row.variant));
  const ratio = row.result?.ratio;
  if (row.verdict === 'invalid' || ratio == null) return `${title}: ${row.verdict}`;
  const wide = `${ratioNumber(ratio.wide[0])} to ${ratioNumber(ratio.wide[1])}`;
  return `${title}: ${ratioText(ratio.median)} (95 %: ${ratioNumber(ratio.interval[0])} to ${ratioNumber(ratio.interval[1])}, 99 %: ${wide}), ${row.verdict}`;
}

function picture({ metric, rows, band }: MetricView, others: readonly Row[], size: Size): Picture {
  const isWide = size === 'wide';
  const width = widths[size];
  // Of the intervals in figures.
  const column = Math.max(72, ...others.map((row) => widthOf(wideText(row), 12))) + 12;
  const margin = isWide
    ? { left: labelColumn(others.map(labelOf)), right: 112 + column, top: 24, bottom: 50 }
    : { left: 14, right: 14, top: 24, bottom: 50 };
  const rowHeight = isWide ? 30 : 48;
  const all = [
    1,
    ...(band ?? []),
    ...rows.flatMap(({ result, verdict }) => (verdict === 'invalid' ? [] : (result?.ratio?.wide ?? []))),
  ].filter((ratio) => ratio > 0);
  const spread = greatest(all) / least(all);
  const pad = spread ** 0.06;
  const [from, to] = [least(all) / pad, greatest(all) * pad];
  const [min, max] = [Math.log10(from), Math.log10(to)];
  const count = others.length;
  const marks: Mark[] = [ground(band, count), heads(metric.better, { isWide, width, column, min, max })];
  others.forEach((row, index) => {
    marks.push(
      ...rowMarks(row, index, {
        isWide,
        width,
        column,
        min,
        max,
        margin: margin.left,
        better: metric.better,
      }),
    );
  });
  return {
    width,
    height: margin.top + margin.bottom + count * rowHeight,
    margin,
    x: {
      title: `Ratio of ${oneLine(metric.title).toLowerCase()} to the reference (×), logarithmic`,
      min,
      max,
      ticks: logTicks(from, to, isWide ? 7 : 5).map((tick) => Math.log10(tick)),
      label: (value) => tickText(10 ** value),
    },
    y: { min: 0, max: count, inverse: true },
    marks,
  };
}

function ground(band: readonly [number, number] | undefined, count: number): Mark {
  return {
    tip: band === undefined ? 'the reference' : `noise: from ${ratioText(band[0])} to ${ratioText(band[1])}`,
    draw: (place) => [
      ...(band === undefined
        ? []
        : [
            rect(place(Math.log10(band[0]), 0), place(Math.log10(band[1]), count), {
              fill: colour('band'),
            }),
          ]),
      line([place(0, 0), place(0, count)], colour('soft'), { width: 1.2 }),
    ],
  };
}

/** Which way is better, and heads of the columns of figures. */
function heads(
  better: Better,
  { isWide, width, column, min, max }: Omit<RowContext, 'margin' | 'better'>,
): Mark {
  return {
    draw: (place) => {
      const options = { fill: colour('soft'), size: 11 } as const;
      const columns = isWide
        ? [
            words('ratio', [width - 4 - column, 11], { ...options, align: 'right' }),
            words('99 % interval', [width - 4, 11], { ...options, align: 'right' }),
          ]
        : [];
      if (better === 'neither') return columns;
      const isRight = better === 'higher';
      const [x] = place(isRight ? max : min, 0);
      return [
        ...columns,
        words(isRight ? 'better →' : '← better', [x, 11], { ...options, align: isRight ? 'right' : 'left' }),
      ];
    },
  };
}

interface RowContext {
  readonly isWide: boolean;
  readonly width: number;
  /** Pixels of the intervals in figures, to the right. */
  readonly column: number;
  readonly min: number;
  readonly max: number;
  /** Where the axis begins. */
  readonly margin: number;
  readonly better: Better;
}

/** The 99 % interval of a row. */
function wideText({ result, verdict }: Row): string {
  const wide = verdict === 'invalid' ? undefined : result?.ratio?.wide;
  return wide === undefined ? '' : `${ratioNumber(wide[0])} – ${ratioNumber(wide[1])}`;
}

function rowMarks(
  row: Row,
  index: number,
  { isWide, width, column, min, max, margin, better }: RowContext,
): Mark[] {
  const { verdict, result } = row;
  const tip = describeRatio(row);
  const tint = verdictColour(verdict, better);
  const title = labelOf(row);
  const middle = index + (isWide ? 0.5 : 0.7);
  const ratio = verdict === 'invalid' ? null : (result?.ratio ?? null);
  const head: Mark = {
    tip,
    draw: (place) => {
      const [left, y] = place(min, isWide ? middle : index + 0.26);
      return isWide
        ? [words(fitted(title, margin - 14), [left - 12, y], { align: 'right' })]
        : [words(fitted(title, width - 110), [left, y])];
    },
  };
  if (ratio === null) {
    const why = verdict === 'invalid' ? `invalid — ${oneLine(whyInvalid(row))}` : verdict;
    return [
      head,
      {
        tip,
        draw: (place) => {
          const [x, y] = place(min, middle);
          return [
            ...(verdict === 'invalid' ? missing([x + 6, y], 7) : []),
            words(fitted(why, width - x - 40, 12), [x + 16, y], { fill: tint, size: 12 }),
          ];
        },
      },
    ];
  }
  const at = (value: number) => Math.min(max, Math.max(min, Math.log10(value)));
  return [
    head,
    {
      tip,
      draw: (place) => {
        const to = (value: number) => place(at(value), middle);
        const y = place(min, isWide ? middle : index + 0.26)[1];
        const figures = isWide
          ? [
              words(`${ratioText(ratio.median)} ${verdictSign(verdict)}`.trim(), [width - 4 - column, y], {
                align: 'right',
                fill: tint,
                bold: true,
              }),
              words(wideText(row), [width - 4, y], {
                align: 'right',
                fill: colour('soft'),
                size: 12,
              }),
            ]
          : [
              words(`${ratioText(ratio.median)} ${verdictSign(verdict)}`.trim(), [width - 14, y], {
                align: 'right',
                fill: tint,
                bold: true,
              }),
            ];
        return [
          line([to(ratio.wide[0]), to(ratio.wide[1])], tint, { width: 1.4 }),
          line([to(ratio.interval[0]), to(ratio.interval[1])], tint, { width: 5 }),
          mark('diamond', to(ratio.median), 9, tint),
          ...figures,
        ];
      },
    },
  ];
}
