/** What a terminal shows of a document: lines and tables, with bars of letters. */
import type { BenchDocument } from '../document.js';
import { intervalText, oneLine, ratioText, scaled } from './units.js';
import { type MetricView, type Row, saidVerdict, titleOf, type Verdict, viewOf } from './view.js';

/** Blocks in eighths of a letter, or signs that every terminal and every file has. */
export type Bars = 'blocks' | 'ascii';

/** A piece of text with its meaning; the command line gives it a colour. */
export interface Piece {
  readonly text: string;
  readonly tone?: 'good' | 'bad' | 'warning' | 'name' | 'dim';
}

export interface TerminalTable {
  readonly columns: readonly {
    readonly title: string;
    readonly align: 'left' | 'right';
    readonly mayCut?: true;
  }[];
  readonly rows: readonly (readonly Piece[])[];
  /** Below it. */
  readonly remark: string;
}

export interface TerminalView {
  readonly title: string;
  readonly summary: readonly string[];
  readonly groups: readonly { readonly title: string; readonly tables: readonly TerminalTable[] }[];
  readonly notes: readonly string[];
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of at most `width` letters for a share of the longest one. */
export function bar(share: number, width: number, bars: Bars): string {
  const length = Math.max(0, Math.min(1, share)) * width;
  if (bars === 'ascii') return '#'.repeat(share > 0 ? Math.max(1, Math.round(length)) : 0);
  const steps = share > 0 ? Math.max(1, Math.round(length * 8)) : 0;
  return '█'.repeat(Math.floor(steps / 8)) + (eighths[steps % 8] ?? '');
}

/** @param width letters of the longest bar */
export function terminalView(document: BenchDocument, bars: Bars, width = 24): TerminalView {
  return {
    title: document.title,
    summary: document.summary,
    groups: viewOf(document).map(({ group, metrics, split }) => ({
      title: group.title,
      tables: [...metrics.map((view) => metricTable(view, bars, width)), ...splitTable(split)],
    })),
    notes: document.notes,
  };
}

function metricTable(view: MetricView, bars: Bars, width: number): TerminalTable {
  const { metric, rows, scale, band } = view;
  const medians = rows.flatMap(({ result, verdict }) =>
    verdict === 'invalid' ? [] : (result?.median ?? []),
  );
  const most = Math.max(0, ...medians);
  const hasRatio = rows.some(({ result }) => result?.ratio != null);
  const better =
    metric.better === 'neither' ? '' : metric.better === 'higher' ? 'more is better' : 'less is better';
  const noise = band === undefined ? '' : `noise: ${ratioText(band[0])} to ${ratioText(band[1])}`;
  return {
    columns: [
      { title: oneLine(metric.title).toUpperCase(), align: 'left', mayCut: true },
      { title: '', align: 'left' },
      { title: scale.unit === '' ? 'MEDIAN' : oneLine(scale.unit), align: 'right' },
      { title: '95 % INTERVAL', align: 'right' },
      ...(hasRatio ? [{ title: 'RATIO', align: 'right' } as const] : []),
      { title: 'VERDICT', align: 'left' },
    ],
    rows: rows.map((row) => pieces(row, { view, most, hasRatio, bars, width })),
    remark: [better, noise].filter((part) => part !== '').join('; '),
  };
}

/** The medians of the parts side by side. */
function splitTable(split: readonly MetricView[]): TerminalTable[] {
  const first = split[0];
  if (first === undefined) return [];
  return [
    {
      columns: [
        { title: 'CPU TIME', align: 'left', mayCut: true },
        ...split.map(({ metric, scale }) => ({
          title: oneLine(`${metric.name.slice('cpu.'.length)} ${scale.unit}`),
          align: 'right' as const,
        })),
      ],
      rows: first.rows.map(({ variant }, index) => [
        {
          text: oneLine(titleOf(variant)),
          ...(variant.role === 'reference' ? { tone: 'name' as const } : {}),
        },
        ...split.map(({ rows, scale }): Piece => {
          const row = rows[index];
          const median = row?.verdict === 'invalid' ? undefined : row?.result?.median;
          return median == null ? none : { text: scaled(median, scale) };
        }),
      ]),
      remark: '',
    },
  ];
}

const none: Piece = { text: '-', tone: 'dim' };

function pieces(
  row: Row,
  {
    view,
    most,
    hasRatio,
    bars,
    width,
  }: { view: MetricView; most: number; hasRatio: boolean; bars: Bars; width: number },
): Piece[] {
  const { variant, result, verdict } = row;
  const tone = toneOf(verdict);
  const title: Piece = {
    text: oneLine(titleOf(variant)),
    ...(variant.role === 'reference' ? { tone: 'name' } : {}),
  };
  const said: Piece = { text: saidVerdict(verdict, view.metric), ...(tone === undefined ? {} : { tone }) };
  if (verdict === 'invalid' || result?.median == null) {
    return [title, { text: '' }, none, none, ...(hasRatio ? [none] : []), said];
  }
  const say = (value: number) => scaled(value, view.scale);
  const { median, interval, ratio } = result;
  const length = most > 0 ? bar(median / most, width, bars) : '';
  return [
    title,
    { text: length.padEnd(width), ...(tone === undefined ? {} : { tone }) },
    { text: say(median) },
    interval === null ? none : { text: intervalText(interval, say), tone: 'dim' },
    ...(hasRatio
      ? [ratio === null ? none : { text: ratioText(ratio.median), ...(tone === undefined ? {} : { tone }) }]
      : []),
    said,
  ];
}

function toneOf(verdict: Verdict): Piece['tone'] {
  switch (verdict) {
    case 'faster':
      return 'good';
    case 'slower':
      return 'warning';
    case 'invalid':
      return 'bad';
    case 'reference':
      return 'name';
    default:
      return 'dim';
  }
}
