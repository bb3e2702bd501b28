/** Which bits of its value a row of CSV gives: those of the columns that the file has. */
import type { EntryShape } from './batch.js';
import type { FileColumn } from './csv-header.js';
import type { Field } from './csv-row.js';

export class RowGiven {
  /** One CPU's value. */
  readonly bits: Uint8Array;
  readonly #shape: EntryShape;
  readonly #view: DataView;
  /** Where the column is that has the whole value as one text, which may name some members only; -1 when there is none. */
  #whole = -1;

  constructor(shape: EntryShape) {
    this.#shape = shape;
    this.bits = new Uint8Array(shape.value.size);
    this.#view = new DataView(this.bits.buffer);
  }

  /** Called once the header is read. */
  begin(columns: readonly FileColumn[]): void {
    this.#whole = columns.findIndex((column) => column?.isKey === false && column.isWhole === true);
    for (const [index, column] of columns.entries())
      if (column?.isKey === false && index !== this.#whole) column.codec.markGiven(this.#view, 0);
  }

  /** Called for rows that were read the slow way, as those with a whole value are. */
  read(fields: readonly Field[]): void {
    const field = fields[this.#whole];
    if (field === undefined) return;
    this.bits.fill(0);
    this.#shape.value.markGiven(field.text, this.#view, 0);
  }
}
