/** What `bpf/include/netkit/chain.h` and `bpf/parts/xdp-tail-root.bpf.c` lay down for chains by tail calls. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { viewOf } from '../../base/raw-bytes.js';

/** The program on the interface, by its name in the kernel. */
export const rootName = 'netkit_xdp_root';

/** The maps of a chain, by their names in the objects. */
export const chainMaps = {
  programs: 'netkit_chain',
  way: 'netkit_way',
  order: 'netkit_order',
  first: 'netkit_first',
} as const;

/** How many programs a chain takes. */
export const mostMembers = 10;
/** How many programs the table of a chain takes, members of a new order beside those of the old one. */
export const tableSlots = 32;
/** Bytes of `struct netkit_way`. */
export const waySize = 48;

const room = 16;
const at = { members: 0, frags: 1, slots: 8, goOn: 8 + room, priorities: 8 + 2 * room } as const;
/** Bytes of `struct chain_order`. */
export const orderSize = at.priorities + 4 * room;

/** A member's place in the order. */
export interface OrderedSlot {
  /** In the table of programs. */
  readonly slot: number;
  /** 0 to 2^32-1: lower ones run first. */
  readonly priority: number;
  /** Bit n: verdict n goes on to the next member; 8 of them. */
  readonly goOn: number;
}

/** A chain's order. */
export interface ChainOrder {
  /** Its programs take packets in several buffers, all of them. */
  readonly frags: boolean;
  /** As they run. */
  readonly members: readonly OrderedSlot[];
}

/** `struct chain_order`. @throws RangeError for more members than fit, or a slot that the table does not have */
export function encodeOrder({ frags, members }: ChainOrder): Uint8Array {
  if (members.length > mostMembers) throw new RangeError(`${members.length} members`);
  const bytes = new Uint8Array(orderSize);
  const view = viewOf(bytes);
  view.setUint8(at.members, members.length);
  view.setUint8(at.frags, Number(frags));
  for (const [index, { slot, priority, goOn }] of members.entries()) {
    if (slot < 0 || slot >= tableSlots) throw new RangeError(`slot ${slot}`);
    view.setUint8(at.slots + index, slot);
    view.setUint8(at.goOn + index, goOn);
    view.setUint32(at.priorities + 4 * index, priority, hostIsLittleEndian);
  }
  return bytes;
}

/** @throws RangeError for bytes that are no order */
export function decodeOrder(bytes: Uint8Array): ChainOrder {
  const view = viewOf(bytes);
  const count = view.getUint8(at.members);
  if (bytes.length < orderSize || count > mostMembers) throw new RangeError('no order of a chain');
  const members = Array.from({ length: count }, (_, index) => ({
    slot: view.getUint8(at.slots + index),
    priority: view.getUint32(at.priorities + 4 * index, hostIsLittleEndian),
    goOn: view.getUint8(at.goOn + index),
  }));
  return { frags: view.getUint8(at.frags) !== 0, members };
}
