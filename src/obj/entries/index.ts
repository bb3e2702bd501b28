/** Entries of maps in files: JSON, NDJSON, CSV and snapshots, written and read as streams. */
export type { EntryBatch, EntryShape } from './batch.js';
export type { ReadEntries } from './entry-buffer.js';
export { type EntryFormat, entryFileEndings, formatOf } from './format.js';
export { KeyTable, type KeyTableOptions } from './key-table.js';
export { entryReader } from './reader.js';
export {
  type SnapshotHeader,
  type SnapshotTypes,
  snapshotHeader,
  snapshotHeaderLength,
  snapshotShape,
} from './snapshot-header.js';
export type { EntryReader, EntryReaderOptions, EntryWriter, EntryWriterOptions } from './streams.js';
export { entryWriter } from './writer.js';
