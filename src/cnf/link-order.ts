/** Where a link stands among the programs on its hook. */
import { NetkitError } from '../base/errors.js';
import type { LinkInfo } from '../ebpf/link.js';
import { orderAround } from '../ebpf/link-order.js';
import type { Order } from '../ebpf/order.js';
import type { Netns } from '../host/netns.js';
import { isChainLink } from './chain/member.js';
import { familyOf } from './hooks/index.js';
import type { LinkState } from './link-state.js';
import type { ListedLink } from './listed-link.js';

export interface StandingOrder {
  /** Null for a program of another owner, which has none. */
  readonly priority: number | null;
  /** From 1. */
  readonly place: number;
  /** How many programs are on the hook. */
  readonly of: number;
}

/**
 * Undefined for hooks without an order, for a link that is dead, and for what this user may not see.
 * @param netns where to look for the interface of a link that netkit did not attach
 */
export function standingOrder(
  { info, state, pin, programId, dead }: ListedLink,
  netns: Netns | undefined,
): StandingOrder | undefined {
  if (dead || info?.gone === true) return undefined;
  const order = state === undefined ? foreignOrder(info, netns) : seenOrder(state, pin);
  const at = order === undefined ? -1 : indexOf(order, info?.id, programId);
  if (order === undefined || at < 0) return undefined;
  const priority = state === undefined ? null : recordedPriority(state);
  return { priority, place: at + 1, of: order.entries.length };
}

function foreignOrder(info: LinkInfo | undefined, netns: Netns | undefined): Order | undefined {
  return info === undefined ? undefined : orderAround(info, netns);
}

function recordedPriority(state: LinkState): number | null {
  if (isChainLink(state)) return state.priority;
  return 'order' in state ? state.order.priority : null;
}

function seenOrder(state: LinkState, pin: string | undefined): Order | undefined {
  try {
    return familyOf(state).seenOrder?.(state, pin);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'not-permitted'))
      return undefined;
    throw error;
  }
}

/** A cgroup tells programs only, and so do chains; a member of a chain by tail calls has no link of its own. */
function indexOf({ entries }: Order, id: number | undefined, programId: number | undefined): number {
  return entries.findIndex((entry) =>
    entry.linkId === undefined ? entry.programId === programId : entry.linkId === id,
  );
}
