/** The one question that libbpf's netlink code cannot answer: does an interface's clsact qdisc hold any filter? */
import { declare, invoke } from './call.js';
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

/** True when a filter of any kind and owner is on the clsact qdisc's ingress or egress side. @throws SysError */
export function hasTcFilters(ifindex: number): boolean {
  return [uapi.TC_H_MIN_INGRESS, uapi.TC_H_MIN_EGRESS].some((side) => countFilters(ifindex, side) > 0);
}

function countFilters(ifindex: number, side: number): number {
  using socket = new Fd(
    checked('open a netlink socket', invoke('socket', [AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE])),
  );
  const request = new DataView(new ArrayBuffer(headerSize + tcMessageSize));
  request.setUint32(0, request.byteLength, true);
  request.setUint16(4, uapi.RTM_GETTFILTER, true);
  request.setUint16(6, NLM_F_REQUEST_DUMP, true);
  request.setUint32(headerSize + 4, ifindex, true);
  // struct tcmsg: family, padding, ifindex, handle, parent; TC_H_MAKE(TC_H_CLSACT, side)
  request.setUint32(headerSize + 12, ((uapi.TC_H_CLSACT & 0xffff0000) | (side & 0xffff)) >>> 0, true);
  checked(
    'ask for the filters',
    invoke('send', [socket.value, new Uint8Array(request.buffer), request.byteLength, 0]),
  );
  let found = 0;
  for (;;) {
    const bytes = new Uint8Array(receiveBytes);
    const length = checked('read the filters', invoke('recv', [socket.value, bytes, bytes.length, 0]));
    const view = new DataView(bytes.buffer, 0, length);
    for (let at = 0; at + headerSize <= length; ) {
      const size = view.getUint32(at, true);
      const type = view.getUint16(at + 4, true);
      if (type === NLMSG_DONE || type === NLMSG_ERROR || size < headerSize) return found;
      if (type === uapi.RTM_NEWTFILTER) found++;
      at += (size + 3) & ~3;
    }
  }
}
