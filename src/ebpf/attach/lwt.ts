import { parseAddress, parsePrefix } from '../../base/address.js';
import { NetkitError } from '../../base/errors.js';
import { findInterface } from '../../host/interfaces.js';
import { type Netns, openSameNetns, withNetns } from '../../host/netns.js';
import { isErrno } from '../../sys/errno.js';
import { type NetlinkAttribute, netlinkRequest } from '../../sys/netlink-request.js';
import { uapi } from '../../sys/uapi.js';
import type { Program } from '../program.js';
import { HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

/** Where on a route: before the packet is delivered or forwarded, before it is sent, when it is handed to the interface. */
export type LwtPoint = 'in' | 'out' | 'xmit' | 'seg6local';

/** A route that has a program; made by {@link lwt}. */
export interface LwtOptions {
  readonly hook: 'lwt';
  /** `seg6local`: for segments of IPv6 segment routing that end here (`End.BPF`). */
  readonly point: LwtPoint;
  /** An address with its prefix length: `192.0.2.0/24`, `2001:db8::/64`; without, one host. */
  readonly destination: string;
  readonly ifname: string;
  /** The next hop; directly on the interface when left out. */
  readonly via?: string | undefined;
  /** The routing table; the main one, 254, when left out. */
  readonly table?: number | undefined;
  /** Where the interface is; the current network namespace when left out. */
  readonly netns?: Netns | undefined;
}

/**
 * A new route whose packets go through the program, as `ip route add … encap bpf` makes them. The routing table keeps it.
 * For programs of the types `lwt_in`, `lwt_out`, `lwt_xmit` (4.10) and `lwt_seg6local` (4.18), by `point`.
 */
export function lwt(options: Omit<LwtOptions, 'hook'>): LwtOptions {
  return { hook: 'lwt', ...options };
}

const programTypes = {
  in: 'lwt_in',
  out: 'lwt_out',
  xmit: 'lwt_xmit',
  seg6local: 'lwt_seg6local',
} as const;
const points = { in: uapi.LWT_BPF_IN, out: uapi.LWT_BPF_OUT, xmit: uapi.LWT_BPF_XMIT } as const;

/** @internal */
export function attachLwt(program: Program, options: LwtOptions): HeldAttachment {
  const { point, ifname, netns } = options;
  const { name, type } = program.info();
  const wanted = programTypes[point];
  if (type !== wanted) {
    throw new NetkitError('usage', `program '${name}' is of type ${type}: a route wants ${wanted} there`);
  }
  const { ifindex } = findInterface(ifname, netns);
  const route = routeOf(options, ifindex);
  const where = `the route to ${options.destination} by ${ifname}`;
  // Of its own: whoever attached may close theirs before this.
  const place = openSameNetns(netns);
  try {
    const encapsulation = encapsulationOf(program, name, point);
    withNetns(place, () =>
      attempting(
        { program, where, hook: wanted, taken: `there is a route to ${options.destination} already` },
        () =>
          netlinkRequest(
            uapi.RTM_NEWROUTE,
            uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
            route.message,
            [...route.attributes, ...encapsulation],
            `add ${where}`,
          ),
      ),
    );
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
  return new HeldAttachment('kernel', () => withNetns(place, () => deleteRoute(route, where)), [place]);
}

interface Route {
  /** struct rtmsg of linux/rtnetlink.h */
  readonly message: Uint8Array;
  readonly attributes: readonly NetlinkAttribute[];
}

function routeOf({ destination, via, table = uapi.RT_TABLE_MAIN }: LwtOptions, ifindex: number): Route {
  const { family: version, bytes, length } = parsePrefix(destination);
  const family = version === 4 ? AF_INET : AF_INET6;
  const scope = via === undefined && family === AF_INET ? uapi.RT_SCOPE_LINK : uapi.RT_SCOPE_UNIVERSE;
  const small = table < 256 ? table : 0;
  const message = Uint8Array.of(
    family,
    length,
    0,
    0,
    small,
    uapi.RTPROT_STATIC,
    scope,
    uapi.RTN_UNICAST,
    0,
    0,
    0,
    0,
  );
  const attributes: NetlinkAttribute[] = [
    { type: uapi.RTA_DST, value: bytes },
    { type: uapi.RTA_OIF, value: ifindex },
    { type: uapi.RTA_TABLE, value: table },
  ];
  if (via !== undefined) attributes.push({ type: uapi.RTA_GATEWAY, value: parseAddress(via) });
  return { message, attributes };
}

// sys/socket.h
const AF_INET = 2;
const AF_INET6 = 10;

function encapsulationOf(program: Program, name: string, point: LwtPoint): NetlinkAttribute[] {
  if (point === 'seg6local') {
    return [
      { type: uapi.RTA_ENCAP_TYPE, value: Uint8Array.of(uapi.LWTUNNEL_ENCAP_SEG6_LOCAL, 0) },
      {
        type: uapi.RTA_ENCAP,
        value: [
          { type: uapi.SEG6_LOCAL_ACTION, value: uapi.SEG6_LOCAL_ACTION_END_BPF },
          {
            type: uapi.SEG6_LOCAL_BPF,
            value: [
              { type: uapi.SEG6_LOCAL_BPF_PROG, value: program.fd.value },
              { type: uapi.SEG6_LOCAL_BPF_PROG_NAME, value: name },
            ],
          },
        ],
      },
    ];
  }
  const inner = [
    { type: uapi.LWT_BPF_PROG_FD, value: program.fd.value },
    { type: uapi.LWT_BPF_PROG_NAME, value: name },
  ];
  return [
    { type: uapi.RTA_ENCAP_TYPE, value: Uint8Array.of(uapi.LWTUNNEL_ENCAP_BPF, 0) },
    { type: uapi.RTA_ENCAP, value: [{ type: points[point], value: inner }] },
  ];
}

function deleteRoute({ message, attributes }: Route, where: string): void {
  try {
    netlinkRequest(uapi.RTM_DELROUTE, 0, message, attributes, `delete ${where}`);
  } catch (error) {
    // It went with its interface.
    if (!isErrno(error, 'ESRCH', 'ENODEV', 'ENETUNREACH')) throw error;
  }
}
