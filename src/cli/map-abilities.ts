/** Which commands work on a map, by its type. */
import { hasKeysToGive, type MapOperation, mapOperations, reasonAgainst } from '../obj/map-operations.js';

/** Commands that take a map apart, or fill it, as a whole. */
const onWholeMaps = ['export', 'import', 'diff', 'copy', 'watch'] as const;

/** The words after `netkit map` of the commands that some types have and others have not. */
export const mapAbilities = [...mapOperations, ...onWholeMaps] as const;
export type MapAbility = (typeof mapAbilities)[number];

/** Maps that programs write records into: these are watched, and not read again and again. */
const streams: ReadonlySet<string> = new Set(['ringbuf', 'perf_event_array']);

export function isStream(type: string): boolean {
  return streams.has(type);
}

/** Why a command does not work on maps of this type; undefined where it does. */
export function reasonAgainstCommand(type: string, name: MapAbility): string | undefined {
  if (name === 'watch' && isStream(type)) return undefined;
  return reasonAgainst(type, needed(type, name));
}

/** The operation on entries that a command is made of. */
function needed(type: string, name: MapAbility): MapOperation {
  switch (name) {
    case 'export':
    case 'diff':
    case 'copy':
    case 'watch':
      return 'dump';
    case 'import':
      return hasKeysToGive(type) ? 'update' : 'push';
    default:
      return name;
  }
}
