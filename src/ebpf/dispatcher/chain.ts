/** Reading the chain of an interface: who is on it, in which order, and what the dispatcher says of each. */
import { NetkitError } from '../../base/errors.js';
import { withNetns } from '../../host/netns.js';
import { verdictsOf, type XdpVerdict } from '../../obj/xdp-dispatcher/actions.js';
import {
  type DispatcherConfig,
  dispatcherName,
  readConfig,
  type SlotConfig,
  type UnknownDispatcher,
} from '../../obj/xdp-dispatcher/config.js';
import { queryXdp } from '../../sys/xdp.js';
import { BpfMap } from '../map.js';
import { Program } from '../program.js';
import { type ChainPlace, dispatcherFolder, programPin } from './place.js';

export type ChainMode = 'native' | 'generic' | 'offload';

/** A program of a chain. */
export interface ChainMember {
  /** Its place in the order, from 0. */
  readonly slot: number;
  /** 0 to 2^32-1: lower ones run first. */
  readonly priority: number;
  /** The verdicts upon which the next member runs. */
  readonly proceedOn: readonly XdpVerdict[];
  /** The same as bits, with what is no verdict of today. */
  readonly actions: number;
  /** It takes packets in several buffers. */
  readonly frags: boolean;
  /** What the kernel tells of the program; undefined where its pin is not in the folder of chains. */
  readonly program: MemberProgram | undefined;
}

export interface MemberProgram {
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer names, and the order goes by what it keeps. */
  readonly name: string;
  readonly tag: string;
  readonly loadTimeNs: bigint;
}

/** The chain of an interface. */
export interface Chain {
  readonly kind: 'chain';
  /** The id of the dispatcher, which is the interface's XDP program. */
  readonly dispatcherId: number;
  readonly mode: ChainMode;
  /** Of libxdp's protocol. */
  readonly version: number;
  /** The dispatcher takes packets in several buffers: every member does. */
  readonly frags: boolean;
  /** The dispatcher and its members were loaded for this device alone. */
  readonly deviceBound: boolean;
  /** Where its members are pinned, if netkit looked in the right bpf file system. */
  readonly folder: string;
  /** In the order in which they run; undefined for a version that netkit does not know. */
  readonly members: readonly ChainMember[] | undefined;
}

/** An XDP program that is no dispatcher. */
export interface LoneProgram {
  readonly kind: 'program';
  readonly programId: number;
  readonly name: string;
  readonly mode: ChainMode;
}

/** What is on an interface's XDP hook. */
export type XdpOccupant = Chain | LoneProgram;

/**
 * What is on the XDP hook of an interface; undefined when it is empty. It needs CAP_SYS_ADMIN, and takes no lock: somebody
 * may change the chain meanwhile, and then it is read again.
 * @throws NetkitError `not-permitted`, `conflict` when it changed at each look
 */
export function readChain(place: ChainPlace): XdpOccupant | undefined {
  for (let tries = 0; tries < mostLooks; tries++) {
    const found = occupantOf(place);
    if (found === undefined) return undefined;
    const read = readOccupant(place, found.mode, found.id);
    // The id is looked at again: what was read belongs together only if nobody came between.
    if (read !== undefined && occupantOf(place)?.id === found.id) return read;
  }
  throw new NetkitError('conflict', `the XDP programs of ${place.ifname} change all the time`);
}

const mostLooks = 10;

/** @internal The id and mode of the XDP program of an interface, an offloaded one aside. */
export function occupantOf(
  place: Omit<ChainPlace, 'bpffs'>,
): { readonly mode: ChainMode; readonly id: number } | undefined {
  const ids = withNetns(place.netns, () => queryXdp(place.ifindex));
  const modes: readonly ChainMode[] = ['native', 'generic', 'offload'];
  const mode = modes.find((each) => ids[each] !== 0);
  return mode === undefined ? undefined : { mode, id: ids[mode] };
}

/** Undefined when the program has gone meanwhile. */
function readOccupant(place: ChainPlace, mode: ChainMode, id: number): XdpOccupant | undefined {
  try {
    using program = Program.fromId(id);
    return describeOccupant(place, mode, program);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** @internal What an open XDP program is. */
export function describeOccupant(place: ChainPlace, mode: ChainMode, program: Program): XdpOccupant {
  const { id, name, mapIds } = program.info();
  const config = name === dispatcherName ? configOf(mapIds) : undefined;
  if (config === undefined) return { kind: 'program', programId: id, name, mode };
  const folder = dispatcherFolder(place, id);
  return {
    kind: 'chain',
    dispatcherId: id,
    mode,
    version: config.version,
    frags: config.slots !== undefined && config.frags,
    deviceBound: config.slots !== undefined && config.deviceBound,
    folder,
    members: config.slots?.map((slot, index) => memberOf(folder, slot, index)),
  };
}

function configOf(mapIds: readonly number[]): DispatcherConfig | UnknownDispatcher | undefined {
  const [id] = mapIds;
  if (id === undefined || mapIds.length !== 1) return undefined;
  using map = BpfMap.fromId(id);
  if (map.info.type !== 'array' || map.info.maxEntries !== 1) return undefined;
  const bytes = map.getBytes(new Uint8Array(4));
  return bytes === undefined ? undefined : readConfig(bytes.subarray(0, map.info.valueSize));
}

function memberOf(folder: string, { priority, actions, frags }: SlotConfig, slot: number): ChainMember {
  return {
    slot,
    priority,
    proceedOn: verdictsOf(actions),
    actions,
    frags,
    program: pinnedProgram(folder, slot),
  };
}

function pinnedProgram(folder: string, slot: number): MemberProgram | undefined {
  try {
    using program = Program.fromPin(programPin(folder, slot));
    return memberProgram(program);
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'usage'))
      return undefined;
    throw error;
  }
}

/** @internal */
export function memberProgram(program: Program): MemberProgram {
  const { id, name, tag, loadTimeNs } = program.info();
  return { id, name, tag, loadTimeNs };
}
