/** The batch that a reader fills. */
import type { EntryBatch, EntryShape } from './batch.js';

/** Entries read from a file, with the place of each. */
export interface ReadEntries extends EntryBatch {
  /** Where each entry begins: its line in the file, from 1; in a snapshot its number. */
  readonly lines: Float64Array;
}

const mostEntries = 4096;
/** Bytes; large values make batches of fewer entries. */
const mostBytes = 4 * 1024 * 1024;

export class EntryBuffer implements ReadEntries {
  count = 0;
  /** How many entries have room. */
  readonly capacity: number;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly lines: Float64Array;
  readonly keyView: DataView;
  readonly valueView: DataView;

  constructor(shape: EntryShape, entries = mostEntries) {
    const each = Math.max(1, shape.keySize + shape.valueStride);
    this.capacity = Math.max(1, Math.min(entries, Math.floor(mostBytes / each)));
    this.keys = new Uint8Array(this.capacity * shape.keySize);
    this.values = new Uint8Array(this.capacity * shape.valueStride);
    this.lines = new Float64Array(this.capacity);
    this.keyView = new DataView(this.keys.buffer);
    this.valueView = new DataView(this.values.buffer);
  }

  get isFull(): boolean {
    return this.count === this.capacity;
  }

  /** Forgets the entries; their bytes are zero then, padding between the values of CPUs included. */
  clear(): void {
    this.count = 0;
    this.keys.fill(0);
    this.values.fill(0);
  }
}

/** Gives the entries that stand before an error, and then the error: they were read as they should be. */
export function* beforeError(batch: EntryBuffer, batches: Iterable<ReadEntries>): Generator<ReadEntries> {
  try {
    yield* batches;
  } catch (error) {
    if (batch.count > 0) yield batch;
    throw error;
  }
}
