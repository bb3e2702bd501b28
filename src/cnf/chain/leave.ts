/** Taking a member out of the chain that it is in, wherever that is: from the pins that all tools share. */
import { occupantOf } from '../../ebpf/dispatcher/chain.js';
import { changeChain } from '../../ebpf/dispatcher/change.js';
import { removing } from '../../ebpf/dispatcher/edits.js';
import { ChainLock } from '../../ebpf/dispatcher/lock.js';
import { dropMember, type Marks, sweepMarks } from '../../ebpf/dispatcher/pins.js';
import { leaveTailChains } from '../../ebpf/tail-chain/change.js';
import type { Netns } from '../../host/netns.js';
import { findNetns } from '../../host/netns-search.js';
import { steppingStone } from '../stepping-stone.js';
import { memberships } from './memberships.js';

/** How long to wait for others that are changing chains. */
const lockTimeoutMs = 10_000;

/** Where to look first. */
export interface Hint {
  readonly ifname: string;
  readonly netns: Netns | undefined;
}

/**
 * Takes the program out of every chain that it is in. Where the interface is gone, its pins alone go.
 * @throws NetkitError as `changeChain`
 */
export function leaveChains(bpffs: string, programId: number, marks?: Marks, hint?: Hint): void {
  if (leaveTailChains(bpffs, programId, steppingStone)) return;
  for (const { ifindex, dispatcherId } of memberships(bpffs, programId)) {
    leaveChain({ bpffs, programId, ifindex, dispatcherId }, marks, hint);
  }
  if (memberships(bpffs, programId).length === 0 && marks === undefined) return;
  using _lock = ChainLock.acquire(bpffs, lockTimeoutMs);
  if (marks !== undefined) sweepMarks({ bpffs }, marks, (id, ifindex) => isOnInterface(ifindex, id));
  for (const { folder, slot } of memberships(bpffs, programId)) dropMember(folder, slot);
}

function isOnInterface(ifindex: number, dispatcherId: number): boolean {
  using found = netnsWith(ifindex, dispatcherId, undefined);
  return found !== undefined;
}

interface Leaving {
  readonly bpffs: string;
  readonly programId: number;
  readonly ifindex: number;
  readonly dispatcherId: number;
}

function leaveChain(
  { bpffs, programId, ifindex, dispatcherId }: Leaving,
  marks: Marks | undefined,
  hint: Hint | undefined,
): void {
  using netns = netnsWith(ifindex, dispatcherId, hint?.netns);
  if (netns === undefined) return;
  const place = { ifname: hint?.ifname ?? `interface ${ifindex}`, ifindex, netns, bpffs };
  changeChain(place, { mode: 'auto', lockTimeoutMs, marks, step: steppingStone }, removing(programId));
}

/** The namespace in which the interface of this index runs that dispatcher. */
function netnsWith(ifindex: number, dispatcherId: number, first: Netns | undefined): Netns | undefined {
  const runs = (netns: Netns): boolean => {
    try {
      return occupantOf({ ifname: '', ifindex, netns })?.id === dispatcherId;
    } catch (error) {
      // There is no such interface, or the namespace may not be entered.
      if (error instanceof Error) return false;
      throw error;
    }
  };
  return findNetns(runs, first);
}
