import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ErrorCode } from '../base/errors.js';
import { messageOf, NetkitError } from '../base/errors.js';

/** The `code` of an error that Node's file functions throw (`ENOENT`, `EACCES`, …), or `undefined` for anything else. */
export function fileErrorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

const reasons: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['not-found', 'there is no such file or directory'],
  ENOTDIR: ['not-found', 'a part of the path is not a directory'],
  EISDIR: ['usage', 'it is a directory'],
  ELOOP: ['not-permitted', 'it is a symbolic link'],
  EACCES: ['not-permitted', 'permission denied'],
  EPERM: ['not-permitted', 'operation not permitted'],
  EROFS: ['failed', 'the file system is read-only'],
  ENOSPC: ['failed', 'no space is left on the device'],
};

/**
 * The user-visible form of an error thrown by a file function: «cannot read '/x': permission denied».
 * `attempt` is a verb («read», «write», «lock»). A `NetkitError` is returned as it is.
 */
export function fileError(thrown: unknown, attempt: string, path: string): NetkitError {
  if (thrown instanceof NetkitError) return thrown;
  const [code, reason] = specificReason(thrown, attempt, path) ??
    reasons[fileErrorCode(thrown) ?? ''] ?? ['failed', messageOf(thrown)];
  return new NetkitError(code, `cannot ${attempt} '${path}': ${reason}`, {
    ...(code === 'not-permitted' && process.geteuid?.() !== 0 ? { hint: 'run netkit as root' } : {}),
    details: { path },
    cause: thrown,
  });
}

/** What the number of an error alone does not tell. */
function specificReason(
  thrown: unknown,
  attempt: string,
  path: string,
): readonly [ErrorCode, string] | undefined {
  const code = fileErrorCode(thrown);
  if (code === 'ELOOP' && codeOfStat(path) === 'ELOOP') return ['usage', 'its symbolic links form a loop'];
  if (code !== 'ENOENT' || attempt !== 'write') return undefined;
  // A file is made when it is written: what is missing is a directory.
  const missing = missingDirectory(path);
  return missing === undefined ? undefined : ['not-found', `there is no directory '${missing}'`];
}

/** The first directory on the way to a file that is not there; undefined when all are. */
export function missingDirectory(path: string): string | undefined {
  let missing: string | undefined;
  for (let directory = dirname(path); codeOfStat(directory) === 'ENOENT'; directory = dirname(directory)) {
    missing = directory;
  }
  return missing;
}

function codeOfStat(path: string): string | undefined {
  try {
    statSync(path);
    return undefined;
  } catch (error) {
    return fileErrorCode(error);
  }
}
