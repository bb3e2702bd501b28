/** The terminal view of a benchmark: a table with bars for each metric, then what has no result, and what the figures do not say. */
import type { BenchDocument } from '../bench/document.js';
import { type Bars, type Piece, terminalView } from '../bench/report/terminal.js';
import { type Cell, type Page, tone } from './page.js';

/** Letters of the longest bar, where a line has so many columns. */
const barWidths = [
  [150, 40],
  [120, 28],
  [100, 18],
] as const;
const narrowBar = 10;

export interface BenchPageOptions {
  readonly bars: Bars;
  /** Columns of a line. */
  readonly columns: number;
}

export function fillBenchPage(
  page: Page,
  document: BenchDocument,
  { bars, columns }: BenchPageOptions = usualOptions(),
): void {
  const width = barWidths.find(([least]) => columns >= least)?.[1] ?? narrowBar;
  const view = terminalView(document, bars, width);
  page.line(tone('name', view.title)).line();
  for (const group of view.groups) {
    if (view.groups.length > 1) page.line(tone('name', group.title)).line();
    for (const table of group.tables) {
      page.table(
        table.columns,
        table.rows.map((row) => row.map(cell)),
      );
      if (table.remark !== '') page.line(tone('dim', table.remark));
      page.line();
    }
  }
  for (const sentence of view.summary) page.line(sentence);
  if (view.notes.length > 0) page.line();
  for (const note of view.notes) page.line(tone('dim', `note: ${note}`));
}

function cell({ text, tone: kind }: Piece): Cell {
  return kind === undefined ? text : tone(kind, text);
}

/** Blocks where a terminal can show them; a pipe gets signs that every file has. */
function usualOptions(): BenchPageOptions {
  const { isTTY, columns } = process.stdout;
  const { LC_ALL, LC_CTYPE, LANG, TERM } = process.env;
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  const hasBlocks = isTTY === true && TERM !== 'linux' && /utf-?8/i.test(locale);
  return { bars: hasBlocks ? 'blocks' : 'ascii', columns: columns || 100 };
}
