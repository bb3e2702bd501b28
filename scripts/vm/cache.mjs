// What the virtual machines need is kept outside of the checkout, so that a fresh clone has it too.
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder `netkit-test` of the user's cache. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'netkit-test');
