/**
 * Sockets that requests and answers go through, in the thread's network namespace. What is called for each request takes
 * buffers that are used again and makes no object: a collection of garbage would be measured as latency.
 */
import { constants } from 'node:os';
import { declare, invoke, lastErrno } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import { Fd } from './fd.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'int bind(int fd, void *address, unsigned int size)',
  'int connect(int fd, const void *address, unsigned int size)',
  'int listen(int fd, int backlog)',
  'int accept4(int fd, void *address, void *size, int flags)',
  'int close(int fd)',
  'int setsockopt(int fd, int level, int option, const void *value, unsigned int size)',
  'long send(int fd, const void *bytes, size_t size, int flags)',
  'long recv(int fd, void *bytes, size_t size, int flags)',
  'long recvfrom(int fd, void *bytes, size_t size, int flags, void *address, void *addressSize)',
  'long sendto(int fd, void *bytes, size_t size, int flags, void *address, unsigned int addressSize)',
  'int poll(void *fds, unsigned long count, int milliseconds)',
  'int prctl(int option, unsigned long argument)',
]);

// sys/socket.h, netinet/in.h, netinet/tcp.h, poll.h, linux/prctl.h
const families = { ipv4: 2, ipv6: 10 } as const;
const types = { udp: 2, tcp: 1 } as const;
const SOCK_CLOEXEC = 0x80000;
const SOCK_NONBLOCK = 0x800;
const SO_REUSEADDR = 2;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_DEFER_ACCEPT = 9;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const PR_SET_PDEATHSIG = 1;

const EAGAIN = errnoNumber('EAGAIN');
const EINTR = errnoNumber('EINTR');

/** What is not there yet: nothing to read, no room to write, no connection. */
export const notYet = -1;
/** The other side has closed. */
export const ended = -2;

export type SocketFamily = keyof typeof families;

/** struct sockaddr_in or sockaddr_in6. @param address 4 or 16 bytes; every address of the machine without one */
export function socketAddress(family: SocketFamily, port: number, address?: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(family === 'ipv4' ? 16 : 28);
  bytes.set(new Uint8Array(Uint16Array.of(families[family]).buffer), 0);
  bytes.set([port >> 8, port & 0xff], 2);
  if (address !== undefined) bytes.set(address, family === 'ipv4' ? 4 : 8);
  return bytes;
}

/** @throws SysError EAFNOSUPPORT, EMFILE */
export function openSocket(
  family: SocketFamily,
  protocol: keyof typeof types,
  { waits }: { readonly waits: boolean },
): Fd {
  const type = types[protocol] | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK);
  return new Fd(checked('open a socket', invoke('socket', [families[family], type, 0])));
}

/** @throws SysError EADDRINUSE */
export function bindSocket(socket: Fd, address: Uint8Array): void {
  checked('bind a socket', invoke('bind', [socket.value, address, address.length]));
}

/** Lets connections come, and be accepted once they have brought something. @throws SysError EADDRINUSE */
export function listenWithData(socket: Fd, backlog: number): void {
  // Seconds for which a connection may bring nothing.
  setOption(socket.value, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  checked('listen', invoke('listen', [socket.value, backlog]));
}

/** Lets connections come, and be accepted at once. @throws SysError EADDRINUSE */
export function listenAtOnce(socket: Fd, backlog: number): void {
  checked('listen', invoke('listen', [socket.value, backlog]));
}

/** @returns 0, or `notYet` while a connection is on its way. @throws SysError ECONNREFUSED, EADDRNOTAVAIL, ENETUNREACH */
export function connectSocket(socket: number, address: Uint8Array): number {
  if (invoke('connect', [socket, address, address.length]) === 0) return 0;
  const errno = lastErrno();
  if (errno === constants.errno.EINPROGRESS) return notYet;
  throw new SysError('connect a socket', errno);
}

/** Waits for a connection. @returns its descriptor, or `notYet` where a signal came first. @throws SysError */
export function acceptConnection(socket: number): number {
  return counted('accept a connection', invoke('accept4', [socket, null, null, SOCK_CLOEXEC]));
}

/** Without a wait for more to send. @throws SysError */
export function sendAtOnce(socket: number): void {
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
}

/** Lets a port be bound that earlier connections still have. @throws SysError */
export function shareAddress(socket: Fd): void {
  setOption(socket.value, uapi.SOL_SOCKET, SO_REUSEADDR, 1);
}

/** Bytes that wait until somebody reads them, beyond what the system allows everybody. @throws SysError EPERM */
export function receiveRoom(socket: Fd, bytes: number): void {
  setOption(socket.value, uapi.SOL_SOCKET, uapi.SO_RCVBUFFORCE, bytes);
}

function setOption(socket: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  checked('set an option of a socket', invoke('setsockopt', [socket, level, option, bytes, bytes.length]));
}

/** Without waiting. @returns bytes sent, or `notYet`. @throws SysError ECONNREFUSED, ECONNRESET */
export function sendNow(socket: number, bytes: Uint8Array, size: number): number {
  return counted('send', invoke('send', [socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL]));
}

/** Waits until all is sent. @returns bytes sent, `notYet` after a signal, `ended`. @throws SysError */
export function sendWaiting(socket: number, bytes: Uint8Array, size: number): number {
  return counted('send', invoke('send', [socket, bytes, size, MSG_NOSIGNAL]));
}

/** Without waiting. @returns bytes received, or `notYet`; 0 where a stream ends. @throws SysError */
export function receiveNow(socket: number, bytes: Uint8Array): number {
  return counted('receive', invoke('recv', [socket, bytes, bytes.length, MSG_DONTWAIT]));
}

/** @returns bytes received, `notYet` after a signal; 0 where a stream ends. @throws SysError */
export function receiveWaiting(socket: number, bytes: Uint8Array): number {
  return counted('receive', invoke('recv', [socket, bytes, bytes.length, 0]));
}

/** A datagram, and into `from` whose it is. @param fromSize four bytes: the size of `from`. @throws SysError */
export function receiveFrom(
  socket: number,
  bytes: Uint8Array,
  from: Uint8Array,
  fromSize: Uint8Array,
): number {
  return counted('receive', invoke('recvfrom', [socket, bytes, bytes.length, 0, from, fromSize]));
}

/** @throws SysError */
export function sendTo(socket: number, bytes: Uint8Array, size: number, to: Uint8Array): number {
  return counted('send', invoke('sendto', [socket, bytes, size, MSG_NOSIGNAL, to, to.length]));
}

/** @param list of struct pollfd, 8 bytes each. @returns how many are ready. @throws SysError */
export function pollNow(list: Uint8Array, count: number): number {
  return Math.max(0, counted('poll', invoke('poll', [list, count, 0])));
}

/** The same, and waits until one is; 0 where a signal came first. @throws SysError */
export function pollWaiting(list: Uint8Array, count: number): number {
  return Math.max(0, counted('poll', invoke('poll', [list, count, -1])));
}

/** For descriptors that come and go with requests: without an object each. */
export function closeSocket(socket: number): void {
  invoke('close', [socket]);
}

/** Has the kernel kill this process when the thread ends that made it. @throws SysError */
export function endWithParent(): void {
  checked('end with the parent', invoke('prctl', [PR_SET_PDEATHSIG, constants.signals.SIGKILL]));
}

function counted(operation: string, result: unknown): number {
  const count = Number(result);
  if (count >= 0) return count;
  const errno = lastErrno();
  if (errno === EAGAIN || errno === EINTR) return notYet;
  if (errno === constants.errno.ECONNRESET || errno === constants.errno.EPIPE) return ended;
  throw new SysError(operation, errno);
}
