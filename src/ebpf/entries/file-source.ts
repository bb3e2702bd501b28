/** Entries of a file, as the work on maps takes them. */
import {
  type EntryFormat,
  type EntryReaderOptions,
  type EntryShape,
  entryReader,
  type SnapshotHeader,
  snapshotHeader,
  snapshotHeaderLength,
} from '../../obj/entries/index.js';
import type { EntrySource } from './source.js';

/** Bytes of a snapshot that tell how long its header is. */
const headerStart = 64;

/** A file, pipe or standard input, open. */
export interface EntryFile extends Disposable {
  /** How messages name it. */
  readonly name: string;
  /** Whether `pieces` may be called again. */
  readonly repeatable: boolean;
  /** The bytes in pieces of any size; each belongs to the taker. Lets signals arrive in between. @throws NetkitError */
  pieces(): AsyncIterable<Uint8Array>;
}

/** All entries of a file. The errors of reading name the file, and where in it they stand. */
export function fileSource(
  file: EntryFile,
  format: EntryFormat,
  shape: EntryShape,
  options: Omit<EntryReaderOptions, 'file'> = {},
): EntrySource {
  return {
    name: file.name,
    repeatable: file.repeatable,
    unit: format === 'snapshot' ? 'entry' : 'line',
    async *read() {
      const reader = entryReader(format, shape, { ...options, file: file.name });
      for await (const piece of file.pieces()) yield* reader.push(piece);
      yield* reader.end();
    },
  };
}

/** What a snapshot says of the map that it was made of. @throws NetkitError `bad-value` for what is no snapshot */
export async function readSnapshotHeader(file: EntryFile): Promise<SnapshotHeader> {
  let bytes: Uint8Array = new Uint8Array(0);
  for await (const piece of file.pieces()) {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    if (bytes.length < headerStart) continue;
    if (bytes.length >= snapshotHeaderLength(bytes, file.name)) break;
  }
  return snapshotHeader(bytes, file.name);
}
