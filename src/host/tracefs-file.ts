/** Files of tracefs, wherever it is mounted; where it is not, by a mount of our own that nobody sees. */
import { readFileSync } from 'node:fs';
import { messageOf, NetkitError } from '../base/errors.js';
import { openFileSystem } from '../sys/detached-mount.js';
import { isErrno } from '../sys/errno.js';
import { capabilityHint } from './capabilities.js';
import { fileErrorCode } from './file-errors.js';
import { readMounts } from './mountinfo.js';

/**
 * Reads a file of tracefs, which is mounted for that and for nobody else where it is not mounted at all.
 * @param path below its root: `events/sched/sched_switch/id`
 * @returns undefined when there is no such file
 * @throws NetkitError `unsupported` when the kernel has no tracefs, `not-permitted`
 */
export function readTracefs(path: string): string | undefined {
  const mounted = readMounts().find(({ type, root }) => type === 'tracefs' && root === '/')?.mountPoint;
  if (mounted !== undefined) return readOrNothing(`${mounted}/${path}`);
  try {
    using own = openFileSystem('tracefs');
    return readOrNothing(`/proc/self/fd/${own.value}/${path}`);
  } catch (error) {
    if (isErrno(error, 'ENODEV'))
      throw new NetkitError('unsupported', 'this kernel was built without tracefs', { cause: error });
    if (isErrno(error, 'EPERM', 'EACCES', 'ENOSYS')) {
      throw new NetkitError('not-permitted', 'tracefs is not mounted, and this user may not mount it', {
        hint: capabilityHint('mount') ?? 'mount -t tracefs tracefs /sys/kernel/tracing',
        cause: error,
      });
    }
    throw error;
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = fileErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new NetkitError(
      code === 'EACCES' || code === 'EPERM' ? 'not-permitted' : 'failed',
      `cannot read a file of tracefs: ${messageOf(error)}`,
      { hint: capabilityHint('load-tracing'), cause: error },
    );
  }
}
