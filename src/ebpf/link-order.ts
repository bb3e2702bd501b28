import { NetkitError } from '../base/errors.js';
import { type Netns, withNetns } from '../host/netns.js';
import type { LinkInfo } from './link.js';
import { type Order, readOrder } from './order.js';

const attachTypes = ['tcx_ingress', 'tcx_egress', 'netkit_primary', 'netkit_peer'] as const;

/**
 * What is on the hook of a link of an interface, which is looked for in a network namespace: a link does not tell in which
 * it is.
 * @returns undefined for links of other hooks, and when no such link is there
 */
export function orderAround(info: LinkInfo, netns?: Netns): Order | undefined {
  const attachType = attachTypes.find((known) => known === info.attachType);
  const { ifindex } = info;
  if (attachType === undefined || ifindex === undefined || ifindex === 0) return undefined;
  const kind = attachType.startsWith('tcx') ? 'tcx' : 'netkit';
  try {
    const order = withNetns(netns, () =>
      readOrder({ kind, target: ifindex, attachType, about: `interface ${ifindex}` }),
    );
    return order.entries.some(({ linkId }) => linkId === info.id) ? order : undefined;
  } catch (error) {
    // No such interface, or one of another kind, in this namespace; or not for this user to see.
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}
