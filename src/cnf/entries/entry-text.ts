/** Entries as people read them in a plan: the members that are declared, and no others. */
import { type CodecColumn, TextSink } from '../../obj/codec/index.js';
import type { EntryShape } from '../../obj/entries/batch.js';

interface Column {
  readonly column: CodecColumn;
  readonly bits: Uint8Array;
}

/** CPUs of which the values are told when they differ. */
const mostCpus = 4;

export class EntryTexts {
  readonly #shape: EntryShape;
  readonly #columns: readonly Column[];

  constructor(shape: EntryShape) {
    this.#shape = shape;
    this.#columns = shape.value.columns.map((column) => {
      const bits = new Uint8Array(shape.value.size);
      column.markGiven(new DataView(bits.buffer), 0);
      return { column, bits };
    });
  }

  /** `10.0.0.0/8` */
  key(keys: Uint8Array, offset: number): string {
    const { key } = this.#shape;
    return key === undefined
      ? ''
      : key.format(key.decode(new DataView(keys.buffer, keys.byteOffset), offset));
  }

  /**
   * `action=drop`, or `7` for a value without members.
   * @param bits which of them are told: those of members that have any of these bits
   */
  value(values: Uint8Array, offset: number, bits: Uint8Array): string {
    const { cpus, cpuStride } = this.#shape;
    const texts = Array.from({ length: cpus }, (_, cpu) => this.#cpu(values, offset, bits, cpu * cpuStride));
    const [first = ''] = texts;
    if (texts.every((text) => text === first)) return first;
    const told = texts.slice(0, mostCpus).map((text, cpu) => `CPU ${cpu}: ${text}`);
    return [...told, ...(cpus > mostCpus ? ['…'] : [])].join('; ');
  }

  #cpu(values: Uint8Array, offset: number, bits: Uint8Array, start: number): string {
    const view = new DataView(values.buffer, values.byteOffset);
    const told = this.#columns.filter(({ bits: own }) =>
      own.some((byte, at) => (byte & (bits[start + at] ?? 0)) !== 0),
    );
    return told
      .map(({ column }) => {
        const sink = new TextSink(column.csvLimit);
        column.writeCsv(view, offset + start, sink);
        const text = Buffer.from(sink.view()).toString();
        return column.path === '' ? text : `${column.path}=${text}`;
      })
      .join(',');
  }
}
