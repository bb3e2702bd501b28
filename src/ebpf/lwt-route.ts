/** Routes with programs: made, read and changed by their place, since such a route is no link. */

import { formatAddress, parseAddress, parsePrefix } from '../base/address.js';
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { type Netns, withNetns } from '../host/netns.js';
import { isErrno } from '../sys/errno.js';
import {
  type Attributes,
  attributesIn,
  bytesOf,
  type NetlinkAttribute,
  numberOf,
  textOf,
} from '../sys/netlink-attributes.js';
import { type DumpedMessage, netlinkDump } from '../sys/netlink-dump.js';
import { netlinkRequest } from '../sys/netlink-request.js';
import { uapi } from '../sys/uapi.js';
import type { Program } from './program.js';
import { labelledId, programLabel } from './program-label.js';

/** Where on a route: before the packet is delivered or forwarded, before it is sent, when it is handed to the interface. */
export type LwtPoint = 'in' | 'out' | 'xmit' | 'seg6local';

/** What tells a route from others. */
export interface RoutePlace {
  /** An address with its prefix length. */
  readonly destination: string;
  readonly ifindex: number;
  /** The next hop; directly on the interface when undefined. */
  readonly via: string | undefined;
  /** The routing table. */
  readonly table: number;
}

/** A program on a route, as far as the kernel tells: it knows the name that whoever put it there gave it. */
export interface RouteProgram {
  readonly label: string;
  /** From the label, or of `seg6local` from the kernel; undefined where others named it otherwise. */
  readonly programId: number | undefined;
}

/** A route that is there. */
export interface SeenRoute {
  /** Empty for a route without programs. */
  readonly programs: ReadonlyMap<LwtPoint, RouteProgram>;
}

/** A route with programs, wherever it leads. */
export interface ListedRoute extends SeenRoute {
  readonly place: RoutePlace;
}

export const mainTable = uapi.RT_TABLE_MAIN;

// sys/socket.h
const AF_INET = 2;
const AF_INET6 = 10;
const routeMessageSize = 12;
/** What IPv6 gives a route that is to have none. */
const usualIpv6Metric = 1024;
const points = { in: uapi.LWT_BPF_IN, out: uapi.LWT_BPF_OUT, xmit: uapi.LWT_BPF_XMIT } as const;

/** The route in that place, with or without programs; undefined when there is none. @throws SysError */
export function routeAt(place: RoutePlace, netns?: Netns): SeenRoute | undefined {
  const { family, bytes, length } = parsePrefix(place.destination);
  const found = routesOf(family === 4 ? AF_INET : AF_INET6, place, netns).find((message) => {
    const { fixed, attributes } = message;
    const metric = numberOf(attributes.get(uapi.RTA_PRIORITY)) ?? 0;
    return (
      fixed.getUint8(1) === length &&
      metric === (family === 4 ? 0 : usualIpv6Metric) &&
      sameBytes(destinationOf(attributes, bytes.length), bytes) &&
      isOn(message, place)
    );
  });
  return found === undefined ? undefined : { programs: programsOf(found.attributes) };
}

/** Every route over the interface that has programs. @throws SysError */
export function routesWithPrograms(ifindex: number, netns?: Netns): ListedRoute[] {
  return [AF_INET, AF_INET6].flatMap((family) =>
    routesOf(family, { ifindex }, netns).flatMap((message) => {
      const { fixed, attributes } = message;
      const programs = programsOf(attributes);
      if (programs.size === 0 || !isOn(message, { ifindex })) return [];
      const address = destinationOf(attributes, family === AF_INET ? 4 : 16);
      const gateway = attributes.get(uapi.RTA_GATEWAY);
      const place = {
        destination: `${formatAddress(address)}/${fixed.getUint8(1)}`,
        ifindex,
        via: gateway === undefined ? undefined : formatAddress(bytesOf(gateway)),
        table: tableOf(message),
      };
      return [{ place, programs }];
    }),
  );
}

/**
 * Makes a route with programs, or with `replace` puts others on the one that is there: every packet meets those before or
 * those after. @throws SysError EEXIST when there is such a route, ENETDOWN when the interface is down
 */
export function writeRoute(
  place: RoutePlace,
  programs: ReadonlyMap<LwtPoint, Program>,
  replace: boolean,
  netns?: Netns,
): void {
  const { message, attributes } = encodedRoute(place);
  const flags = uapi.NLM_F_CREATE | (replace ? uapi.NLM_F_REPLACE : uapi.NLM_F_EXCL);
  const operation = `${replace ? 'change' : 'add'} the route to ${place.destination}`;
  const all = [...attributes, ...encapsulationOf(programs)];
  withNetns(netns, () => netlinkRequest(uapi.RTM_NEWROUTE, flags, message, all, operation));
}

/** Deletes the route; one that is gone, with its interface or without, is fine. @throws SysError */
export function deleteRoute(place: RoutePlace, netns?: Netns): void {
  const { message, attributes } = encodedRoute(place);
  const operation = `delete the route to ${place.destination}`;
  try {
    withNetns(netns, () => netlinkRequest(uapi.RTM_DELROUTE, 0, message, attributes, operation));
  } catch (error) {
    if (!isErrno(error, 'ESRCH', 'ENODEV', 'ENETUNREACH')) throw error;
  }
}

