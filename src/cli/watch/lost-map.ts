import { NetkitError } from '../../base/errors.js';
import { openMap } from '../../cnf/reference.js';
import { countsLost } from '../../ebpf/lost-counter.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { CommandContext } from '../context.js';
import { openReference } from '../open-reference.js';

/**
 * The map in which programs count the lost records of a ring buffer: the one given, else `<map>_lost` beside it; undefined
 * where there is none. @throws NetkitError when the one given cannot be opened
 */
export async function lostMap(
  context: CommandContext,
  reference: string,
  given: string | undefined,
): Promise<BpfMap | undefined> {
  if (given !== undefined) return openReference(context, given, openMap);
  // Of `id:` and `name:` nothing tells what is beside them.
  if (!reference.startsWith('/') && !/^[^:]+\/[^:]+$/.test(reference)) return undefined;
  const map = await openIfThere(context, `${reference}_lost`);
  if (map === undefined || countsLost(map.info)) return map;
  map[Symbol.dispose]();
  return undefined;
}

async function openIfThere(context: CommandContext, reference: string): Promise<BpfMap | undefined> {
  try {
    return await openReference(context, reference, openMap);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}
