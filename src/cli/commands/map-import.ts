import { NetkitError } from '../../base/errors.js';
import { untouched } from '../../ebpf/entries/failure.js';
import { requireOperation } from '../../obj/map-operations.js';
import type { Command } from '../context.js';
import { changeEntries, sayChanges, showChanges } from '../entry-changes.js';
import { openEntryFile } from '../entry-file.js';
import { formatFor } from '../entry-source.js';
import { noteReplaced } from '../map-identity.js';
import { sourceFor } from '../migration.js';
import { mapNameOf, openTypedMap } from '../typed-map.js';

export const run: Command<'map import'> = async (context, { reference, file: path }, options) => {
  const { output } = context;
  const { dryRun } = context.options;
  const format = formatFor(path, options.format);
  using map = await openTypedMap(context, reference, options);
  requireOperation(map.info, map.shape.key === undefined ? 'push' : 'update');
  using file = await untouchedBy(
    openEntryFile(context, path, { repeatable: options.replace || dryRun || format === 'snapshot' }),
  );
  const source = await untouchedBy(sourceFor(context, map, file, format));
  const head = { map: mapNameOf(map, reference), file: path, format };
  if (dryRun) await showChanges(context, map, source, reference, options.replace, head);
  else {
    const report = await changeEntries(context, map, source, reference, options);
    output.done({ ...head, ...report }, (page) => sayChanges(page, report, reference, file.name));
  }
  await noteReplaced(context, reference, map);
};

/** Waits for what changes nothing yet. An interrupt says so. */
async function untouchedBy<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof NetkitError && error.code === 'interrupted' ? untouched(error) : error;
  }
}
