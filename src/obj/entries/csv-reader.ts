/** CSV: a header, then a row an entry; of a per-CPU map a row for each CPU, one after the other. */
import { type ErrorContext, NetkitError } from '../../base/errors.js';
import type { TextSource } from '../codec/index.js';
import type { EntryShape } from './batch.js';
import { CpuRows } from './csv-cpus.js';
import { RowGiven } from './csv-given.js';
import { columnsOfFile, type FileColumn, type FileColumns } from './csv-header.js';
import { type Field, fieldsOf, RowExtent } from './csv-row.js';
import { recordLimit } from './intake.js';
import type { EntryReaderOptions } from './streams.js';
import { TextReader } from './text-reader.js';

const comma = 0x2c;
const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class CsvReader extends TextReader {
  readonly #shape: EntryShape;
  readonly #extent = new RowExtent();
  /** Undefined until the header is read. */
  #columns: FileColumns | undefined;
  /** Puts the rows of one entry together, where it has several. */
  readonly #cpus: CpuRows | undefined;
  readonly #given: RowGiven | undefined;
  /** The row's CPU; -1 where none is given. */
  #cpu = -1;
  /** Did the last row that was tried the fast way have a field in quotes? Lines may begin in such a field. */
  #hasQuotes = false;

  constructor(shape: EntryShape, options: EntryReaderOptions) {
    super(shape, options);
    this.#shape = shape;
    this.#cpus = shape.cpus > 1 ? new CpuRows(shape, this.batch, options.single) : undefined;
    this.#given = options.given === true ? new RowGiven(shape) : undefined;
  }

  protected override checkEnd(): void {
    const { start } = this.intake;
    if (this.#columns === undefined)
      throw this.intake.problem(start, 'the file is empty: a header must be there');
    const missing = this.#cpus?.missing();
    if (missing !== undefined) throw this.intake.problem(start, `the file ends early: ${missing}`);
  }

  protected override fill(): boolean {
    const intake = this.intake;
    if (!intake.begin()) return false;
    while (this.#columns === undefined) if (!this.#readRow(intake.start)) return false;
    const { source, end, complete } = intake;
    const batch = this.batch;
    const columns = this.#columns;
    while (!batch.isFull) {
      const at = intake.start;
      if (at >= end) return false;
      // A row that was too short before is tried again only when all of it is there.
      if (columns.isPartial) this.#clearValue();
      const behind = this.#extent.isUnderWay ? -1 : this.#take(columns.columns, source, at, end, complete);
      if (
        behind < 0 ||
        behind - at > recordLimit ||
        (this.#hasQuotes && intake.lineFeedFrom(at) < behind - 1)
      ) {
        if (!this.#readRow(at)) return false;
        continue;
      }
      this.#add(at);
      intake.newLine(behind);
      intake.start = behind;
    }
    return true;
  }

  /** The fast way. @returns the place behind the row's line end; -1 when the row must be read the slow way */
  #take(
    columns: readonly FileColumn[],
    source: TextSource,
    start: number,
    end: number,
    complete: boolean,
  ): number {
    const { bytes } = source;
    const { keySize, valueStride } = this.#shape;
    const { keyView, valueView } = this.#cpus ?? this.batch;
    const index = this.#cpus === undefined ? this.batch.count : 0;
    const last = columns.length - 1;
    this.#hasQuotes = false;
    let at = start;
    for (let column = 0; column <= last; column++) {
      const each = columns[column];
      if (bytes[at] === quote) this.#hasQuotes = true;
      source.at = at;
      if (each === undefined) {
        if (!this.#takeCpu(source, end)) return -1;
      } else if (each.isKey) {
        if (!each.codec.readCsv(source, keyView, index * keySize)) return -1;
      } else if (!each.codec.readCsv(source, valueView, index * valueStride)) {
        return -1;
      }
      at = source.at;
      if (column === last) break;
      if (at >= end || bytes[at] !== comma) return -1;
      at++;
    }
    if (at >= end) return complete ? at : -1;
    if (bytes[at] === lineFeed) return at + 1;
    return bytes[at] === carriageReturn && at + 1 < end && bytes[at + 1] === lineFeed ? at + 2 : -1;
  }

  #takeCpu(source: TextSource, end: number): boolean {
    const { bytes } = source;
    let cpu = -1;
    let at = source.at;
    for (; at < end; at++) {
      const digit = (bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      cpu = Math.max(cpu, 0) * 10 + digit;
      if (cpu >= this.#shape.cpus) return false;
    }
    source.at = at;
    this.#cpu = cpu;
    return true;
  }

  /** The row is read: counts it. */
  #add(at: number): void {
    const batch = this.batch;
    const given = this.#given?.bits;
    if (this.#cpus === undefined) {
      if (given !== undefined) batch.given?.set(given, batch.count * this.#shape.valueStride);
      batch.lines[batch.count++] = this.intake.line;
      return;
    }
    const problem = this.#cpus.add(this.#cpu, this.intake.line, given);
    if (problem !== undefined) throw this.intake.problem(at, problem);
  }

  /** Reads the header or a row the slow way. @returns false while its end is missing */
  #readRow(at: number): boolean {
    const intake = this.intake;
    const { bytes, end, complete } = intake;
    if (at >= end) return false;
    const found = this.#extent.find(bytes, at, end);
    const rowEnd = found < 0 ? end : found;
    intake.checkLength(at, rowEnd, 'this row');
    if (found < 0 && !complete) return false;
    this.#extent.reset();
    const isBlank = rowEnd === at || (rowEnd === at + 1 && bytes[at] === carriageReturn);
    if (!isBlank) {
      const fields = fieldsOf(intake, at, rowEnd);
      if (this.#columns === undefined) {
        this.#columns = columnsOfFile(intake, fields, this.#shape);
        this.#given?.begin(this.#columns.columns);
      } else this.#encode(this.#columns.columns, fields, at, rowEnd);
    }
    const behind = found < 0 ? end : found + 1;
    intake.newLines(at, behind);
    intake.start = behind;
    return true;
  }

  #encode(columns: readonly FileColumn[], fields: readonly Field[], at: number, rowEnd: number): void {
    if (fields.length !== columns.length) {
      const extra = fields[columns.length];
      const fewer = fields.length === 1 ? '1 field' : `${fields.length} fields`;
      throw this.intake.problem(
        extra?.at ?? rowEnd,
        `this row has ${fewer}, the header has ${columns.length}`,
      );
    }
    const { keySize, valueStride } = this.#shape;
    const target = this.#cpus ?? this.batch;
    const index = this.#cpus === undefined ? this.batch.count : 0;
    // The fast way may have written a part.
    target.keys.fill(0, index * keySize, (index + 1) * keySize);
    this.#clearValue();
    this.#cpu = -1;
    for (const [position, column] of columns.entries()) {
      const field = fields[position];
      if (field === undefined) continue;
      try {
        if (column === undefined) this.#cpu = cpuOf(field.text, this.#shape.cpus);
        else if (column.isKey) column.codec.encodeText(field.text, target.keyView, index * keySize);
        else column.codec.encodeText(field.text, target.valueView, index * valueStride);
      } catch (error) {
        throw this.#inColumn(field, column?.name ?? 'cpu', error);
      }
    }
    this.#given?.read(fields);
    this.#add(at);
  }

  /** Zero is what members are that no column gives. */
  #clearValue(): void {
    const { valueStride, cpuStride } = this.#shape;
    const { values } = this.#cpus ?? this.batch;
    const start = this.#cpus === undefined ? this.batch.count * valueStride : 0;
    values.fill(0, start, start + (this.#cpus === undefined ? valueStride : cpuStride));
  }

  #inColumn(field: Field, name: string, error: unknown): unknown {
    if (!(error instanceof NetkitError)) return error;
    const context: ErrorContext = { hint: error.hint, details: { ...error.details, name } };
    const message = error.message.startsWith(name) ? error.message : `${name}: ${error.message}`;
    return this.intake.problem(field.at, message, context);
  }
}

function cpuOf(text: string, cpus: number): number {
  if (text.trim() === '') return -1;
  const cpu = /^ *[0-9]{1,6} *$/.test(text) ? Number(text) : Number.NaN;
  if (cpu < cpus) return cpu;
  throw new NetkitError('bad-value', `'${text}' is not a CPU: there are 0 to ${cpus - 1}`);
}
