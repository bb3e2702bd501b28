/** Entries of a file, as the work on maps takes them. */
import { NetkitError } from '../base/errors.js';
import { referenceShape } from '../ebpf/entries/references.js';
import type { EntrySource } from '../ebpf/entries/source.js';
import type { BpfMap } from '../ebpf/map.js';
import {
  type EntryFormat,
  type EntryShape,
  entryFileEndings,
  entryReader,
  formatOf,
  type SnapshotHeader,
  snapshotHeader,
  snapshotHeaderLength,
} from '../obj/entries/index.js';
import type { CommandContext } from './context.js';
import type { EntryFile } from './entry-file.js';
import { idOfReferred } from './referred-id.js';

/** Bytes of a snapshot that tell how long its header is. */
const headerStart = 64;

/** The format that a file is said to have, or that its name tells. @throws NetkitError `usage` when neither does */
export function formatFor(path: string | undefined, given: EntryFormat | undefined): EntryFormat {
  if (given !== undefined) return given;
  if (path === undefined || path === '-') return 'ndjson';
  const format = formatOf(path);
  if (format !== undefined) return format;
  throw new NetkitError('usage', `the name '${path}' does not tell a format`, {
    hint: `use --format, or a name that ends in ${entryFileEndings.join(', ')}`,
  });
}

/** The shape by which entries of this map are read from text: with references where the kernel has descriptors. */
export function readingShape(context: CommandContext, map: BpfMap): EntryShape {
  const { refersTo, shape } = map;
  return refersTo === undefined ? shape : referenceShape(shape, idOfReferred(context, refersTo));
}

/** All entries of a file. The errors of reading name the file, and where in it they stand. */
export function fileSource(file: EntryFile, format: EntryFormat, shape: EntryShape): EntrySource {
  return {
    name: file.name,
    repeatable: file.repeatable,
    unit: format === 'snapshot' ? 'entry' : 'line',
    async *read() {
      const reader = entryReader(format, shape, { file: file.name });
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
