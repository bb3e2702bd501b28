import { realpathSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { writeFileSynced } from '../host/atomic-file.js';
import { fileError, fileErrorCode } from '../host/file-errors.js';

/**
 * Writes a file that the user named: a new or existing one in one step, through a symbolic link into what it names. A
 * device or pipe (`/dev/stdout`) is written to, never replaced.
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for a folder
 */
export function writeOutputFile(path: string, bytes: Uint8Array | string): void {
  const found = lookAt(path);
  try {
    if (found === undefined) writeFileSynced(path, bytes, 0o666 & ~process.umask());
    else if (found.isFile()) writeFileSynced(realpathSync(path), bytes, found.mode & 0o777);
    else writeFileSync(path, bytes);
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'write', path);
  }
}
