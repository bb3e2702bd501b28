/** The process that takes a change back: started before the change, by itself until the change is confirmed or taken back. */
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { watcherWord } from '../../base/watcher-word.js';
import { type Detached, startDetached } from '../../host/detached.js';
import { packageRoot } from '../../host/package-root.js';

/** What a watcher watches. */
export interface Watched {
  readonly stateDir: string;
  readonly bpffs: string;
  readonly function: string;
  /** The change that waits, or is about to. */
  readonly change: string;
}

const readyWithinMs = 20_000;

/**
 * Starts the watcher. It waits for the end of the change (that this process ends, or disposes of what comes back), and then
 * until it is confirmed, or time to take it back.
 * @throws NetkitError `failed`: then nothing is to be changed
 */
export async function startWatcher(
  { stateDir, bpffs, function: name, change }: Watched,
  { note }: { note(text: string): void },
): Promise<Detached> {
  const { NETKIT_TEST_KILL_STEP: _, ...env } = process.env;
  const script = join(packageRoot(), 'bin/netkit.js');
  try {
    return await startDetached(script, [watcherWord, stateDir, bpffs, name, change], {
      env,
      readyWithinMs,
      note,
    });
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    throw new NetkitError(
      error.code,
      `the process that is to take the change back cannot be started: ${error.message}`,
      {
        hint: 'nothing was changed',
        cause: error,
      },
    );
  }
}
