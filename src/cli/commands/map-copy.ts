import { NetkitError } from '../../base/errors.js';
import { requireOperation } from '../../obj/map-operations.js';
import type { Command } from '../context.js';
import { changeEntries, sayChanges, showChanges } from '../entry-changes.js';
import { noteReplaced } from '../map-identity.js';
import { copySource } from '../migration.js';
import { mapNameOf, openTypedMap } from '../typed-map.js';

export const run: Command<'map copy'> = async (context, { source: from, target: to }, options) => {
  const { output } = context;
  using source = await openTypedMap(context, from, {});
  using target = await openTypedMap(context, to, options);
  requireOperation(source.info, 'dump');
  requireOperation(target.info, 'update');
  if (source.info.id === target.info.id)
    throw new NetkitError('usage', `${from} and ${to} are the same map (id:${target.info.id})`);
  const entries = copySource(source, target, from);
  const head = { from: mapNameOf(source, from), map: mapNameOf(target, to) };
  if (context.options.dryRun) await showChanges(context, target, entries, to, options.replace, head);
  else {
    const report = await changeEntries(context, target, entries, to, options);
    output.done({ ...head, ...report }, (page) => sayChanges(page, report, to, from));
  }
  await noteReplaced(context, from, source);
  await noteReplaced(context, to, target);
};
