import { openMap, openProgram } from '../cnf/reference.js';
import type { CommandContext } from './context.js';
import { pinsOf } from './environment.js';

/** Finds the id of the map or program that a reference in an entry names. @throws NetkitError `not-found`, `usage` */
export function idOfReferred(
  context: CommandContext,
  kind: 'map' | 'program',
): (reference: string) => number {
  const bpffs = pinsOf(context);
  return (reference) => {
    if (kind === 'map') {
      using map = openMap(reference, bpffs);
      return map.info.id;
    }
    using program = openProgram(reference, bpffs);
    return program.info().id;
  };
}
