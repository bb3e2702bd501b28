/** All entries of a map as a table for people, which begins before the last entry is read. */
import type { Codec, Value } from '../obj/codec/index.js';
import type { EntryBatch, EntryShape } from '../obj/entries/batch.js';
import { sumOverCpus } from '../obj/entries/sum.js';
import { type Cell, cellText } from './page.js';

/** An entry, decoded. */
export interface TableEntry {
  readonly key: Value;
  /** One value a CPU where each is to be shown. */
  readonly value: Value;
  readonly perCpu: boolean;
}

/** What a per-CPU value is shown as: `each` CPU's value, or their `sum` where there is one. `one`: the map is not per-CPU. */
export type CpuView = 'one' | 'sum' | 'each';

/** The entries of a batch, decoded. */
export function decodedEntries(batch: EntryBatch, shape: EntryShape, cpus: CpuView): TableEntry[] {
  const keys = new DataView(batch.keys.buffer, batch.keys.byteOffset, batch.keys.byteLength);
  const values = new DataView(batch.values.buffer, batch.values.byteOffset, batch.values.byteLength);
  return Array.from({ length: batch.count }, (_, index) => ({
    key: shape.key?.decode(keys, index * shape.keySize) ?? '',
    ...shownAt(values, index * shape.valueStride, shape, cpus),
  }));
}

function shownAt(view: DataView, offset: number, shape: EntryShape, cpus: CpuView) {
  if (cpus === 'one') return { value: shape.value.decode(view, offset), perCpu: false };
  const each = Array.from({ length: shape.cpus }, (_, cpu) =>
    shape.value.decode(view, offset + cpu * shape.cpuStride),
  );
  const sum = cpus === 'each' ? undefined : sumOverCpus(each);
  return sum === undefined ? { value: each, perCpu: true } : { value: sum, perCpu: false };
}

/** Turns entries into rows; what the columns are follows from the first ones. */
export class EntryTable {
  readonly titles: readonly string[];
  readonly #members: readonly string[];
  readonly #perCpu: boolean;
  readonly #keys: Codec | undefined;
  readonly #values: Codec;
  #widths: number[] = [];

  constructor(first: readonly TableEntry[], shape: EntryShape) {
    this.#keys = shape.key;
    this.#values = shape.value;
    this.#perCpu = first.some(({ perCpu }) => perCpu);
    this.#members = membersOf(first[0]);
    this.titles = [
      'KEY',
      ...(this.#perCpu ? ['CPU'] : []),
      ...this.#members.map((member) => (member === '' ? 'VALUE' : member.toUpperCase())),
    ];
  }

  rows(entries: readonly TableEntry[]): Cell[][] {
    return entries.flatMap((entry) => this.#rowsOf(entry));
  }

  /** Lines under columns as wide as these rows need, the titles first. What comes later and is wider sticks out. */
  head(rows: readonly (readonly Cell[])[]): string {
    const texts = [this.titles, ...rows.map((row) => row.map(cellText))];
    this.#widths = this.titles.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
    return this.lines(texts);
  }

  /** Lines under the same columns. */
  lines(rows: readonly (readonly Cell[])[]): string {
    const widths = this.#widths;
    let text = '';
    for (const row of rows) {
      const cells = row.map((cell, column) => cellText(cell).padEnd(widths[column] ?? 0));
      text += `${cells.join('  ').trimEnd()}\n`;
    }
    return text;
  }

  #rowsOf({ key, value, perCpu }: TableEntry): Cell[][] {
    const name = this.#keys?.format(key) ?? '';
    if (!perCpu || !Array.isArray(value))
      return [[name, ...(this.#perCpu ? [null] : []), ...this.#cellsOf(value)]];
    return value.map((each, cpu) => [name, cpu, ...this.#cellsOf(each)]);
  }

  #cellsOf(value: Value): Cell[] {
    return this.#members.map((member) => {
      if (member === '') return this.#values.format(value);
      const part = typeof value === 'object' && !Array.isArray(value) ? value[member] : undefined;
      return part === undefined ? null : this.#values.format(part);
    });
  }
}

/** A struct gets a column a member; anything else one column. */
function membersOf(entry: TableEntry | undefined): string[] {
  const sample = entry?.perCpu === true && Array.isArray(entry.value) ? entry.value[0] : entry?.value;
  return typeof sample === 'object' && !Array.isArray(sample) ? Object.keys(sample) : [''];
}
