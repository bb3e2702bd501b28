/** What the CPUs spent their time on: the metrics named `cpu.…` of a group, one on top of the other. */
import { type Colour, colour, partColours } from '../palette.js';
import { numberText, oneLine } from '../units.js';
import { type MetricView, partTitles, titleOf } from '../view.js';
import { mostRows, titleWithUnit } from './bars.js';
import { type Chart, labelColumn, type Size, widths } from './chart.js';
import type { Mark, Picture } from './draw.js';
import { missing, rect, words } from './shapes.js';
import { fitted, greatest, linearTicks, roundUp, tickText } from './ticks.js';

interface Part {
  readonly title: string;
  readonly value: number;
  readonly fill: Colour;
  /** Of words on it. */
  readonly text: Colour;
}

interface Bar {
  readonly title: string;
  readonly isInvalid: boolean;
  readonly parts: readonly Part[];
}

export function splitChart(split: readonly MetricView[]): Chart | undefined {
  const first = split[0];
  if (first === undefined || first.rows.length > mostRows) return undefined;
  const { factor, unit } = first.scale;
  const titles = partTitles(split);
  const bars = first.rows
    .filter(({ variant }) => variant.role !== 'control')
    .map(({ variant, verdict }) => ({
      title: oneLine(titleOf(variant)),
      isInvalid: verdict === 'invalid',
      parts: split.flatMap(({ metric, rows }, index) => {
        const row = rows.find((each) => each.variant === variant);
        const value = row?.verdict === 'invalid' ? undefined : row?.result?.median;
        return value == null
          ? []
          : [{ title: titles[index] ?? '', value: value * factor, ...coloursOf(metric.name, index) }];
      }),
    }));
  if (bars.every(({ parts }) => parts.length === 0)) return undefined;
  const sums = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const max = unit === '%' && greatest(sums) <= 101 ? 100 : roundUp(greatest(sums));
  return {
    title: titleWithUnit('What the CPU spent its time on', unit),
    caption:
      'The median of each part, one beside the other; what is left to the right was idle or is not told apart.',
    legend: split.map(({ metric }, index) => ({
      text: titles[index] ?? '',
      look: { bar: coloursOf(metric.name, index).fill },
    })),
    description: `CPU time: ${bars.map(({ title, isInvalid, parts }) => `${title}: ${isInvalid ? 'invalid' : parts.map((part) => `${part.title} ${numberText(part.value)} ${unit}`).join(', ')}`).join('; ')}`,
    pictures: [{ picture: (size) => picture(bars, { max, unit, size }) }],
  };
}

function coloursOf(name: string, index: number): { readonly fill: Colour; readonly text: Colour } {
  return name === 'cpu.idle' ? { fill: colour('band'), text: colour('soft') } : partColours(index);
}

function picture(
  bars: readonly Bar[],
  { max, unit, size }: { max: number; unit: string; size: Size },
): Picture {
  const isWide = size === 'wide';
  const width = widths[size];
  const margin = isWide
    ? { left: labelColumn(bars.map(({ title }) => title)), right: 24, top: 6, bottom: 50 }
    : { left: 10, right: 14, top: 6, bottom: 50 };
  const marks = bars.flatMap(({ title, isInvalid, parts }, index): Mark[] => {
    const middle = index + (isWide ? 0.5 : 0.68);
    let sum = 0;
    return [
      {
        tip: title,
        draw: (place) => {
          const [left, y] = place(0, isWide ? middle : index + 0.22);
          const head = words(
            fitted(title, isWide ? margin.left - 14 : width - 30),
            [isWide ? left - 12 : left, y],
            {
              align: isWide ? 'right' : 'left',
            },
          );
          const [, below] = place(0, middle);
          if (!isInvalid) return [head];
          return [
            head,
            ...missing([left + 8, below], 7),
            words('invalid: no result', [left + 18, below], { fill: colour('bad'), size: 12 }),
          ];
        },
      },
      ...parts.map((part): Mark => {
        const from = sum;
        sum += part.value;
        const to = sum;
        const said = `${numberText(part.value)} ${unit}`;
        return {
          tip: `${title}: ${part.title} ${said}`,
          draw: (place) => {
            const [x0, y] = place(from, middle);
            const [x1] = place(to, middle);
            const label = [said, numberText(part.value)].find((text) => text.length * 7 < x1 - x0 - 4);
            return [
              rect([x0, y - 10], [x1, y + 10], { fill: part.fill, stroke: colour('card') }),
              ...(label === undefined
                ? []
                : [
                    words(label, [(x0 + x1) / 2, y], {
                      align: 'center',
                      size: 11,
                      fill: part.text,
                      bold: true,
                    }),
                  ]),
            ];
          },
        };
      }),
    ];
  });
  return {
    width,
    height: margin.top + margin.bottom + bars.length * (isWide ? 32 : 50),
    margin,
    x: {
      title: titleWithUnit('Share of the time', unit),
      min: 0,
      max,
      ticks: linearTicks(0, max, 5),
      label: tickText,
    },
    y: { min: 0, max: bars.length, inverse: true },
    marks,
  };
}
