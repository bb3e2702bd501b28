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
  readonly #keyMembers: readonly string[];
  readonly #members: readonly string[];
  readonly #perCpu: boolean;
  readonly #keys: Codec | undefined;
  readonly #values: Codec;
  #widths: number[] = [];

  constructor(first: readonly TableEntry[], shape: EntryShape) {
    this.#keys = shape.key;
    this.#values = shape.value;
    this.#perCpu = first.some(({ perCpu }) => perCpu);
    this.#keyMembers = membersOf(first[0]?.key);
    this.#members = membersOf(sampleOf(first[0]));
    const values = [
      ...(this.#perCpu ? ['CPU'] : []),
      ...this.#members.map((member) => (member === '' ? 'VALUE' : member.toUpperCase())),
    ];
    this.titles = [...this.#keyMembers.map((member) => keyTitle(member, values)), ...values];
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
    const name = this.#keys === undefined ? [''] : cellsOf(key, this.#keyMembers, this.#keys);
    const cells = (each: Value) => cellsOf(each, this.#members, this.#values);
    if (!perCpu || !Array.isArray(value))
      return [[...name, ...(this.#perCpu ? [null] : []), ...cells(value)]];
    return value.map((each, cpu) => [...name, cpu, ...cells(each)]);
  }
}

function cellsOf(value: Value, members: readonly string[], codec: Codec): Cell[] {
  return members.map((member) => {
    if (member === '') return codec.format(value);
    const part = typeof value === 'object' && !Array.isArray(value) ? value[member] : undefined;
    return part === undefined ? null : codec.format(part);
  });
}

/** The value of an entry, or of its first CPU. */
function sampleOf(entry: TableEntry | undefined): Value | undefined {
  return entry?.perCpu === true && Array.isArray(entry.value) ? entry.value[0] : entry?.value;
}

/** A member of a key and one of the value may have the same name. */
function keyTitle(member: string, others: readonly string[]): string {
  if (member === '') return 'KEY';
  const title = member.toUpperCase();
  return others.includes(title) ? `KEY.${title}` : title;
}

/** A struct gets a column a member; anything else one column. */
function membersOf(sample: Value | undefined): string[] {
  return typeof sample === 'object' && !Array.isArray(sample) ? Object.keys(sample) : [''];
}
