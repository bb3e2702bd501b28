import type { EntryShape } from '../../obj/entries/batch.js';
import { writtenOf } from './failure.js';
import { BatchCopy, type SourceBatch } from './source.js';
import type { EntryTarget } from './target.js';

/** Entries in one call: enough that its cost is nothing against theirs, few enough that an interrupt is quick. */
const mostEntries = 32_768;
/** Bytes of them: large values come in smaller batches. */
const mostBytes = 1 << 20;

/** What the kernel refused, and where in the source it stands. */
export interface RefusedEntry {
  readonly error: unknown;
  /** 0 when the source has no lines. */
  readonly line: number;
}

/**
 * Writes one batch while the next one is read. A refusal shows later than the call that brought the entry: nothing
 * is written after it.
 */
export class WriteBehind {
  readonly #target: EntryTarget;
  readonly #onWritten: (entries: number) => void;
  readonly #perCall: number;
  #filling: BatchCopy;
  #writing: BatchCopy;
  #pending: Promise<RefusedEntry | undefined> = Promise.resolve(undefined);
  #refused: RefusedEntry | undefined;
  #written = 0;

  constructor(target: EntryTarget, shape: EntryShape, onWritten: (entries: number) => void) {
    this.#target = target;
    this.#onWritten = onWritten;
    const fitting = Math.floor(mostBytes / Math.max(1, shape.keySize + shape.valueStride));
    this.#perCall = Math.max(1, Math.min(mostEntries, fitting));
    this.#filling = new BatchCopy(shape);
    this.#writing = new BatchCopy(shape);
  }

  /** Entries that are in the map. */
  get written(): number {
    return this.#written;
  }

  /** Takes the entries `from` to `until` of a batch. @returns what the kernel refused so far */
  async add(batch: SourceBatch, from: number, until: number): Promise<RefusedEntry | undefined> {
    for (let at = from; at < until && this.#refused === undefined; ) {
      const end = Math.min(until, at + this.#perCall - this.#filling.count);
      this.#filling.append(batch, at, end);
      at = end;
      if (this.#filling.count === this.#perCall) await this.#send();
    }
    return this.#refused;
  }

  /** Writes what is left and waits for it. @returns what the kernel refused */
  async end(): Promise<RefusedEntry | undefined> {
    if (this.#filling.count > 0) await this.#send();
    return this.#settle();
  }

  async #send(): Promise<void> {
    if ((await this.#settle()) !== undefined) return;
    const batch = this.#filling;
    this.#filling = this.#writing;
    this.#filling.clear();
    this.#writing = batch;
    this.#pending = this.#write(batch);
  }

  async #settle(): Promise<RefusedEntry | undefined> {
    this.#refused ??= await this.#pending;
    return this.#refused;
  }

  /** Never rejects: nobody waits for it while the next batch is read. */
  async #write(batch: BatchCopy): Promise<RefusedEntry | undefined> {
    try {
      await this.#target.write(batch);
    } catch (error) {
      const written = writtenOf(error) ?? 0;
      this.#written += written;
      return { error, line: batch.lines[written] ?? 0 };
    }
    this.#written += batch.count;
    this.#onWritten(batch.count);
    return undefined;
  }
}
