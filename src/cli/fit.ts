/** What has to become shorter so that a row of a table stays one line of a terminal. */
import { type Block, type Cell, cellText } from './page.js';

/** Between two columns. */
const gap = 2;

/**
 * The same blocks with tables no wider than a terminal, as far as their columns may be cut: the last one first.
 * @param columns characters in a line
 */
export function fitted(blocks: readonly Block[], columns: number): Block[] {
  return blocks.map((block) => (block.kind === 'table' ? fittedTable(block, columns) : block));
}

type Table = Extract<Block, { kind: 'table' }>;

function fittedTable(table: Table, columns: number): Table {
  const widths = table.columns.map(({ title }, index) =>
    Math.max(title.length, ...table.rows.map((row) => cellText(row[index]).length)),
  );
  let over = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  const limits = [...widths];
  for (let index = widths.length - 1; index >= 0 && over > 0; index--) {
    const { title = '', mayCut = false } = table.columns[index] ?? {};
    if (!mayCut) continue;
    const width = widths[index] ?? 0;
    const limit = Math.max(title.length, width - over);
    over -= width - limit;
    limits[index] = limit;
  }
  return { ...table, rows: table.rows.map((row) => row.map((cell, index) => cut(cell, limits[index] ?? 0))) };
}

function cut(cell: Cell, width: number): Cell {
  const text = cellText(cell);
  if (text.length <= width) return cell;
  const short = `${text.slice(0, width - 1)}…`;
  return typeof cell === 'object' && cell !== null ? { ...cell, text: short } : short;
}

/** As many names as have room in `width` characters, then how many there are: `a, b, … 19 maps`. */
export function someNames(names: readonly string[], noun: string, width: number): string {
  const all = names.join(', ');
  const count = `${names.length} ${noun}`;
  if (all.length <= width || all.length <= count.length) return all;
  for (let shown = names.length - 1; shown > 0; shown--) {
    const text = `${names.slice(0, shown).join(', ')}, … ${count}`;
    if (text.length <= width) return text;
  }
  return count;
}
