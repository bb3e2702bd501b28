/** Reading a chain by tail calls: who is in it, and in which order. */

import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { viewOf } from '../../base/raw-bytes.js';
import { Scope } from '../../base/scope.js';
import { verdictsOf, type XdpVerdict } from '../../obj/xdp-dispatcher/actions.js';
import { type ChainOrder, decodeOrder } from '../../obj/xdp-tail-chain/layout.js';
import { type MemberProgram, memberProgram } from '../dispatcher/chain.js';
import { Link } from '../link.js';
import { BpfMap } from '../map.js';
import { Program } from '../program.js';
import { chainPins } from './place.js';

/** A program of a chain by tail calls. */
export interface TailMember {
  /** In the table of programs. */
  readonly slot: number;
  /** 0 to 2^32-1: lower ones run first. */
  readonly priority: number;
  /** The verdicts upon which the next member runs. */
  readonly proceedOn: readonly XdpVerdict[];
  /** Undefined only while somebody changes the chain. */
  readonly program: MemberProgram | undefined;
}

/** A chain by tail calls, as it is. */
export interface TailChain {
  /** The folder of its pins. */
  readonly folder: string;
  readonly linkId: number;
  /** The root program, which is on the interface. */
  readonly rootId: number;
  /** Its programs take packets in several buffers, all of them. */
  readonly frags: boolean;
  /** In the order in which they run. */
  readonly members: readonly TailMember[];
}

/** @internal A chain's maps, opened. */
export interface OpenTailChain {
  readonly folder: string;
  /** Undefined where it is not on an interface: it was taken off, or never got there. */
  readonly link: Link | undefined;
  readonly programs: BpfMap;
  readonly way: BpfMap;
  readonly order: BpfMap;
  /** Has the order that the chain began with, which counts until there is another one. */
  readonly first: BpfMap;
}

/**
 * The chain of the pins in `folder`; undefined where there is none, or it is on no interface any more. Needs CAP_SYS_ADMIN.
 * @throws NetkitError `not-permitted`
 */
export function readTailChain(folder: string): TailChain | undefined {
  using scope = new Scope();
  const open = openTailChain(folder, scope);
  if (open?.link === undefined) return undefined;
  const { id, programId, gone } = open.link.info();
  if (gone) return undefined;
  const { frags, members } = readOrder(open);
  const described = members.map(({ slot, priority, goOn }): TailMember => {
    return { slot, priority, proceedOn: verdictsOf(goOn), program: programIn(open.programs, slot) };
  });
  return { folder, linkId: id, rootId: programId, frags, members: described };
}

/** @internal Undefined where a map is missing: a change was killed while it made the chain, or removed it. */
export function openTailChain(folder: string, scope: Scope): OpenTailChain | undefined {
  const pins = chainPins(folder);
  const [programs, way, order, first] = [pins.programs, pins.way, pins.order, pins.first].map((pin) =>
    present(() => scope.use(BpfMap.fromPin(pin))),
  );
  if (!(programs && way && order && first)) return undefined;
  const link = present(() => scope.use(Link.fromPin(pins.root)));
  return { folder, link, programs, way, order, first };
}

/** @internal The order that counts now. @throws NetkitError `conflict` when it was another one at each look */
export function readOrder({
  order,
  first,
  folder,
}: Pick<OpenTailChain, 'order' | 'first' | 'folder'>): ChainOrder {
  for (let tries = 0; tries < mostLooks; tries++) {
    const bytes = order.getBytes(new Uint8Array(4));
    const id = bytes === undefined ? 0 : viewOf(bytes).getUint32(0, hostIsLittleEndian);
    if (id === 0) return orderIn(first);
    const inner = present(() => BpfMap.fromId(id));
    if (inner !== undefined) return decoded(inner);
  }
  throw new NetkitError('conflict', `the chain ${folder} changes all the time`);
}

/** Takes no lock: an order may go between its id and itself. */
const mostLooks = 10;

function decoded(inner: BpfMap): ChainOrder {
  using owned = inner;
  return orderIn(owned);
}

function orderIn(map: BpfMap): ChainOrder {
  return decodeOrder(map.getBytes(new Uint8Array(4)) ?? new Uint8Array());
}

/** @internal The id of the program in a slot of the table; undefined for an empty one. */
export function idInSlot(programs: BpfMap, slot: number): number | undefined {
  const bytes = programs.getBytes(slotKey(slot));
  const id = bytes === undefined ? 0 : viewOf(bytes).getUint32(0, hostIsLittleEndian);
  return id === 0 ? undefined : id;
}

/** @internal */
export function slotKey(slot: number): Uint8Array {
  const key = new Uint8Array(4);
  viewOf(key).setUint32(0, slot, hostIsLittleEndian);
  return key;
}

function programIn(programs: BpfMap, slot: number): MemberProgram | undefined {
  const id = idInSlot(programs, slot);
  if (id === undefined) return undefined;
  return present(() => {
    using program = Program.fromId(id);
    return memberProgram(program);
  });
}

/** Undefined for what is not there, or not any more. */
function present<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}
