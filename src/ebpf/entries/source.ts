/** Where entries come from: a file, or another map. */
import { NetkitError } from '../../base/errors.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';

/** Entries on their way; overwritten by the next batch. */
export interface SourceBatch extends EntryBatch {
  /** Where in the source each entry stands: the line in a file. Absent for a map. */
  readonly lines?: Float64Array;
  /** The bits of each value that the source gives, laid out as the values are; absent where it gives them all. */
  readonly given?: Uint8Array | undefined;
}

/** All entries of a file or map, in batches. */
export interface EntrySource {
  /** How messages name it: a path, or `the map fw/blocklist`. */
  readonly name: string;
  /** Whether `read` may be called again: not for a pipe. */
  readonly repeatable: boolean;
  /** What one position is called: `line`, or `entry` where the file has no lines. Absent for a map. */
  readonly unit?: 'line' | 'entry';
  /** Yields to the event loop between batches, so that an interrupt arrives. @throws NetkitError `bad-value` for what is no entry */
  read(): AsyncIterable<SourceBatch>;
}

/** A batch of one's own, for what goes on while the source makes the next one. */
export class BatchCopy implements SourceBatch {
  count = 0;
  keys = new Uint8Array(0);
  values = new Uint8Array(0);
  lines = new Float64Array(0);
  readonly #keySize: number;
  readonly #valueStride: number;

  constructor(shape: Pick<EntryShape, 'keySize' | 'valueStride'>) {
    this.#keySize = shape.keySize;
    this.#valueStride = shape.valueStride;
  }

  /** Forgets everything, and keeps the memory. */
  clear(): void {
    this.count = 0;
  }

  /** Takes the entries `from` to `until` (exclusive) over. */
  take(batch: SourceBatch, from: number, until: number): this {
    this.clear();
    return this.append(batch, from, until);
  }

  /** Adds the entries `from` to `until` (exclusive). */
  append(batch: SourceBatch, from: number, until: number): this {
    const added = until - from;
    this.#reserve(this.count + added);
    const [key, value] = [this.#keySize, this.#valueStride];
    this.keys.set(batch.keys.subarray(from * key, until * key), this.count * key);
    this.values.set(batch.values.subarray(from * value, until * value), this.count * value);
    if (batch.lines !== undefined) this.lines.set(batch.lines.subarray(from, until), this.count);
    else this.lines.fill(0, this.count, this.count + added);
    this.count += added;
    return this;
  }

  #reserve(count: number): void {
    if (count <= this.lines.length) return;
    const room = Math.max(count, this.lines.length * 2);
    this.keys = grown(this.keys, new Uint8Array(room * this.#keySize));
    this.values = grown(this.values, new Uint8Array(room * this.#valueStride));
    const lines = new Float64Array(room);
    lines.set(this.lines);
    this.lines = lines;
  }
}

function grown(old: Uint8Array<ArrayBuffer>, next: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  next.set(old);
  return next;
}

/** The entries `from` to `until` (exclusive) of a batch, sharing its bytes. */
export function slice(batch: SourceBatch, from: number, until: number, shape: EntryShape): SourceBatch {
  if (from === 0 && until === batch.count) return batch;
  return {
    count: until - from,
    keys: batch.keys.subarray(from * shape.keySize, until * shape.keySize),
    values: batch.values.subarray(from * shape.valueStride, until * shape.valueStride),
    ...(batch.lines === undefined ? {} : { lines: batch.lines.subarray(from, until) }),
  };
}

/** @throws NetkitError `interrupted` once the user has */
export function refuseInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new NetkitError('interrupted', 'interrupted');
}

/** What an error is when the user has interrupted: a stream that was being waited for fails by that. */
export function unlessInterrupted(error: unknown, signal: AbortSignal | undefined): unknown {
  return signal?.aborted === true ? new NetkitError('interrupted', 'interrupted', { cause: error }) : error;
}
