/** What readers and writers of entry files look like, whatever the format. */
import type { EntryBatch } from './batch.js';
import type { ReadEntries } from './entry-buffer.js';
import type { SnapshotHeader, SnapshotTypes } from './snapshot-header.js';

/** Makes a file of batches: `head`, then each batch, then `tail`. What it gives is valid until the next call. */
export interface EntryWriter {
  head(): Uint8Array;
  batch(batch: EntryBatch): Uint8Array;
  tail(): Uint8Array;
}

export interface EntryWriterOptions {
  /** 64-bit integers in double quotes, for readers of JSON that round. */
  readonly wideAsText?: boolean;
  /** Of a per-CPU map the sum over all CPUs in place of each CPU's value, where it has one. Not for snapshots. */
  readonly sumOverCpus?: boolean;
  /** What a snapshot says of the map; without it the snapshot has no types. */
  readonly snapshot?: SnapshotTypes;
}

/**
 * Takes a file in chunks of any size, cut anywhere, and gives its entries in batches. Each batch is overwritten by the
 * next one. What `push` and `end` give must be gone through to its end before the next call.
 */
export interface EntryReader {
  /** The batches that are full so far. @throws NetkitError `bad-value` naming line and column, on the way */
  push(chunk: Uint8Array): Iterable<ReadEntries>;
  /** What is left when the file ends. @throws NetkitError `bad-value` when it ends too early */
  end(): Iterable<ReadEntries>;
}

export interface EntryReaderOptions {
  /** How errors call the file. */
  readonly file?: string | undefined;
  /** Most entries in a batch, 4096 when left out. A snapshot comes in the batches in which it was written. */
  readonly batchSize?: number;
  /** Tell which bits of each value the file gives, as `given` of the batches. */
  readonly given?: boolean;
  /**
   * What a single value for an entry of a per-CPU map is: of numbers the `sum` over all CPUs, as exports may have it, or
   * the value of `each` CPU. The sum when left out.
   */
  readonly single?: 'sum' | 'each';
  /**
   * Called once with the header of a snapshot, before its first entry: may refuse it by throwing. Keys and values of
   * other widths than the shape's are refused anyway.
   */
  readonly onSnapshot?: (header: SnapshotHeader) => void;
}
