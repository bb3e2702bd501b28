/** Requests to rtnetlink that change something: one message, and the kernel's answer. In the thread's network namespace. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { declare, invoke } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import { Fd } from './fd.js';
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
const NETLINK_ROUTE = 0;
const headerSize = 16;
const attributeHeaderSize = 4;

/** One attribute; a list of attributes is nested. */
export interface NetlinkAttribute {
  readonly type: number;
  readonly value: number | string | Uint8Array | readonly NetlinkAttribute[];
}

const padded = (size: number): number => (size + 3) & ~3;

function encode({ type, value }: NetlinkAttribute): Uint8Array {
  const isNested = typeof value === 'object' && !(value instanceof Uint8Array);
  const content = isNested ? encodeAll(value) : plain(value);
  const bytes = new Uint8Array(padded(attributeHeaderSize + content.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, attributeHeaderSize + content.length, littleEndian);
  view.setUint16(2, isNested ? type | uapi.NLA_F_NESTED : type, littleEndian);
  bytes.set(content, attributeHeaderSize);
  return bytes;
}

/** A number takes 32 bits, a text ends with a NUL. */
function plain(value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'number') return new Uint8Array(Uint32Array.of(value).buffer);
  return typeof value === 'string' ? Buffer.from(`${value}\0`) : value;
}

function encodeAll(attributes: readonly NetlinkAttribute[]): Uint8Array {
  return Buffer.concat(attributes.map(encode));
}

/**
 * Sends one request and waits for its answer.
 * @param fixed the struct that the message begins with, such as `struct rtmsg`
 * @param flags beside NLM_F_REQUEST and NLM_F_ACK
 * @throws SysError with the kernel's errno
 */
export function netlinkRequest(
  type: number,
  flags: number,
  fixed: Uint8Array,
  attributes: readonly NetlinkAttribute[],
  operation: string,
): void {
  using socket = new Fd(
    checked('open a netlink socket', invoke('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE])),
  );
  const body = Buffer.concat([fixed, encodeAll(attributes)]);
  const message = new Uint8Array(headerSize + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, littleEndian);
  view.setUint16(4, type, littleEndian);
  view.setUint16(6, uapi.NLM_F_REQUEST | uapi.NLM_F_ACK | flags, littleEndian);
  message.set(body, headerSize);
  checked(operation, invoke('send', [socket.value, message, message.length, 0]));
  const answer = new Uint8Array(8192);
  const length = checked(operation, invoke('recv', [socket.value, answer, answer.length, 0]));
  const received = new DataView(answer.buffer, 0, length);
  if (length < headerSize + 4 || received.getUint16(4, littleEndian) !== uapi.NLMSG_ERROR) {
    throw new SysError(operation, errnoNumber('EPROTO'));
  }
  const error = received.getInt32(headerSize, littleEndian);
  if (error < 0) throw new SysError(operation, -error);
}
