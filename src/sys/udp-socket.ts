/** UDP sockets that wait on a port, in the thread's network namespace. */
import { declare, invoke } from './call.js';
import { Fd } from './fd.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'int bind(int fd, void *address, unsigned int size)',
  'int setsockopt(int fd, int level, int option, const void *value, unsigned int size)',
]);

// sys/socket.h
const families = { ipv4: 2, ipv6: 10 } as const;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const SO_RCVTIMEO = 20;

/**
 * A socket for every address of this machine.
 * @param receiveTimeout seconds after which a read that got nothing fails with EAGAIN
 * @throws SysError EADDRINUSE, EAFNOSUPPORT
 */
export function openUdpSocket(family: keyof typeof families, port: number, receiveTimeout: number): Fd {
  const socket = new Fd(
    checked('open a UDP socket', invoke('socket', [families[family], SOCK_DGRAM_CLOEXEC, 0])),
  );
  try {
    // struct timeval, of 64 bits each
    const time = BigInt64Array.of(BigInt(receiveTimeout), 0n);
    const value = new Uint8Array(time.buffer);
    checked(
      'set the time-out of a socket',
      invoke('setsockopt', [socket.value, uapi.SOL_SOCKET, SO_RCVTIMEO, value, value.length]),
    );
    // struct sockaddr_in or sockaddr_in6: the family, the port in network order, the rest is zero
    const address = new Uint8Array(family === 'ipv4' ? 16 : 28);
    address.set(new Uint8Array(Uint16Array.of(families[family]).buffer), 0);
    address.set([port >> 8, port & 0xff], 2);
    checked('bind a UDP socket', invoke('bind', [socket.value, address, address.length]));
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}
