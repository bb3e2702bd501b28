import type { Readiness } from '../sys/readiness.js';
import type { EventBatch } from './event-batch.js';

/** How long batches may follow each other without letting timers, signals and sockets have their turn. */
const turnMilliseconds = 10;

/** When `batches` ends. */
export interface BatchesOptions {
  /** When it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** After so many records: what follows them is not taken out of the buffer. */
  readonly records?: number | undefined;
}

/** What can be read from a buffer that programs write records into: at once, or as they come. */
export abstract class EventBuffer implements Disposable, AsyncIterable<EventBatch> {
  /** Undefined when it is closed. @internal */
  protected abstract readonly readiness: Readiness | undefined;

  /** The records that are there, at once, `most` at most; none when there are none. */
  abstract drain(most?: number): EventBatch;

  /** How many records were lost since this was opened; undefined where nothing counts them. */
  abstract lost(): bigint | undefined;

  abstract [Symbol.dispose](): void;

  /**
   * Batches as they come, without end unless `options` set one: waits while there is nothing, beside everything else that
   * the process does. Ends when this is disposed. While it waits the process does not end by itself. Records that a
   * program wrote without a wake-up are seen within about a second.
   *
   * ```ts
   * for await (const batch of buffer.batches()) for (const record of batch) …
   * ```
   * @throws NetkitError as `drain`
   */
  async *batches(options: BatchesOptions = {}): AsyncGenerator<EventBatch, void> {
    const { signal } = options;
    let left = options.records ?? Number.POSITIVE_INFINITY;
    let turn = performance.now();
    for (let readiness = this.readiness; readiness !== undefined; readiness = this.readiness) {
      if (signal?.aborted || left <= 0) return;
      const batch = this.drain(left);
      left -= batch.length;
      if (batch.length > 0) yield batch;
      if (batch.length === 0) await readiness.wait(signal);
      else if (performance.now() - turn < turnMilliseconds) continue;
      else await new Promise((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
  }

  /** The same as {@link EventBuffer.batches}. */
  [Symbol.asyncIterator](): AsyncGenerator<EventBatch, void> {
    return this.batches();
  }
}
