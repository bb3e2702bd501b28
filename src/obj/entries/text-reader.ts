/** What the readers of text files share: bytes come in, batches go out, and what was read before an error is given first. */
import type { EntryShape } from './batch.js';
import { beforeError, EntryBuffer, type ReadEntries } from './entry-buffer.js';
import { Intake } from './intake.js';
import type { EntryReader, EntryReaderOptions } from './streams.js';

/** A reader of one text format: says how the batch is filled, and whether the file may end where it does. */
export abstract class TextReader implements EntryReader {
  protected readonly intake: Intake;
  protected readonly batch: EntryBuffer;

  constructor(shape: EntryShape, options: EntryReaderOptions) {
    this.intake = new Intake(options.file);
    this.batch = new EntryBuffer(shape, options.batchSize, options.given);
  }

  push(chunk: Uint8Array): Iterable<ReadEntries> {
    this.intake.append(chunk);
    return beforeError(this.batch, this.#batches());
  }

  end(): Iterable<ReadEntries> {
    this.intake.complete = true;
    return beforeError(this.batch, this.#batches());
  }

  /** Reads on. @returns whether the batch is full; else more bytes are needed, or all are read */
  protected abstract fill(): boolean;

  /** Called when all bytes are read. @throws NetkitError `bad-value` when something is missing */
  protected abstract checkEnd(): void;

  *#batches(): Generator<ReadEntries> {
    while (this.fill()) {
      yield this.batch;
      this.batch.clear();
    }
    if (!this.intake.complete) return;
    this.checkEnd();
    if (this.batch.count > 0) yield this.batch;
  }
}