/** struct rtmsg of linux/rtnetlink.h, and what follows it. */
function encodedRoute({ destination, ifindex, via, table }: RoutePlace) {
  const { family: version, bytes, length } = parsePrefix(destination);
  const family = version === 4 ? AF_INET : AF_INET6;
  const scope = via === undefined && family === AF_INET ? uapi.RT_SCOPE_LINK : uapi.RT_SCOPE_UNIVERSE;
  const small = table < 256 ? table : 0;
  const { RTPROT_STATIC, RTN_UNICAST } = uapi;
  const message = Uint8Array.of(family, length, 0, 0, small, RTPROT_STATIC, scope, RTN_UNICAST, 0, 0, 0, 0);
  const attributes: NetlinkAttribute[] = [
    { type: uapi.RTA_DST, value: bytes },
    { type: uapi.RTA_OIF, value: ifindex },
    { type: uapi.RTA_TABLE, value: table },
  ];
  if (via !== undefined) attributes.push({ type: uapi.RTA_GATEWAY, value: parseAddress(via) });
  return { message, attributes };
}

function encapsulationOf(programs: ReadonlyMap<LwtPoint, Program>): NetlinkAttribute[] {
  const segments = programs.get('seg6local');
  if (segments !== undefined) {
    const named = [
      { type: uapi.SEG6_LOCAL_BPF_PROG, value: segments.fd.value },
      { type: uapi.SEG6_LOCAL_BPF_PROG_NAME, value: programLabel(segments) },
    ];
    return encapsulation(uapi.LWTUNNEL_ENCAP_SEG6_LOCAL, [
      { type: uapi.SEG6_LOCAL_ACTION, value: uapi.SEG6_LOCAL_ACTION_END_BPF },
      { type: uapi.SEG6_LOCAL_BPF, value: named },
    ]);
  }
  const nested = (['in', 'out', 'xmit'] as const).flatMap((point): NetlinkAttribute[] => {
    const program = programs.get(point);
    if (program === undefined) return [];
    const value = [
      { type: uapi.LWT_BPF_PROG_FD, value: program.fd.value },
      { type: uapi.LWT_BPF_PROG_NAME, value: programLabel(program) },
    ];
    return [{ type: points[point], value }];
  });
  return encapsulation(uapi.LWTUNNEL_ENCAP_BPF, nested);
}

function encapsulation(type: number, value: readonly NetlinkAttribute[]): NetlinkAttribute[] {
  return [
    { type: uapi.RTA_ENCAP_TYPE, value: Uint8Array.of(type, 0) },
    { type: uapi.RTA_ENCAP, value },
  ];
}

/** Those that the kernel chooses by interface and table, or all where it cannot choose. */
function routesOf(
  family: number,
  { ifindex, table }: Pick<RoutePlace, 'ifindex'> & { readonly table?: number },
  netns: Netns | undefined,
): DumpedMessage[] {
  const fixed = new Uint8Array(routeMessageSize);
  fixed[0] = family;
  const attributes: NetlinkAttribute[] = [{ type: uapi.RTA_OIF, value: ifindex }];
  if (table !== undefined) attributes.push({ type: uapi.RTA_TABLE, value: table });
  try {
    return withNetns(netns, () =>
      netlinkDump(
        { request: uapi.RTM_GETROUTE, answer: uapi.RTM_NEWROUTE, fixed, only: attributes },
        'list routes',
      ),
    );
  } catch (error) {
    // No such table, no such interface, no such protocol.
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP', 'EAFNOSUPPORT')) return [];
    throw error;
  }
}

function isOn(
  message: DumpedMessage,
  { ifindex, table }: { readonly ifindex: number; readonly table?: number },
): boolean {
  const isThere = numberOf(message.attributes.get(uapi.RTA_OIF)) === ifindex;
  return isThere && (table === undefined || tableOf(message) === table);
}

function tableOf({ fixed, attributes }: DumpedMessage): number {
  return numberOf(attributes.get(uapi.RTA_TABLE)) ?? fixed.getUint8(4);
}

/** A route to everywhere names no destination. */
function destinationOf(attributes: Attributes, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(bytesOf(attributes.get(uapi.RTA_DST)).subarray(0, size));
  return bytes;
}

function sameBytes(some: Uint8Array, others: Uint8Array): boolean {
  return some.every((byte, index) => byte === others[index]);
}

function programsOf(attributes: Attributes): ReadonlyMap<LwtPoint, RouteProgram> {
  const programs = new Map<LwtPoint, RouteProgram>();
  const type = attributes.get(uapi.RTA_ENCAP_TYPE)?.getUint16(0, hostIsLittleEndian);
  const inner = attributesIn(attributes.get(uapi.RTA_ENCAP));
  if (type === uapi.LWTUNNEL_ENCAP_BPF) {
    for (const point of ['in', 'out', 'xmit'] as const) {
      const found = inner.get(points[point]);
      if (found === undefined) continue;
      const label = textOf(attributesIn(found).get(uapi.LWT_BPF_PROG_NAME)) ?? '';
      programs.set(point, { label, programId: labelledId(label) });
    }
  } else if (type === uapi.LWTUNNEL_ENCAP_SEG6_LOCAL && inner.has(uapi.SEG6_LOCAL_BPF)) {
    const found = attributesIn(inner.get(uapi.SEG6_LOCAL_BPF));
    const label = textOf(found.get(uapi.SEG6_LOCAL_BPF_PROG_NAME)) ?? '';
    programs.set('seg6local', { label, programId: numberOf(found.get(uapi.SEG6_LOCAL_BPF_PROG)) });
  }
  return programs;
}

/** @throws NetkitError `usage` when the program is not of the type that the point wants */
export function requireLwtType(program: Program, point: LwtPoint): void {
  const { name, type } = program.info();
  const wanted = `lwt_${point}`;
  if (type === wanted) return;
  throw new NetkitError('usage', `program '${name}' is of type ${type}: a route wants ${wanted} there`);
}
