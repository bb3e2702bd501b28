import type { EntryShape } from './batch.js';
import { CsvWriter } from './csv-writer.js';
import type { EntryFormat } from './format.js';
import { JsonWriter } from './json-writer.js';
import { SnapshotWriter } from './snapshot-writer.js';
import type { EntryWriter, EntryWriterOptions } from './streams.js';

/** A writer of files with entries of this shape. */
export function entryWriter(
  format: EntryFormat,
  shape: EntryShape,
  options: EntryWriterOptions = {},
): EntryWriter {
  switch (format) {
    case 'json':
    case 'ndjson':
      return new JsonWriter(shape, format, options);
    case 'csv':
      return new CsvWriter(shape, options);
    case 'snapshot':
      return new SnapshotWriter(shape, options.snapshot);
  }
}
