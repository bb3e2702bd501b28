import { NetkitError } from '../../base/errors.js';
import { openMap } from '../../cnf/reference.js';
import { BpfMap } from '../../ebpf/map.js';
import type { Command } from '../context.js';
import { openReference } from '../open-reference.js';
import { PinPlace } from '../pin-place.js';
import { mapNameOf } from '../typed-map.js';

export const run: Command<'map pin'> = async (context, { reference, path }) => {
  using map = await openReference(context, reference, openMap);
  const { dryRun } = context.options;
  const place = PinPlace.at(path, context);
  const isThere = place.taken && holds(place.path, map.info.id);
  if (place.taken && !isThere) throw place.conflict();
  if (!isThere && !dryRun) place.pin(map);
  const document = {
    map: mapNameOf(map, reference),
    pin: place.path,
    dryRun,
    actions: isThere ? [] : place.actions(reference),
  };
  context.output.done(document, (page) =>
    page.line(
      isThere
        ? `${reference} is pinned at ${place.path} already`
        : dryRun
          ? `would pin ${reference} at ${place.path}`
          : `${reference} is pinned at ${place.path}`,
    ),
  );
};

/** Whether the pin is one of this very map. */
function holds(path: string, id: number): boolean {
  try {
    using pinned = BpfMap.fromPin(path);
    return pinned.info.id === id;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}
