/** Entries as CSV (RFC 4180, lines ending in a line feed): a header, then a row an entry, or one for each of its CPUs. */
import { NetkitError } from '../../base/errors.js';
import { toJson } from '../../base/json.js';
import { TextSink, type Value } from '../codec/index.js';
import type { EntryBatch, EntryShape } from './batch.js';
import { type EntryColumn, entryColumns, headerOf } from './csv-columns.js';
import type { EntryWriter, EntryWriterOptions } from './streams.js';
import { sumOverCpus, typeHasSum } from './sum.js';
import { ViewCache } from './view-cache.js';

const comma = 0x2c;
const quote = 0x22;
const lineFeed = 0x0a;
/** Bytes of a CPU's number, two commas, a line end, quotes. */
const frame = 32;

export class CsvWriter implements EntryWriter {
  readonly #shape: EntryShape;
  readonly #columns: readonly EntryColumn[];
  readonly #keyColumns: readonly EntryColumn[];
  readonly #valueColumns: readonly EntryColumn[];
  readonly #sums: boolean;
  readonly #withCpu: boolean;
  readonly #sink = new TextSink(64 * 1024);
  readonly #limit: number;
  readonly #keyViews = new ViewCache();
  readonly #valueViews = new ViewCache();

  constructor(shape: EntryShape, options: EntryWriterOptions) {
    this.#shape = shape;
    this.#columns = entryColumns(shape);
    this.#keyColumns = this.#columns.filter(({ isKey }) => isKey);
    this.#valueColumns = this.#columns.filter(({ isKey }) => !isKey);
    this.#sums = shape.cpus > 1 && options.sumOverCpus === true;
    // A CPU's number may be left out of a row: that is the sum then. Where all rows are sums, the column is not there.
    this.#withCpu = shape.cpus > 1 && !(this.#sums && typeHasSum(shape.value));
    this.#limit = this.#columns.reduce((sum, { codec }) => sum + codec.csvLimit + 1, frame);
  }

  head(): Uint8Array {
    this.#sink.clear();
    this.#sink.utf8(`${headerOf(this.#columns, this.#withCpu)}\n`);
    return this.#sink.view();
  }

  batch(batch: EntryBatch): Uint8Array {
    const sink = this.#sink;
    sink.clear();
    const { keySize, valueStride, cpus } = this.#shape;
    const keys = this.#keyViews.of(batch.keys);
    const values = this.#valueViews.of(batch.values);
    for (let index = 0; index < batch.count; index++) {
      if (cpus === 1) this.#row(keys, index * keySize, values, index * valueStride, -1);
      else this.#cpus(keys, index * keySize, values, index * valueStride);
    }
    return sink.view();
  }

  tail(): Uint8Array {
    this.#sink.clear();
    return this.#sink.view();
  }

  #row(keys: DataView, keyAt: number, values: DataView, valueAt: number, cpu: number): void {
    const sink = this.#sink;
    const start = this.#begin(keys, keyAt, cpu);
    for (const { codec } of this.#valueColumns) {
      codec.writeCsv(values, valueAt, sink);
      sink.bytes[sink.at++] = comma;
    }
    this.#end(start);
  }

  /** @param cpu -1 for all @returns where the row begins */
  #begin(keys: DataView, keyAt: number, cpu: number): number {
    const sink = this.#sink;
    sink.reserve(this.#limit);
    const start = sink.at;
    for (const { codec } of this.#keyColumns) {
      codec.writeCsv(keys, keyAt, sink);
      sink.bytes[sink.at++] = comma;
    }
    if (this.#withCpu) {
      if (cpu >= 0) sink.ascii(String(cpu));
      sink.bytes[sink.at++] = comma;
    }
    return start;
  }

  #end(start: number): void {
    const sink = this.#sink;
    // A row of one empty field would be a blank line.
    if (sink.at === start + 1) {
      sink.bytes[start] = quote;
      sink.bytes[start + 1] = quote;
      sink.at = start + 3;
    }
    // In place of the last comma.
    sink.bytes[sink.at - 1] = lineFeed;
  }

  #cpus(keys: DataView, keyAt: number, values: DataView, valueAt: number): void {
    const { cpus, cpuStride } = this.#shape;
    const sum = this.#sums ? this.#sumOf(values, valueAt) : undefined;
    if (sum !== undefined) {
      const start = this.#begin(keys, keyAt, -1);
      for (const { codec } of this.#valueColumns) this.#sink.utf8(`${fieldOf(sum, codec.path)},`);
      this.#sink.reserve(frame);
      this.#end(start);
      return;
    }
    if (this.#sums && !this.#withCpu) {
      throw new NetkitError('bad-value', 'the values of one entry have no sum over all CPUs');
    }
    for (let cpu = 0; cpu < cpus; cpu++) {
      this.#row(keys, keyAt, values, valueAt + cpu * cpuStride, cpu);
    }
  }

  #sumOf(values: DataView, valueAt: number): Value | undefined {
    const { value, cpus, cpuStride } = this.#shape;
    const each: Value[] = [];
    for (let cpu = 0; cpu < cpus; cpu++) each.push(value.decode(values, valueAt + cpu * cpuStride));
    return sumOverCpus(each);
  }
}

/** The field of one member of a sum, which need not fit the member's type. */
function fieldOf(sum: Value, path: string): string {
  let at: Value | undefined = sum;
  for (const name of path === '' ? [] : path.split('.')) {
    at = typeof at === 'object' && !Array.isArray(at) ? at[name] : undefined;
  }
  if (typeof at !== 'object') return Object.is(at, -0) ? '-0' : String(at);
  return `"${toJson(at).replaceAll('"', '""')}"`;
}
