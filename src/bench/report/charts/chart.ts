/** What a figure of a report is made of. */
import type { Colour, SeriesLook } from '../palette.js';
import { colour } from '../palette.js';
import { oneLine } from '../units.js';
import { type Row, titleOf, type Verdict } from '../view.js';
import type { Picture } from './draw.js';
import { widthOf } from './ticks.js';

/** Each picture is drawn twice, for a page and for a telephone: letters that shrink with the picture cannot be read. */
export type Size = 'wide' | 'narrow';

export type Better = 'higher' | 'lower' | 'neither';

export const widths: Readonly<Record<Size, number>> = { wide: 860, narrow: 360 };

/** An entry of a legend: a bar of a colour, or a curve with its mark. */
export interface LegendEntry {
  readonly text: string;
  readonly look:
    | { readonly bar: Colour; readonly hollow?: boolean }
    | { readonly curve: SeriesLook }
    | 'missing'
    | 'points'
    | 'interval'
    | 'band'
    | 'outlier';
}

export interface Chart {
  /** A heading of a few words. */
  readonly title: string;
  /** How it is read, in a sentence or two. */
  readonly caption: string;
  readonly legend: readonly LegendEntry[];
  /** What it shows, for who cannot see it. */
  readonly description: string;
  /** One picture, or several side by side that share everything but their data. */
  readonly pictures: readonly { readonly title?: string; readonly picture: (size: Size) => Picture }[];
}

/** Colours judge: what is neither better nor worse has none. */
export function verdictColour(verdict: Verdict, better: Better): Colour {
  if (better === 'neither' && verdict !== 'invalid') return colour('even');
  switch (verdict) {
    case 'faster':
      return colour('faster');
    case 'slower':
      return colour('slower');
    case 'invalid':
      return colour('bad');
    default:
      return colour('even');
  }
}

/** What the colour says, as a sign. */
export function verdictSign(verdict: Verdict): string {
  return verdict === 'faster' ? '▲' : verdict === 'slower' ? '▼' : '';
}

/** What the colours of bars and rows mean, as far as they occur. */
export function verdictLegend(rows: readonly Row[], better: Better): LegendEntry[] {
  const found = new Set(rows.map(({ verdict }) => verdict));
  const entry = (verdict: Verdict, text: string): LegendEntry[] =>
    found.has(verdict)
      ? [{ text: `${verdictSign(verdict)} ${text}`, look: { bar: verdictColour(verdict, better) } }]
      : [];
  const even = found.has('reference') || found.has('within noise');
  const judged =
    better === 'neither'
      ? [{ text: '▲ more, ▼ less than the reference, by more than noise', look: { bar: colour('even') } }]
      : [
          ...entry('faster', 'faster than the reference'),
          ...entry('slower', 'slower than the reference'),
          ...(even
            ? [
                {
                  text: found.has('within noise') ? 'the reference, or within noise of it' : 'the reference',
                  look: { bar: colour('even') },
                },
              ]
            : []),
        ];
  return [
    ...judged,
    ...(found.has('not enough data')
      ? [{ text: 'not enough data', look: { bar: colour('even'), hollow: true } }]
      : []),
    ...(found.has('invalid') ? [{ text: 'invalid: no result', look: 'missing' as const }] : []),
  ];
}

/** Pixels between pictures that stand side by side. */
export const pictureGap = 12;

/** How many pictures of a figure stand side by side on a page. */
export function columnsOf(count: number): number {
  return count % 3 === 0 ? 3 : Math.min(count, 2);
}

export function besideWidth(count: number): number {
  const columns = columnsOf(count);
  return Math.floor((widths.wide - (columns - 1) * pictureGap) / columns);
}

/** Of a row, as pictures have it. */
export function labelOf({ variant }: Row): string {
  return variant.role === 'control' ? 'the reference again (control)' : oneLine(titleOf(variant));
}

/** Pixels for the titles to the left of a wide picture: as much as they need, within reason. */
export function labelColumn(titles: readonly string[]): number {
  return Math.min(300, Math.max(110, ...titles.map((title) => widthOf(title) * 1.04 + 18)));
}

/** At most `most` of the values, evenly taken; the first one always. */
export function thinned<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from(
    { length: most },
    (_, index) => values[Math.floor((index * values.length) / most)],
  ).filter((value): value is T => value !== undefined);
}
