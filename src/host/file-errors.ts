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
  const [code, reason] = reasons[fileErrorCode(thrown) ?? ''] ?? ['failed', messageOf(thrown)];
  return new NetkitError(code, `cannot ${attempt} '${path}': ${reason}`, {
    ...(code === 'not-permitted' && process.geteuid?.() !== 0 ? { hint: 'run netkit as root' } : {}),
    details: { path },
    cause: thrown,
  });
}
