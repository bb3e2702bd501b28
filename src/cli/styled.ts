import { Chalk, type ChalkInstance } from 'chalk';
import Table from 'cli-table3';
import { type Block, blockText, type Cell, cellText, endLine, type Tone } from './page.js';

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** The page as a terminal gets it: with colour, and columns that wide characters do not shift. */
export function styledText(blocks: readonly Block[]): string {
  const chalk = new Chalk({ level: 1 });
  return blocks.map((block) => styledBlock(chalk, block)).join('');
}

function styledBlock(chalk: ChalkInstance, block: Block): string {
  switch (block.kind) {
    case 'line':
      return `${block.cells.map((cell) => paint(chalk, cell)).join('')}\n`;
    case 'text':
      return endLine(blockText(block.text));
    case 'fields': {
      const rows = block.rows.map(([name, cell]) => [chalk.dim(`${name}:`), paint(chalk, cell)]);
      return tableText([], rows, []);
    }
    case 'table':
      return tableText(
        block.columns.map(({ title }) => chalk.dim(title)),
        block.rows.map((row) => row.map((cell) => paint(chalk, cell))),
        block.columns.map(({ align }) => align ?? 'left'),
      );
  }
}

function tableText(head: string[], rows: readonly string[][], colAligns: ('left' | 'right')[]): string {
  const table = new Table({
    head,
    colAligns,
    chars: bare,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows);
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function paint(chalk: ChalkInstance, cell: Cell): string {
  const text = cellText(cell);
  if (cell === null || cell === undefined) return chalk.dim(text);
  return typeof cell === 'object' ? colourOf(chalk, cell.tone)(text) : text;
}

function colourOf(chalk: ChalkInstance, tone: Tone): ChalkInstance {
  switch (tone) {
    case 'good':
      return chalk.green;
    case 'bad':
      return chalk.red;
    case 'warning':
      return chalk.yellow;
    case 'name':
      return chalk.bold;
    case 'dim':
      return chalk.dim;
  }
}
