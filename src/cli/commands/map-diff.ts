import { statSync } from 'node:fs';
import { diffEntries } from '../../ebpf/entries/diff.js';
import type { EntrySource } from '../../ebpf/entries/source.js';
import type { BpfMap } from '../../ebpf/map.js';
import { isBpffs } from '../../host/mounts.js';
import { type EntryFormat, formatOf } from '../../obj/entries/index.js';
import { requireOperation } from '../../obj/map-operations.js';
import type { Command, CommandContext } from '../context.js';
import { DifferenceList } from '../difference-list.js';
import { openEntryFile } from '../entry-file.js';
import { formatFor } from '../entry-source.js';
import type { TypeOptions } from '../entry-types.js';
import { noteReplaced } from '../map-identity.js';
import { copySource, sourceFor } from '../migration.js';
import { mapNameOf, openTypedMap } from '../typed-map.js';

/** The exit status for what is not an error: there are differences. */
const different = 8;

export const run: Command<'map diff'> = async (context, { reference, other }, options) => {
  using map = await openTypedMap(context, reference, options);
  requireOperation(map.info, 'dump');
  const compare = (source: EntrySource) => differences(context, map, reference, other, source);
  const found = namesFile(other, options.format)
    ? await withFile(context, map, other, options.format, compare)
    : await withMap(context, map, other, options, compare);
  await noteReplaced(context, reference, map);
  return found ? different : 0;
};

/** A name may be a file's or a map's: what is there decides, and then the ending. */
function namesFile(other: string, format: EntryFormat | undefined): boolean {
  if (other === '-' || format !== undefined) return true;
  if (other.startsWith('id:') || other.startsWith('name:')) return false;
  const found = statSync(other, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) return !isBpffs(other);
  return formatOf(other) !== undefined;
}

async function withFile(
  context: CommandContext,
  map: BpfMap,
  path: string,
  given: EntryFormat | undefined,
  compare: (source: EntrySource) => Promise<boolean>,
): Promise<boolean> {
  const format = formatFor(path, given);
  using file = await openEntryFile(context, path, { repeatable: true });
  return await compare(await sourceFor(context, map, file, format));
}

async function withMap(
  context: CommandContext,
  map: BpfMap,
  reference: string,
  options: TypeOptions,
  compare: (source: EntrySource) => Promise<boolean>,
): Promise<boolean> {
  using other = await openTypedMap(context, reference, options);
  const found = await compare(copySource(other, map, reference));
  await noteReplaced(context, reference, other);
  return found;
}

/** @returns whether there are any */
async function differences(
  context: CommandContext,
  map: BpfMap,
  reference: string,
  other: string,
  source: EntrySource,
): Promise<boolean> {
  const { output, options, signal } = context;
  using list = new DifferenceList(context, map.shape, map.perCpu, { map: mapNameOf(map, reference), other });
  const found = diffEntries(map, source, { signal });
  const counts = await list.writeAll(found);
  if (counts === undefined) return true;
  const { added, removed, changed, same } = counts;
  await list.end({ added, removed, changed, same });
  if (!options.json) output.note(`${added} added, ${removed} removed, ${changed} changed, ${same} the same`);
  return added + removed + changed > 0;
}
