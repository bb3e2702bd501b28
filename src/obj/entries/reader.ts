import type { EntryShape } from './batch.js';
import { CsvReader } from './csv-reader.js';
import type { EntryFormat } from './format.js';
import { JsonReader } from './json-reader.js';
import { NdjsonReader } from './ndjson-reader.js';
import { SnapshotReader } from './snapshot-reader.js';
import type { EntryReader, EntryReaderOptions } from './streams.js';

/** A reader of files with entries of this shape. */
export function entryReader(
  format: EntryFormat,
  shape: EntryShape,
  options: EntryReaderOptions = {},
): EntryReader {
  switch (format) {
    case 'json':
      return new JsonReader(shape, options);
    case 'ndjson':
      return new NdjsonReader(shape, options);
    case 'csv':
      return new CsvReader(shape, options);
    case 'snapshot':
      return new SnapshotReader(shape, options);
  }
}
