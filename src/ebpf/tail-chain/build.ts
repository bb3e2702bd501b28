/** A chain by tail calls that nothing is pinned of: it goes with the process, and only the process can change it. */
import type { Scope } from '../../base/scope.js';
import { actionsOf, type XdpVerdict } from '../../obj/xdp-dispatcher/actions.js';
import { encodeOrder } from '../../obj/xdp-tail-chain/layout.js';
import type { Program } from '../program.js';
import type { TailSlot } from './member.js';
import { type LoadedRoot, loadRoot } from './root.js';

/** What goes into a chain. */
export interface TailOccupying {
  readonly proceedOn: readonly XdpVerdict[];
  /** Gives the program, which it loads for this chain, and which stays the callee's to dispose of. */
  open(slot: TailSlot): Program;
}

/**
 * Loads a root program and its members, in this order: member n is in slot n of `programs`. `program` is not on an interface yet.
 * @param scope owns the root program and the maps
 * @throws NetkitError what loading a member throws; RangeError for more members than a chain takes
 */
export function buildTailChain(members: readonly TailOccupying[], scope: Scope): LoadedRoot {
  const root = loadRoot(false, scope);
  const { programs, way } = root;
  for (const [slot, { open }] of members.entries())
    programs.setReference(slot, open({ programs, way, frags: false }));
  const slots = members.map(({ proceedOn }, slot) => ({
    slot,
    priority: slot,
    goOn: actionsOf(proceedOn) % 0x100,
  }));
  root.first.setBytes(new Uint8Array(4), encodeOrder({ frags: false, members: slots }));
  return root;
}
