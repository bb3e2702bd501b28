/** What libbpf's netlink code cannot answer: is there a clsact qdisc, and is any filter on it? */
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

// linux/netlink.h, sys/socket.h
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const headerSize = 16;
const tcMessageSize = 20;
const receiveBytes = 32768;
// linux/rtnetlink.h: struct rtattr, enum of TCA_*
const attributeHeaderSize = 4;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
/** The nested attributes' flag of linux/netlink.h takes the upper bits of a type. */
const attributeType = 0x3fff;
// linux/pkt_cls.h: enum of TCA_BPF_*
const TCA_BPF_NAME = 7;
const TCA_BPF_ID = 11;

// struct tcmsg of linux/rtnetlink.h: family, padding, ifindex, handle, parent, info
const ifindexAt = headerSize + 4;
const handleAt = headerSize + 8;
const parentAt = headerSize + 12;
const infoAt = headerSize + 16;

/** True when a filter of any kind and owner is on the clsact qdisc's ingress or egress side. @throws SysError */
export function hasTcFilters(ifindex: number): boolean {
  return filterPriorities(ifindex, 'ingress').length + filterPriorities(ifindex, 'egress').length > 0;
}

/** A filter on one side of the clsact qdisc, whoever's it is. */
export interface TcFilterEntry {
  /** Lower ones run first. */
  readonly priority: number;
  readonly handle: number;
  /** `bpf`, `flower`, `u32`, … */
  readonly kind: string;
  /** Of kind `bpf`; undefined for others, and for classic BPF. */
  readonly programId: number | undefined;
  /** What whoever made a filter of kind `bpf` called it. */
  readonly name: string | undefined;
}

/** The filters on one side of the clsact qdisc, in the order in which they run; none where there is no qdisc. @throws SysError */
export function tcFilters(ifindex: number, direction: 'ingress' | 'egress'): TcFilterEntry[] {
  // Of each priority the kernel tells first that there is one, and then the filters.
  return filterMessages(ifindex, direction)
    .filter(({ handle }) => handle !== 0)
    .map(({ priority, handle, kind, programId, name }) => ({ priority, handle, kind, programId, name }));
}

/** The priorities of all filters on one side of the clsact qdisc; none where there is no qdisc. @throws SysError */
export function filterPriorities(ifindex: number, direction: 'ingress' | 'egress'): number[] {
  return filterMessages(ifindex, direction).map(({ priority }) => priority);
}

function filterMessages(ifindex: number, direction: 'ingress' | 'egress'): TcMessage[] {
  const side = direction === 'ingress' ? uapi.TC_H_MIN_INGRESS : uapi.TC_H_MIN_EGRESS;
  // TC_H_MAKE(TC_H_CLSACT, side)
  const parent = ((uapi.TC_H_CLSACT & 0xffff0000) | (side & 0xffff)) >>> 0;
  return dump(uapi.RTM_GETTFILTER, uapi.RTM_NEWTFILTER, ifindex, parent);
}

/**
 * The kind of the qdisc at the place of clsact: `clsact`, or `ingress`, its older form, which has no egress side and runs
 * filters put there on ingress. Undefined when there is none. @throws SysError
 */
export function clsactKind(ifindex: number): string | undefined {
  // Kernels may dump the qdiscs of every interface, whichever was asked for.
  return dump(uapi.RTM_GETQDISC, uapi.RTM_NEWQDISC, ifindex, 0).find(
    (message) => message.ifindex === ifindex && message.parent === uapi.TC_H_CLSACT,
  )?.kind;
}

interface TcMessage {
  readonly ifindex: number;
  readonly parent: number;
  readonly handle: number;
  /** Of a filter; the upper half of tcm_info. */
  readonly priority: number;
  /** Empty when the message has none. */
  readonly kind: string;
  readonly programId: number | undefined;
  readonly name: string | undefined;
}

/** Dumps the tc objects of an interface; none where it has no such qdisc. @throws SysError */
function dump(request: number, answer: number, ifindex: number, parent: number): TcMessage[] {
  using socket = new Fd(
    checked('open a netlink socket', invoke('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE])),
  );
  const question = new DataView(new ArrayBuffer(headerSize + tcMessageSize));
  question.setUint32(0, question.byteLength, littleEndian);
  question.setUint16(4, request, littleEndian);
  question.setUint16(6, NLM_F_REQUEST_DUMP, littleEndian);
  question.setUint32(ifindexAt, ifindex, littleEndian);
  question.setUint32(parentAt, parent, littleEndian);
  const bytes = new Uint8Array(question.buffer);
  checked('ask for tc objects', invoke('send', [socket.value, bytes, bytes.length, 0]));
  const found: TcMessage[] = [];
  for (;;) {
    const received = new Uint8Array(receiveBytes);
    const length = checked('read tc objects', invoke('recv', [socket.value, received, received.length, 0]));
    const view = new DataView(received.buffer, 0, length);
    for (let at = 0; at + headerSize <= length; ) {
      const size = view.getUint32(at, littleEndian);
      const type = view.getUint16(at + 4, littleEndian);
      if (size < headerSize) throw new SysError('read tc objects', errnoNumber('EPROTO'));
      if (type === NLMSG_DONE || type === NLMSG_ERROR) {
        // An answer cut short must not pass for an interface without filters.
        const error = size >= headerSize + 4 ? view.getInt32(at + headerSize, littleEndian) : 0;
        if (error < 0) throw new SysError('read tc objects', -error);
        return found;
      }
      if (type === answer) {
        found.push({
          ifindex: view.getUint32(at + ifindexAt, littleEndian),
          parent: view.getUint32(at + parentAt, littleEndian),
          handle: view.getUint32(at + handleAt, littleEndian),
          priority: view.getUint32(at + infoAt, littleEndian) >>> 16,
          ...describedIn(view, at + headerSize + tcMessageSize, Math.min(at + size, length)),
        });
      }
      at += (size + 3) & ~3;
    }
  }
}

function describedIn(
  view: DataView,
  from: number,
  end: number,
): Pick<TcMessage, 'kind' | 'programId' | 'name'> {
  const attributes = attributesIn(view, from, end);
  const kind = textOf(attributes.get(TCA_KIND)) ?? '';
  const options = attributes.get(TCA_OPTIONS);
  if (kind !== 'bpf' || options === undefined) return { kind, programId: undefined, name: undefined };
  const inner = attributesIn(options, 0, options.byteLength);
  return {
    kind,
    programId: inner.get(TCA_BPF_ID)?.getUint32(0, littleEndian),
    name: textOf(inner.get(TCA_BPF_NAME)),
  };
}

/** The contents of attributes by their types. */
function attributesIn(view: DataView, from: number, end: number): Map<number, DataView> {
  const found = new Map<number, DataView>();
  for (let at = from; at + attributeHeaderSize <= end; ) {
    const size = view.getUint16(at, littleEndian);
    if (size < attributeHeaderSize || at + size > end) break;
    const contents = new DataView(
      view.buffer,
      view.byteOffset + at + attributeHeaderSize,
      size - attributeHeaderSize,
    );
    found.set(view.getUint16(at + 2, littleEndian) & attributeType, contents);
    at += (size + 3) & ~3;
  }
  return found;
}

function textOf(contents: DataView | undefined): string | undefined {
  if (contents === undefined) return undefined;
  const bytes = new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength);
  return Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '');
}
