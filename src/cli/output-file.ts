import { NetkitError } from '../base/errors.js';
import { writeFileSynced } from '../host/atomic-file.js';
import { OutputDevice, outputTarget } from '../host/output-target.js';

/**
 * Writes a file that the user named: a new or existing one in one step, through a symbolic link into what it names. A
 * device or pipe (`/dev/stdout`) is written to, never replaced, and waited for until the signal.
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for a folder, `interrupted`
 */
export async function writeOutputFile(
  path: string,
  bytes: Uint8Array | string,
  signal: AbortSignal,
): Promise<void> {
  const target = outputTarget(path);
  if (target.isFile) {
    writeFileSynced(target.path, bytes, target.like);
    return;
  }
  using device = await OutputDevice.open(path, signal);
  if (await device.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)) return;
  throw new NetkitError('failed', `cannot write '${path}': nobody reads it any more`, { details: { path } });
}
