import { NetkitError } from '../base/errors.js';
import { isFunctionName } from '../cnf/names.js';
import type { CommandContext } from './context.js';
import { pinsOf } from './environment.js';

/**
 * Opens what a reference names, on the bpffs of this command or, for a function that was loaded on another one, there:
 * the lists show it too. @throws NetkitError what `open` throws
 */
export async function openReference<T>(
  context: CommandContext,
  reference: string,
  open: (reference: string, bpffs: string) => T,
): Promise<T> {
  const bpffs = pinsOf(context);
  try {
    return open(reference, bpffs);
  } catch (error) {
    const name = reference.split('/')[0] ?? '';
    if (!(error instanceof NetkitError) || error.code !== 'not-found' || !isFunctionName(name)) throw error;
    // Imported only now: reading state takes a while to load, and this is rare.
    const { StateStore } = await import('../cnf/store.js');
    const recorded = new StateStore(context.paths.stateDir).peek(name)?.bpffs;
    if (recorded === undefined || recorded === bpffs) throw error;
    return open(reference, recorded);
  }
}
