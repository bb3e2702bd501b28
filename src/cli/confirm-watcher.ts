import { NetkitError } from '../base/errors.js';
import { watchChange } from '../cnf/pending/watching.js';
import type { Io } from './io.js';

/**
 * The body of the process that takes back what nobody confirms. Says that it is there, and waits for the end of standard
 * input, by which the command tells that it is done, or that it is no more.
 * @param words state directory, bpffs, function and change
 */
export async function watchForConfirmation(words: readonly string[], io: Io): Promise<number> {
  const [stateDir, bpffs, name, change] = words;
  if (stateDir === undefined || bpffs === undefined || name === undefined || change === undefined)
    throw new NetkitError('usage', 'netkit starts this by itself');
  process.title = `netkit: takes back a change to ${name} unless it is confirmed`;
  io.stdout.write('\n');
  for await (const _ of io.stdin) {
    // Nothing is said; it only ends.
  }
  await watchChange({ stateDir, bpffs, function: name, change });
  return 0;
}
