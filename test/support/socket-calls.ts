/** Socket calls of this very thread, one by one, in whatever namespace and cgroup it is: what Node does not offer. */
import { declare, invoke } from '../../src/sys/call.js';
import { Fd } from '../../src/sys/fd.js';
import { checked } from '../../src/sys/status.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'int bind(int fd, void *address, unsigned int size)',
  'int listen(int fd, int backlog)',
  'int connect(int fd, void *address, unsigned int size)',
  'int accept4(int fd, void *address, void *size, int flags)',
  'long sendto(int fd, void *bytes, size_t size, int flags, void *address, unsigned int length)',
  'long recvfrom(int fd, void *bytes, size_t size, int flags, void *address, void *length)',
  'int getsockname(int fd, void *address, void *size)',
  'int getpeername(int fd, void *address, void *size)',
  'int getsockopt(int fd, int level, int option, void *value, void *size)',
  'int setsockopt(int fd, int level, int option, void *value, unsigned int size)',
]);

// sys/socket.h, netinet/in.h, netinet/tcp.h
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_CLOEXEC = 0o2000000;
const types = { stream: 1, datagram: 2 } as const;
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
const SO_RCVTIMEO = 20;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;
const MSG_DONTWAIT = 0x40;

export type Family = 'ipv4' | 'ipv6' | 'unix';
const families = { ipv4: AF_INET, ipv6: AF_INET6, unix: AF_UNIX } as const;

/** An address as the kernel takes it: of loopback, or an abstract name. */
export function addressOf(family: Family, place: number | string): Uint8Array {
  if (family === 'unix') return Buffer.concat([Uint8Array.of(AF_UNIX, 0, 0), Buffer.from(String(place))]);
  const port = Number(place);
  const bytes = new Uint8Array(family === 'ipv4' ? 16 : 28);
  bytes.set([families[family], 0, port >> 8, port & 0xff]);
  if (family === 'ipv4') bytes.set([127, 0, 0, 1], 4);
  else bytes[23] = 1;
  return bytes;
}

export function openSocket(family: Family, type: keyof typeof types): Fd {
  const fd = invoke('socket', [families[family], types[type] | SOCK_CLOEXEC, 0]);
  const socket = new Fd(checked('open a socket', fd));
  // Whatever goes wrong, no test waits for ever.
  const seconds = new Uint8Array(BigInt64Array.of(5n, 0n).buffer);
  checked('set a timeout', invoke('setsockopt', [socket.value, SOL_SOCKET, SO_RCVTIMEO, seconds, 16]));
  return socket;
}

export function bindSocket(socket: Fd, address: Uint8Array): void {
  checked('bind', invoke('bind', [socket.value, address, address.length]));
}

export function sharePort(socket: Fd): void {
  const one = Uint8Array.of(1, 0, 0, 0);
  checked('share a port', invoke('setsockopt', [socket.value, SOL_SOCKET, SO_REUSEPORT, one, 4]));
}

export function listenOn(socket: Fd): void {
  checked('listen', invoke('listen', [socket.value, 8]));
}

export function connectTo(socket: Fd, address: Uint8Array): void {
  checked('connect', invoke('connect', [socket.value, address, address.length]));
}

export function acceptOn(socket: Fd): Fd {
  return new Fd(checked('accept', invoke('accept4', [socket.value, null, null, SOCK_CLOEXEC])));
}

const message = Buffer.from('netkit');

export function sendOn(socket: Fd, address?: Uint8Array): void {
  const args = [socket.value, message, message.length, 0, address ?? null, address?.length ?? 0];
  checked('send', invoke('sendto', args));
}

/** @returns how many bytes came; throws EAGAIN after five seconds without any */
export function receiveOn(socket: Fd): number {
  const bytes = new Uint8Array(256);
  const address = new Uint8Array(128);
  const size = Uint8Array.of(128, 0, 0, 0);
  return checked('receive', invoke('recvfrom', [socket.value, bytes, bytes.length, 0, address, size]));
}

/** Takes what is there, without waiting. */
export function drain(socket: Fd): void {
  const bytes = new Uint8Array(256);
  while (Number(invoke('recvfrom', [socket.value, bytes, bytes.length, MSG_DONTWAIT, null, null])) > 0);
}

function named(call: 'getsockname' | 'getpeername', socket: Fd): Uint8Array {
  const address = new Uint8Array(128);
  const size = Uint8Array.of(128, 0, 0, 0);
  checked(call, invoke(call, [socket.value, address, size]));
  return address.subarray(0, size[0]);
}

export const ownName = (socket: Fd): Uint8Array => named('getsockname', socket);
export const peerName = (socket: Fd): Uint8Array => named('getpeername', socket);

/** The port of an IP socket that the kernel chose one for. */
export function portOf(socket: Fd): number {
  const name = ownName(socket);
  return ((name[2] ?? 0) << 8) | (name[3] ?? 0);
}

export function getOption(socket: Fd): void {
  const value = new Uint8Array(4);
  checked(
    'getsockopt',
    invoke('getsockopt', [socket.value, SOL_SOCKET, 4, value, Uint8Array.of(4, 0, 0, 0)]),
  );
}

export function setOption(socket: Fd): void {
  const value = Uint8Array.of(0, 0, 0, 0);
  checked('setsockopt', invoke('setsockopt', [socket.value, SOL_SOCKET, 5, value, 4]));
}

export function chooseCongestionControl(socket: Fd, name: string): void {
  const text = Buffer.from(name);
  checked(
    `choose the congestion control ${name}`,
    invoke('setsockopt', [socket.value, IPPROTO_TCP, TCP_CONGESTION, text, text.length]),
  );
}

/** Two ends of a TCP connection over loopback; the first one connected. */
export function tcpPair(
  family: 'ipv4' | 'ipv6' = 'ipv4',
): Disposable & { readonly client: Fd; readonly server: Fd } {
  const listener = openSocket(family, 'stream');
  try {
    bindSocket(listener, addressOf(family, 0));
    listenOn(listener);
    const client = openSocket(family, 'stream');
    connectTo(client, addressOf(family, portOf(listener)));
    const server = acceptOn(listener);
    return {
      client,
      server,
      [Symbol.dispose]() {
        client[Symbol.dispose]();
        server[Symbol.dispose]();
      },
    };
  } finally {
    listener[Symbol.dispose]();
  }
}
