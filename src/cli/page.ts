/**
 * Text for people, collected as blocks and then written out: with colour and terminal tables by `styled.ts`, or as
 * plain aligned text by `plainText`.
 */

/** What colour a piece of text has on a terminal. Meaning, not a colour: a pipe shows none. */
export type Tone = 'good' | 'bad' | 'warning' | 'name' | 'dim';

export interface ToneText {
  readonly text: string;
  readonly tone: Tone;
}

/** `null` and `undefined` show as a dash in tables. */
export type Cell = string | number | bigint | boolean | null | undefined | ToneText;

export interface Column {
  readonly title: string;
  /** Numbers line up on the right. */
  readonly align?: 'left' | 'right';
  /** On a terminal that is too narrow its cells end in `…`. */
  readonly mayCut?: boolean;
}

export type Block =
  | { readonly kind: 'line'; readonly cells: readonly Cell[] }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Cell[])[];
    }
  | { readonly kind: 'fields'; readonly rows: readonly (readonly [string, Cell])[] };

/** What a command fills to show its result. */
export class Page {
  readonly blocks: Block[] = [];

  /** One line; its pieces follow each other without a space between. */
  line(...cells: Cell[]): this {
    this.blocks.push({ kind: 'line', cells });
    return this;
  }

  /** Lines as they are, such as a header file or a verifier log. */
  text(text: string): this {
    this.blocks.push({ kind: 'text', text });
    return this;
  }

  /** A table; without rows, nothing. A column is a title, or a title with an alignment. */
  table(columns: readonly (string | Column)[], rows: readonly (readonly Cell[])[]): this {
    if (rows.length > 0) {
      const entries = columns.map((column) => (typeof column === 'string' ? { title: column } : column));
      this.blocks.push({ kind: 'table', columns: entries, rows });
    }
    return this;
  }

  /** Lines of a name and a value each, aligned; those without a value are left out. */
  fields(rows: readonly (readonly [string, Cell])[]): this {
    const known = rows.filter(([, cell]) => cell !== null && cell !== undefined);
    if (known.length > 0) this.blocks.push({ kind: 'fields', rows: known });
    return this;
  }
}

/** `text` in a colour of its meaning. */
export function tone(kind: Tone, text: string | number | bigint): ToneText {
  return { text: String(text), tone: kind };
}

/** A cell's text on one line. Names come from the kernel and from files: what could steer a terminal is written out. */
export function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '-';
  const text = typeof cell === 'object' ? cell.text : String(cell);
  return escapeControls(text, /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu);
}

/** Several lines, likewise; line ends and tabs stay. */
export function blockText(text: string): string {
  return escapeControls(text, /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu);
}

function escapeControls(text: string, pattern: RegExp): string {
  return text.replace(pattern, (character) => {
    if (character === '\n') return '\\n';
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** The page without colour, as a pipe gets it. Ends with a line end, unless it is empty. */
export function plainText(blocks: readonly Block[]): string {
  return blocks.map(plainBlock).join('');
}

function plainBlock(block: Block): string {
  switch (block.kind) {
    case 'line':
      return `${block.cells.map(cellText).join('')}\n`;
    case 'text':
      return endLine(blockText(block.text));
    case 'fields':
      return aligned(
        block.rows.map(([name, cell]) => [`${name}:`, cellText(cell)]),
        [],
      );
    case 'table':
      return aligned(
        [block.columns.map(({ title }) => title), ...block.rows.map((row) => row.map(cellText))],
        block.columns,
      );
  }
}

export function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function aligned(rows: readonly (readonly string[])[], columns: readonly Column[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  const lines = rows.map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
