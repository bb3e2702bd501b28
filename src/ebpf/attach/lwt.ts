import { findInterface } from '../../host/interfaces.js';
import { type Netns, openSameNetns } from '../../host/netns.js';
import { deleteRoute, type LwtPoint, mainTable, requireLwtType, writeRoute } from '../lwt-route.js';
import type { Program } from '../program.js';
import { HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

export type { LwtPoint } from '../lwt-route.js';

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

/** @internal */
export function attachLwt(program: Program, options: LwtOptions): HeldAttachment {
  const { point, ifname, netns, destination, via, table = mainTable } = options;
  requireLwtType(program, point);
  const { ifindex } = findInterface(ifname, netns);
  const route = { destination, ifindex, via, table };
  const attempt = {
    program,
    where: `the route to ${destination} by ${ifname}`,
    hook: `lwt_${point}`,
    taken: `there is a route to ${destination} already`,
  } as const;
  // Of its own: whoever attached may close theirs before this.
  const place = openSameNetns(netns);
  try {
    attempting(attempt, () => writeRoute(route, new Map([[point, program]]), false, place));
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
  return new HeldAttachment('kernel', () => deleteRoute(route, place), [place]);
}
