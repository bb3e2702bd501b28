/** Sockets as descriptors, which Node does not give out. */
import { declare, invoke } from '../../src/sys/call.js';
import { Fd } from '../../src/sys/fd.js';
import { checked } from '../../src/sys/status.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'int bind(int fd, void *address, unsigned int size)',
  'int listen(int fd, int backlog)',
  'int setsockopt(int fd, int level, int option, void *value, unsigned int size)',
]);

// sys/socket.h
const AF_INET = 2;
const AF_XDP = 44;
const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEPORT = 15;
// linux/if_xdp.h
const SOL_XDP = 283;
const XDP_RX_RING = 2;

function open(domain: number, type: number): Fd {
  return new Fd(checked('open a socket', invoke('socket', [domain, type | SOCK_CLOEXEC, 0])));
}

/** A TCP socket that listens on a port of 127.0.0.1 that the kernel chose, and may share it. */
export function listeningSocket(): Fd {
  const socket = open(AF_INET, SOCK_STREAM);
  const one = Uint8Array.of(1, 0, 0, 0);
  checked('share a port', invoke('setsockopt', [socket.value, SOL_SOCKET, SO_REUSEPORT, one, 4]));
  const address = Uint8Array.of(AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  checked('bind a socket', invoke('bind', [socket.value, address, address.length]));
  checked('listen', invoke('listen', [socket.value, 1]));
  return socket;
}

/** An AF_XDP socket that is bound to nothing, with a ring to receive by, without which 7.2, but not 6.18, refuses it in a map. */
export function xdpSocket(): Fd {
  const socket = open(AF_XDP, SOCK_RAW);
  const entries = Uint8Array.of(64, 0, 0, 0);
  checked('make a ring', invoke('setsockopt', [socket.value, SOL_XDP, XDP_RX_RING, entries, 4]));
  return socket;
}
