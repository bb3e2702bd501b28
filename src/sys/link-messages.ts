/** What rtnetlink tells of interfaces: all that there are, and each change as it comes. In the thread's network namespace. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { Scope } from '../base/scope.js';
import { declare, invoke, lastErrno } from './call.js';
import { errnoNumber, SysError } from './errno.js';
import type { Fd } from './fd.js';
import { type Attributes, attributesIn, bytesOf } from './netlink-attributes.js';
import { netlinkDumpBy } from './netlink-dump.js';
import { messagesIn, openNetlink } from './netlink-message.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declare('libc', [
  'int bind(int fd, void *address, unsigned int size)',
  'long recv(int fd, void *bytes, size_t size, int flags)',
  'int setsockopt(int fd, int level, int option, void *value, unsigned int size)',
]);

// sys/socket.h
const AF_NETLINK = 16;
const MSG_DONTWAIT_TRUNC = 0x40 | 0x20;
/** struct ifinfomsg of linux/rtnetlink.h: family, padding, type, index, flags, and which flags changed. */
const linkMessageSize = 16;
const indexAt = 4;
const flagsAt = 8;
/** Of one datagram, which has one message; some kilobytes, of devices with many queues or functions. */
const datagramBytes = 65_536;
/** What the kernel keeps for a process that is busy, some hundred messages; twice that, as it counts. */
const queueBytes = 1 << 20;

/** An interface as it was when the message was made. */
export interface LinkMessage {
  readonly ifindex: number;
  readonly ifname: string;
  /** Switched on, whatever its carrier (IFF_UP). */
  readonly isUp: boolean;
  /** True when it has left the namespace. */
  readonly isGone: boolean;
}

/**
 * Gets a message for each change of an interface from the moment that it is made, and lists them. It stays in the namespace
 * in which it was made, and keeps that alive, but not its file: that can be unmounted.
 */
export class LinkSockets implements Disposable {
  /** Can be read when there are messages. */
  readonly fd: Fd;
  readonly #questions: Fd;
  readonly #scope: Scope;
  readonly #datagram = new Uint8Array(datagramBytes);

  /** @throws SysError */
  constructor() {
    using scope = new Scope();
    this.fd = scope.use(openNetlink('route'));
    this.#questions = scope.use(openNetlink('route'));
    const { value } = this.fd;
    // Where it is not allowed (outside of the first user namespace), more may be lost, which is told.
    const size = new Uint8Array(Int32Array.of(queueBytes).buffer);
    invoke('setsockopt', [value, uapi.SOL_SOCKET, uapi.SO_RCVBUFFORCE, size, size.length]);
    // struct sockaddr_nl: family and padding, port (0: the kernel gives one), groups
    const address = new Uint8Array(Uint32Array.of(0, 0, uapi.RTMGRP_LINK).buffer);
    new DataView(address.buffer).setUint16(0, AF_NETLINK, littleEndian);
    checked('listen for changes of interfaces', invoke('bind', [value, address, address.length]));
    this.#scope = scope.move();
  }

  /** All interfaces, also those that are down. @throws SysError */
  list(): LinkMessage[] {
    const fixed = new Uint8Array(linkMessageSize);
    const question = { request: uapi.RTM_GETLINK, answer: uapi.RTM_NEWLINK, fixed };
    return netlinkDumpBy(this.#questions, question, 'list the interfaces').flatMap(
      (link) => linkOf(link.fixed, link.attributes, false) ?? [],
    );
  }

  /**
   * What one datagram of the kernel says, without waiting.
   * @returns undefined when there is none now
   * @throws SysError ENOBUFS when messages were lost: what comes after these is told, and the list is to be read anew
   */
  receive(): LinkMessage[] | undefined {
    const operation = 'hear of changes of interfaces';
    const { value } = this.fd;
    const bytes = this.#datagram;
    const length = Number(invoke('recv', [value, bytes, bytes.length, MSG_DONTWAIT_TRUNC]));
    if (length < 0 && lastErrno() === errnoNumber('EAGAIN')) return undefined;
    checked(operation, length);
    if (length > bytes.length) throw new SysError(operation, errnoNumber('ENOBUFS'));
    return messagesIn(bytes, length, operation).flatMap(({ type, body }) => {
      if (type !== uapi.RTM_NEWLINK && type !== uapi.RTM_DELLINK) return [];
      if (body.byteLength < linkMessageSize) throw new SysError(operation, errnoNumber('EPROTO'));
      const rest = new DataView(
        body.buffer,
        body.byteOffset + linkMessageSize,
        body.byteLength - linkMessageSize,
      );
      return linkOf(body, attributesIn(rest), type === uapi.RTM_DELLINK) ?? [];
    });
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

function linkOf(fixed: DataView, attributes: Attributes, isGone: boolean): LinkMessage | undefined {
  // A bridge says of each port that it came or went in messages of its own family, when it only left the bridge.
  const isOfFamily = fixed.getUint8(0) !== 0;
  const name = attributes.get(uapi.IFLA_IFNAME);
  if (isOfFamily || name === undefined) return undefined;
  const ifname = Buffer.from(bytesOf(name)).toString('utf8').replace(/\0.*$/s, '');
  const isUp = (fixed.getUint32(flagsAt, littleEndian) & uapi.IFF_UP) !== 0;
  return { ifindex: fixed.getInt32(indexAt, littleEndian), ifname, isUp, isGone };
}
