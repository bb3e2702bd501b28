/** Sockets for programs: one on an interface, and those of other processes. */
import { readlinkSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { fileErrorCode } from '../host/file-errors.js';
import { type Netns, withNetns } from '../host/netns.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { openPidfd } from '../sys/pidfd.js';
import { hasFilter, openPacketSocket, takeFd } from '../sys/sockets.js';

/** A socket that this process has open. Disposing closes its descriptor here, and nobody else's. */
export interface OpenSocket extends Disposable {
  readonly fd: number;
  /** Whether a filter is on it. */
  hasFilter(): boolean;
}

/** A socket that gets every packet of an interface. @throws SysError */
export function packetSocket(ifindex: number, netns?: Netns): OpenSocket {
  return opened(withNetns(netns, () => openPacketSocket(ifindex)));
}

/**
 * The socket that a process has open by that number. Minimum kernel 5.6; needs the right to trace the process.
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for what is no socket
 */
export function socketOf(pid: number, fd: number): OpenSocket {
  socketInode(pid, fd);
  try {
    using process = openPidfd(pid);
    return opened(takeFd(process, fd));
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EBADF')) throw noSuch(pid, fd, error);
    if (isErrno(error, 'EINVAL'))
      throw new NetkitError('usage', `${pid} is a thread, not a process`, { cause: error });
    if (isErrno(error, 'EPERM')) throw barred(pid, error);
    if (isErrno(error, 'ENOSYS')) {
      throw new NetkitError('unsupported', 'sockets of other processes can be reached from Linux 5.6 on', {
        cause: error,
      });
    }
    throw error;
  }
}

/** What tells the socket, whoever has it open. @throws NetkitError `not-found`, `not-permitted`, `usage` for what is no socket */
export function socketInode(pid: number, fd: number): number {
  let text: string;
  try {
    text = readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch (error) {
    if (fileErrorCode(error) === 'EACCES') throw barred(pid, error);
    throw noSuch(pid, fd, error);
  }
  const inode = /^socket:\[(\d+)\]$/.exec(text)?.[1];
  if (inode !== undefined) return Number(inode);
  throw new NetkitError('usage', `descriptor ${fd} of process ${pid} is no socket: ${text}`);
}

function opened(fd: Fd): OpenSocket {
  return {
    fd: fd.value,
    hasFilter: () => hasFilter(fd),
    [Symbol.dispose]: () => fd[Symbol.dispose](),
  };
}

function noSuch(pid: number, fd: number, cause: unknown): NetkitError {
  return new NetkitError('not-found', `there is no process ${pid} with a descriptor ${fd}`, {
    hint: "'ls -l /proc/PID/fd' and 'ss -p' show the sockets of processes",
    cause,
  });
}

function barred(pid: number, cause: unknown): NetkitError {
  return new NetkitError('not-permitted', `the sockets of process ${pid} cannot be reached`, {
    hint: 'it needs CAP_SYS_PTRACE, or to be of the same user',
    cause,
  });
}
