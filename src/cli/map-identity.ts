import { messageOf, NetkitError } from '../base/errors.js';
import { openMap } from '../cnf/reference.js';
import type { BpfMap } from '../ebpf/map.js';
import type { CommandContext } from './context.js';
import { openReference } from './open-reference.js';

/**
 * A command works on the map that it opened, whatever happens to the pin meanwhile. When the reference names another map
 * at the end, or none, it says so.
 */
export async function noteReplaced(context: CommandContext, reference: string, map: BpfMap): Promise<void> {
  const now = await idBehind(context, reference);
  if (now === map.info.id) return;
  const meanwhile = typeof now === 'number' ? `names another map now (id:${now})` : `is gone (${now})`;
  context.output.warn(
    `${reference} ${meanwhile}: this was about the map that it named before (id:${map.info.id})`,
  );
}

/** The id of the map that a reference names, or why it names none. */
async function idBehind(context: CommandContext, reference: string): Promise<number | string> {
  try {
    using map = await openReference(context, reference, openMap);
    return map.info.id;
  } catch (error) {
    if (error instanceof NetkitError) return messageOf(error);
    throw error;
  }
}
