import { attachToSocket, detachFromSocket, type SocketRole } from '../../sys/attach-calls.js';
import { isErrno } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
import type { Program } from '../program.js';
import { HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

/** A socket of this process; made by {@link socketFilter} or {@link reuseport}. */
export interface SocketOptions {
  readonly hook: 'socket' | 'sk_reuseport';
  /** The socket's descriptor. */
  readonly fd: number;
}

/**
 * A socket whose arriving packets the program is to filter, in place of the filter that it has. For programs of type
 * `socket_filter`; the socket keeps them. Minimum kernel 3.19.
 */
export function socketFilter(options: Omit<SocketOptions, 'hook'>): SocketOptions {
  return { hook: 'socket', ...options };
}

/**
 * A socket with SO_REUSEPORT: the program chooses which socket of those on its port takes a packet or connection, for all
 * of them. For programs of type `sk_reuseport` (4.19) or `socket_filter` (4.5); the group of sockets keeps them.
 */
export function reuseport(options: Omit<SocketOptions, 'hook'>): SocketOptions {
  return { hook: 'sk_reuseport', ...options };
}

const roles: Readonly<Record<SocketOptions['hook'], SocketRole>> = {
  socket: 'filter',
  sk_reuseport: 'reuseport',
};

/** @internal */
export function attachSocket(program: Program, { hook, fd }: SocketOptions): HeldAttachment {
  const where = `socket ${fd}`;
  const unless =
    hook === 'sk_reuseport' ? 'the socket needs SO_REUSEPORT, and to be bound or of a group' : undefined;
  return attempting({ program, where, hook, unless }, () => {
    attachToSocket(fd, roles[hook], program.fd);
    // Of its own: the number may name another file by the time of detaching.
    const socket = duplicateFd(fd);
    const takeAway = (): void => {
      try {
        detachFromSocket(socket.value, roles[hook]);
      } catch (error) {
        if (!isErrno(error, 'ENOENT', 'EOPNOTSUPP')) throw error;
      }
    };
    return new HeldAttachment('process', takeAway, [socket]);
  });
}
