/** The generic netlink family `netdev` (linux/netdev.h): what a driver's XDP can do. In the thread's network namespace. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { declare, invoke } from './call.js';
import { errnoNumber, isErrno, SysError } from './errno.js';
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
const NETLINK_GENERIC = 16;
const headerSize = 16;
/** struct genlmsghdr of linux/genetlink.h: command, version, reserved. */
const genericHeaderSize = 4;
const attributeHeaderSize = 4;

/** What the kernel says of an interface; bits as in linux/netdev.h. */
export interface NetdevFeatures {
  /** `NETDEV_XDP_ACT_*` */
  readonly xdp: bigint;
  /** How many buffers a packet on a zero-copy AF_XDP socket may take; undefined where there are none. */
  readonly zeroCopySegments: number | undefined;
  /** `NETDEV_XDP_RX_METADATA_*`; undefined from a kernel that does not tell (before 6.8). */
  readonly rxMetadata: bigint | undefined;
  /** `NETDEV_XSK_FLAGS_*`; likewise. */
  readonly socket: bigint | undefined;
}

/**
 * Asks for one interface. Minimum kernel 6.3.
 * @returns undefined from a kernel without the family
 * @throws SysError ENODEV when there is no such interface
 */
export function netdevFeatures(ifindex: number): NetdevFeatures | undefined {
  using socket = new Fd(
    checked('open a netlink socket', invoke('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_GENERIC])),
  );
  const family = familyNumber(socket);
  if (family === undefined) return undefined;
  const index = new Uint8Array(Uint32Array.of(ifindex).buffer);
  const answer = ask(socket, family, uapi.NETDEV_CMD_DEV_GET, uapi.NETDEV_A_DEV_IFINDEX, index);
  return {
    xdp: wide(answer, uapi.NETDEV_A_DEV_XDP_FEATURES) ?? 0n,
    zeroCopySegments: answer.get(uapi.NETDEV_A_DEV_XDP_ZC_MAX_SEGS)?.getUint32(0, littleEndian),
    rxMetadata: wide(answer, uapi.NETDEV_A_DEV_XDP_RX_METADATA_FEATURES),
    socket: wide(answer, uapi.NETDEV_A_DEV_XSK_FEATURES),
  };
}

function familyNumber(socket: Fd): number | undefined {
  try {
    const name = Buffer.from('netdev\0');
    const answer = ask(socket, uapi.GENL_ID_CTRL, uapi.CTRL_CMD_GETFAMILY, uapi.CTRL_ATTR_FAMILY_NAME, name);
    return answer.get(uapi.CTRL_ATTR_FAMILY_ID)?.getUint16(0, littleEndian);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

type Attributes = ReadonlyMap<number, DataView>;

function wide(attributes: Attributes, type: number): bigint | undefined {
  return attributes.get(type)?.getBigUint64(0, littleEndian);
}

const padded = (size: number): number => (size + 3) & ~3;

/** Sends a command with one attribute and gives the attributes of the answer. @throws SysError with the kernel's errno */
function ask(socket: Fd, family: number, command: number, attribute: number, value: Uint8Array): Attributes {
  const operation = 'ask the kernel about an interface';
  const start = headerSize + genericHeaderSize;
  const message = new Uint8Array(start + padded(attributeHeaderSize + value.length));
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, littleEndian);
  view.setUint16(4, family, littleEndian);
  view.setUint16(6, uapi.NLM_F_REQUEST, littleEndian);
  view.setUint8(headerSize, command);
  view.setUint8(headerSize + 1, 1);
  view.setUint16(start, attributeHeaderSize + value.length, littleEndian);
  view.setUint16(start + 2, attribute, littleEndian);
  message.set(value, start + attributeHeaderSize);
  checked(operation, invoke('send', [socket.value, message, message.length, 0]));
  const received = new Uint8Array(16_384);
  const length = checked(operation, invoke('recv', [socket.value, received, received.length, 0]));
  const answer = new DataView(received.buffer, 0, length);
  if (length < headerSize + 4) throw new SysError(operation, errnoNumber('EPROTO'));
  if (answer.getUint16(4, littleEndian) === uapi.NLMSG_ERROR)
    throw new SysError(operation, -answer.getInt32(headerSize, littleEndian));
  return attributesOf(answer, start, Math.min(length, answer.getUint32(0, littleEndian)));
}

function attributesOf(view: DataView, from: number, end: number): Attributes {
  const found = new Map<number, DataView>();
  for (let at = from; at + attributeHeaderSize <= end; ) {
    const size = view.getUint16(at, littleEndian);
    if (size < attributeHeaderSize || at + size > end) break;
    const content = new DataView(view.buffer, at + attributeHeaderSize, size - attributeHeaderSize);
    // The upper bits say that it is nested, or in network byte order.
    found.set(view.getUint16(at + 2, littleEndian) & 0x3fff, content);
    at += padded(size);
  }
  return found;
}
