/** From a map or snapshot into a map, where the types allow it. */
import { type EntryFile, fileSource, readSnapshotHeader } from '../ebpf/entries/file-source.js';
import { mapSource } from '../ebpf/entries/map-source.js';
import { migrated } from '../ebpf/entries/migration.js';
import { refuseForeignIds } from '../ebpf/entries/references.js';
import { sideOf, sideOfSnapshot } from '../ebpf/entries/sides.js';
import type { EntrySource } from '../ebpf/entries/source.js';
import type { BpfMap } from '../ebpf/map.js';
import { type EntryFormat, snapshotShape } from '../obj/entries/index.js';
import type { CommandContext } from './context.js';
import { readingShape } from './entry-source.js';

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
