/** Datagrams to a Unix socket, which Node has no way to send. */
import { declare, invoke } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import { Fd } from './fd.js';
import { checked } from './status.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'long sendto(int fd, void *bytes, size_t size, int flags, void *address, unsigned int addressSize)',
]);

// sys/socket.h, sys/un.h
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const pathBytes = 108;

/**
 * Sends one datagram, without waiting.
 * @param address a path, or a name in the abstract namespace, which begins with `@`
 * @throws SysError ENAMETOOLONG, ENOENT, ECONNREFUSED, EAGAIN when its reader is behind
 */
export function sendUnixDatagram(address: string, bytes: Uint8Array): void {
  const operation = `send to the socket '${address}'`;
  const path = Buffer.from(address);
  if (path.length >= pathBytes) throw new SysError(operation, errnoNumber('ENAMETOOLONG'));
  // struct sockaddr_un: family in the host's order, path; a NUL begins an abstract name, which no NUL ends.
  const isAbstract = address.startsWith('@');
  const socketAddress = new Uint8Array(2 + path.length + (isAbstract ? 0 : 1));
  socketAddress.set(new Uint8Array(Uint16Array.of(AF_UNIX).buffer), 0);
  socketAddress.set(path, 2);
  if (isAbstract) socketAddress[2] = 0;
  using socket = new Fd(checked(operation, invoke('socket', [AF_UNIX, SOCK_DGRAM_CLOEXEC, 0])));
  const sent = invoke('sendto', [
    socket.value,
    bytes,
    bytes.length,
    MSG_DONTWAIT_NOSIGNAL,
    socketAddress,
    socketAddress.length,
  ]);
  checked(operation, sent);
}
