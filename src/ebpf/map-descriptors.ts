/** Keys and values that are open files: `pid:N` and paths, which are opened for one call. */
import { constants, openSync, readFileSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { fileError } from '../host/file-errors.js';
import { isErrno } from '../sys/errno.js';
import { Fd } from '../sys/fd.js';
import { openPidfd } from '../sys/pidfd.js';

/** Keys that are given by a path: of a file, and of a cgroup's folder. Likewise the values of an array of cgroups. */
const byPath: ReadonlySet<string> = new Set(['inode_storage', 'cgrp_storage', 'cgroup_array']);

/** Names a file without reading or writing it (asm-generic/fcntl.h). */
const O_PATH = 0o10000000;

/**
 * What `pid:N`, the key of a task storage, or a path, the key of an inode or cgroup storage or the value of an array of
 * cgroups, names; undefined for other types and forms. The caller disposes it.
 * @throws NetkitError `not-found`, `bad-value`
 */
export function openNamed(type: string, text: unknown): Fd | undefined {
  if (typeof text !== 'string') return undefined;
  const pid = type === 'task_storage' ? /^pid:([1-9][0-9]{0,9})$/.exec(text)?.[1] : undefined;
  if (pid !== undefined) return openProcess(Number(pid));
  if (!byPath.has(type) || !text.includes('/')) return undefined;
  if (type === 'inode_storage') requireLsm();
  return openPath(text);
}

/** Without it the kernel has no room for it in its inodes, and older ones write where something else is. */
function requireLsm(): void {
  let active: string;
  try {
    active = readFileSync('/sys/kernel/security/lsm', 'utf8');
  } catch {
    return;
  }
  if (active.trim().split(',').includes('bpf')) return;
  throw new NetkitError(
    'unsupported',
    "inode storage needs 'bpf' among the active security modules (boot option lsm=)",
  );
}

function openProcess(pid: number): Fd {
  try {
    return openPidfd(pid);
  } catch (error) {
    if (isErrno(error, 'ESRCH'))
      throw new NetkitError('not-found', `there is no process ${pid}`, { cause: error });
    if (isErrno(error, 'EINVAL'))
      throw new NetkitError('bad-value', `${pid} is a thread, not a process`, { cause: error });
    throw error;
  }
}

function openPath(path: string): Fd {
  try {
    return new Fd(openSync(path, O_PATH | constants.O_RDONLY));
  } catch (error) {
    throw fileError(error, 'open', path);
  }
}
