/** Sockets: those that netkit opens itself, and those of other processes. */
import { declare, declareAs, invoke, lastErrno } from './call.js';
import { errnoName } from './errno.js';
import { Fd } from './fd.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'int bind(int fd, void *address, unsigned int size)',
  'int getsockopt(int fd, int level, int option, void *value, void *size)',
]);
declareAs('pidfd_getfd', 'libc', 'long syscall(long number, int pidfd, int fd, unsigned int flags)');

/** The same number on every machine. */
const pidfdGetfd = 438;
// sys/socket.h
const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;

/** A socket that gets every packet of an interface, in the thread's network namespace. @throws SysError */
export function openPacketSocket(ifindex: number): Fd {
  const socket = new Fd(checked('open a packet socket', invoke('socket', [AF_PACKET, SOCK_RAW_CLOEXEC, 0])));
  // struct sockaddr_ll: family in host order, protocol in network order, index of the interface
  const address = new Uint8Array(20);
  address.set(new Uint8Array(Uint16Array.of(AF_PACKET).buffer), 0);
  address.set([uapi.ETH_P_ALL >> 8, uapi.ETH_P_ALL & 0xff], 2);
  address.set(new Uint8Array(Uint32Array.of(ifindex).buffer), 4);
  try {
    checked('bind a packet socket', invoke('bind', [socket.value, address, address.length]));
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

/**
 * A file that another process has open; kernel 5.6.
 * @throws SysError EBADF when it has none of that number, EPERM without the right to trace it
 */
export function takeFd(pidfd: Fd, fd: number): Fd {
  const taken = invoke('pidfd_getfd', [pidfdGetfd, pidfd.value, fd, 0], 'pidfd_getfd');
  return new Fd(checked(`take descriptor ${fd} of a process`, taken));
}

/** Whether a filter is on the socket, classic or eBPF. @throws SysError ENOTSOCK */
export function hasFilter(socket: Fd): boolean {
  const size = Uint32Array.of(0);
  const status = invoke('getsockopt', [
    socket.value,
    uapi.SOL_SOCKET,
    uapi.SO_GET_FILTER,
    null,
    new Uint8Array(size.buffer),
  ]);
  // What is no classic filter is not shown.
  if (Number(status) < 0 && errnoName(lastErrno()) === 'EACCES') return true;
  checked('look for the filter of a socket', status);
  return size[0] !== 0;
}
