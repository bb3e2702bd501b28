/** The batch that a reader fills. */
import type { EntryBatch, EntryShape } from './batch.js';

/** Entries read from a file, with the place of each. */
export interface ReadEntries extends EntryBatch {
  /** Where each entry begins: its line in the file, from 1; in a snapshot its number. */
  readonly lines: Float64Array;
  /** The bits of each value that the file gives, laid out as the values are; where they were asked for. */
  readonly given?: Uint8Array | undefined;
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
  readonly given: Uint8Array | undefined;
  readonly keyView: DataView;
  readonly valueView: DataView;

  constructor(shape: EntryShape, entries = mostEntries, withGiven = false) {
    const each = Math.max(1, shape.keySize + shape.valueStride);
    this.capacity = Math.max(1, Math.min(entries, Math.floor(mostBytes / each)));
    this.keys = new Uint8Array(this.capacity * shape.keySize);
    this.values = new Uint8Array(this.capacity * shape.valueStride);
    this.lines = new Float64Array(this.capacity);
    this.given = withGiven ? new Uint8Array(this.values.length) : undefined;
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
    this.given?.fill(0);
  }
}

/** The bits of an entry's value when all members are given, for each CPU. */
export function allGiven({ value, valueStride, cpus, cpuStride }: EntryShape): Uint8Array {
  const bits = new Uint8Array(valueStride);
  const view = new DataView(bits.buffer);
  for (let cpu = 0; cpu < cpus; cpu++) value.markGiven(undefined, view, cpu * cpuStride);
  return bits;
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
