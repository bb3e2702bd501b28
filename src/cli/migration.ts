/** From a map or snapshot into a map, where the types allow it. */
import { mapSource } from '../ebpf/entries/map-source.js';
import { type MigrationSide, migrated } from '../ebpf/entries/migration.js';
import { refuseForeignIds } from '../ebpf/entries/references.js';
import type { EntrySource } from '../ebpf/entries/source.js';
import type { BpfMap } from '../ebpf/map.js';
import { type EntryFormat, type SnapshotHeader, snapshotShape } from '../obj/entries/index.js';
import type { CommandContext } from './context.js';
import type { EntryFile } from './entry-file.js';
import { fileSource, readingShape, readSnapshotHeader } from './entry-source.js';
import { kernelPartType } from './map-part-types.js';

/** The entries of `from` as they go into `to`. @throws NetkitError `conflict` where they do not */
export function copySource(from: BpfMap, to: BpfMap, reference: string): EntrySource {
  const [source, target] = [sideOf(from, reference), sideOf(to, to.info.name)];
  return migrated(mapSource(from, reference), source, target);
}

/**
 * The entries of a file as they go into a map. A snapshot is read by its own types.
 * @throws NetkitError `bad-value` for what is no snapshot, `conflict` for one whose entries do not fit
 */
export async function sourceFor(
  context: CommandContext,
  map: BpfMap,
  file: EntryFile,
  format: EntryFormat,
): Promise<EntrySource> {
  if (format !== 'snapshot') return fileSource(file, format, readingShape(context, map));
  const header = await readSnapshotHeader(file);
  refuseForeignIds(map.info, header.bootId, file.name);
  const [source, target] = [sideOfSnapshot(header, file.name), sideOf(map, map.info.name)];
  return migrated(fileSource(file, format, snapshotShape(header)), source, target);
}

function sideOf(map: BpfMap, name: string): MigrationSide {
  const { type, maxEntries, keySize, valueSize } = map.info;
  return {
    name,
    type,
    maxEntries,
    keySize,
    valueSize,
    shape: map.shape,
    key: kernelPartType(map, 'key'),
    value: kernelPartType(map, 'value'),
  };
}

/** One without a word for its type was made of entries alone, and fits wherever their widths do. */
function sideOfSnapshot(header: SnapshotHeader, name: string): MigrationSide {
  const { mapType: type, maxEntries, keySize, valueSize, key, value } = header;
  return { name, type, maxEntries, keySize, valueSize, shape: snapshotShape(header), key, value };
}
