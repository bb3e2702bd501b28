/** Netlink's sockets, and its messages, each of which begins with a header. In the thread's network namespace. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { declare, invoke } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import { Fd } from './fd.js';
import { padded } from './netlink-attributes.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declare('libc', [
  'int socket(int domain, int type, int protocol)',
  'long send(int fd, void *bytes, size_t size, int flags)',
  'long recv(int fd, void *bytes, size_t size, int flags)',
]);

// sys/socket.h, linux/netlink.h
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const protocols = { route: 0, generic: 16 } as const;
/** struct nlmsghdr of linux/netlink.h: length, type, flags, sequence and port. */
const headerSize = 16;
/** The kernel sends lists in pieces of up to this size, and shorter answers than that. */
export const receiveBytes = 32768;

/** What follows the header, and what the header says. */
export interface NetlinkMessage {
  readonly type: number;
  readonly body: DataView;
}

/** @throws SysError */
export function openNetlink(protocol: keyof typeof protocols): Fd {
  const fd = invoke('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, protocols[protocol]]);
  return new Fd(checked('open a netlink socket', fd));
}

/**
 * Sends one message.
 * @param flags beside NLM_F_REQUEST
 * @throws SysError
 */
export function sendMessage(
  socket: Fd,
  type: number,
  flags: number,
  body: Uint8Array,
  operation: string,
): void {
  const message = new Uint8Array(headerSize + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, littleEndian);
  view.setUint16(4, type, littleEndian);
  view.setUint16(6, uapi.NLM_F_REQUEST | flags, littleEndian);
  message.set(body, headerSize);
  checked(operation, invoke('send', [socket.value, message, message.length, 0]));
}

/** Waits for what the kernel sends next: one message or several. @throws SysError, EPROTO for what are none */
export function receiveMessages(socket: Fd, operation: string): NetlinkMessage[] {
  const received = new Uint8Array(receiveBytes);
  return messagesIn(
    received,
    checked(operation, invoke('recv', [socket.value, received, received.length, 0])),
    operation,
  );
}

/** The messages in what was received. @throws SysError, EPROTO for what are none */
export function messagesIn(received: Uint8Array, length: number, operation: string): NetlinkMessage[] {
  const view = new DataView(received.buffer, received.byteOffset, length);
  const found: NetlinkMessage[] = [];
  for (let at = 0; at + headerSize <= length; ) {
    const size = view.getUint32(at, littleEndian);
    if (size < headerSize || at + size > length) throw new SysError(operation, errnoNumber('EPROTO'));
    const body = new DataView(received.buffer, received.byteOffset + at + headerSize, size - headerSize);
    found.push({ type: view.getUint16(at + 4, littleEndian), body });
    at += padded(size);
  }
  if (found.length === 0) throw new SysError(operation, errnoNumber('EPROTO'));
  return found;
}

/**
 * Waits for the one message that answers a request.
 * @throws SysError with the errno that it tells of
 */
export function receiveAnswer(socket: Fd, operation: string): NetlinkMessage {
  const [answer] = receiveMessages(socket, operation);
  if (answer === undefined) throw new SysError(operation, errnoNumber('EPROTO'));
  if (answer.type === uapi.NLMSG_ERROR) throwErrorIn(answer, operation);
  return answer;
}

/** Does nothing where the message says that all is well. @throws SysError with the errno that it tells of */
export function throwErrorIn({ body }: NetlinkMessage, operation: string): void {
  const error = body.byteLength < 4 ? 0 : body.getInt32(0, littleEndian);
  if (error < 0) throw new SysError(operation, -error);
}
