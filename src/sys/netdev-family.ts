/** The generic netlink family `netdev` (linux/netdev.h): what a driver's XDP can do. In the thread's network namespace. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { errnoNumber, isErrno, SysError } from './errno.js';
import type { Fd } from './fd.js';
import { type Attributes, attributesIn, encodeAll } from './netlink-attributes.js';
import { openNetlink, receiveAnswer, sendMessage } from './netlink-message.js';
import { uapi } from './uapi.js';

/** struct genlmsghdr of linux/genetlink.h: command, version, reserved. */
const genericHeaderSize = 4;

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
  using socket = openNetlink('generic');
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

function wide(attributes: Attributes, type: number): bigint | undefined {
  return attributes.get(type)?.getBigUint64(0, littleEndian);
}

/** Sends a command with one attribute and gives the attributes of the answer. @throws SysError with the kernel's errno */
function ask(socket: Fd, family: number, command: number, attribute: number, value: Uint8Array): Attributes {
  const operation = 'ask the kernel about an interface';
  const version = 1;
  const generic = Uint8Array.of(command, version, 0, 0);
  const body = Buffer.concat([generic, encodeAll([{ type: attribute, value }])]);
  sendMessage(socket, family, 0, body, operation);
  const answer = receiveAnswer(socket, operation);
  if (answer.type === uapi.NLMSG_ERROR || answer.body.byteLength < genericHeaderSize)
    throw new SysError(operation, errnoNumber('EPROTO'));
  const { buffer, byteOffset, byteLength } = answer.body;
  return attributesIn(new DataView(buffer, byteOffset + genericHeaderSize, byteLength - genericHeaderSize));
}
