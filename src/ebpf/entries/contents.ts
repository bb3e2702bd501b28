/** What a file or map has, in a few bytes an entry. */

import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import { type Comparison, KeyTable } from '../../obj/entries/key-table.js';

/** All keys of a source with fingerprints of their values: about 20 bytes an entry. */
export class Contents {
  readonly #shape: EntryShape;
  readonly #table: KeyTable;
  /** Of a per-CPU map the values of all CPUs without the padding between them, which may hold anything. */
  readonly #packed: Uint8Array | undefined;

  constructor(shape: EntryShape) {
    this.#shape = shape;
    this.#table = new KeyTable(shape.keySize, { payload: true });
    const bytes = shape.cpus * shape.value.size;
    this.#packed = bytes === shape.valueStride ? undefined : new Uint8Array(bytes);
  }

  /** How many entries there are. */
  get count(): number {
    return this.#table.size;
  }

  /** How many of them a map was found to have, whatever the value. */
  get seen(): number {
    return this.#table.seen;
  }

  /** Adds the entries of a batch. @returns the index of the first one whose key was there already; `count` when none was */
  add(batch: EntryBatch): number {
    const { keySize, valueStride } = this.#shape;
    const { count, keys, values } = batch;
    for (let index = 0; index < count; index++) {
      const [bytes, at, size] = this.#significant(values, index * valueStride);
      if (!this.#table.put(keys, index * keySize, bytes, at, size)) return index;
    }
    return count;
  }

  /** Compares an entry of a map; its key counts as seen from then on. */
  compare(keys: Uint8Array, keyOffset: number, values: Uint8Array, valueOffset: number): Comparison {
    const [bytes, at, size] = this.#significant(values, valueOffset);
    return this.#table.compare(keys, keyOffset, bytes, at, size);
  }

  has(keys: Uint8Array, offset: number): boolean {
    return this.#table.has(keys, offset);
  }

  isSeen(keys: Uint8Array, offset: number): boolean {
    return this.#table.isSeen(keys, offset);
  }

  #significant(
    values: Uint8Array,
    offset: number,
  ): readonly [bytes: Uint8Array, offset: number, size: number] {
    const { value, cpus, cpuStride, valueStride } = this.#shape;
    const packed = this.#packed;
    if (packed === undefined) return [values, offset, valueStride];
    for (let cpu = 0; cpu < cpus; cpu++) {
      const from = offset + cpu * cpuStride;
      packed.set(values.subarray(from, from + value.size), cpu * value.size);
    }
    return [packed, 0, packed.length];
  }
}
