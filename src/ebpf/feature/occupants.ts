/** Who is on an interface already: what its one XDP place and the place of its clsact qdisc hold. */
import type { Interface } from '../../host/interfaces.js';
import { type Netns, withNetns } from '../../host/netns.js';
import { clsactKind } from '../../sys/netlink.js';
import { queryXdp } from '../../sys/xdp.js';
import { openId } from '../by-id.js';
import { readProgramInfo } from '../program-info.js';

/** An XDP program that an interface has. */
export interface XdpOccupant {
  readonly id: number;
  readonly mode: 'native' | 'generic' | 'offload';
  /** Undefined without the right to open programs by id, or when it has just gone. */
  readonly name: string | undefined;
}

/** @throws SysError when the interface has gone */
export function xdpOccupants({ ifindex }: Interface, netns?: Netns): XdpOccupant[] {
  return withNetns(netns, () => {
    const ids = queryXdp(ifindex);
    const modes = ['native', 'generic', 'offload'] as const;
    return modes.flatMap((mode) =>
      ids[mode] === 0 ? [] : [{ id: ids[mode], mode, name: nameOf(ids[mode]) }],
    );
  });
}

function nameOf(id: number): string | undefined {
  try {
    using program = openId('program', id);
    return readProgramInfo(program).name;
  } catch {
    // Not for this user, or it has gone meanwhile.
    return undefined;
  }
}

/** The qdisc in the place of clsact: `clsact`, `ingress`, which has no egress side, or none. @throws SysError */
export function ingressQdisc({ ifindex }: Interface, netns?: Netns): string | undefined {
  return withNetns(netns, () => clsactKind(ifindex));
}
