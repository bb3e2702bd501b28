/** The way of a packet through this machine: every program that it meets, in order, and whose it is. */
import { NetkitError } from '../base/errors.js';
import { cgroupHooks, namespaceHooks, netfilterHooks } from '../ebpf/host-hooks.js';
import { type HookOccupant, interfaceHooks } from '../ebpf/interface-hooks.js';
import { indexPins, type PinIndex } from '../ebpf/pin-index.js';
import { Program, type ProgramInfo } from '../ebpf/program.js';
import { bpfHolders, type Holders } from '../host/bpf-holders.js';
import type { Interface } from '../host/interfaces.js';
import { bpffsMounts, isBpffs } from '../host/mounts.js';
import { currentNetnsInode, type Netns } from '../host/netns.js';
import type { ListedFunction } from './inventory.js';

/** Whose a program is. What cannot be found out is undefined: then the kernel keeps it by itself, or who holds it is hidden. */
export interface Owner {
  /** A function of netkit's, and which of its programs it is. */
  readonly function?: { readonly name: string; readonly program: string } | undefined;
  /** The dispatcher, or a member, of an XDP chain as libxdp keeps them. */
  readonly libxdp?: true | undefined;
  /** The pin that keeps its link, or else the program. */
  readonly pin?: string | undefined;
  /** A process that holds its link, or else the program. */
  readonly process?: { readonly pid: number; readonly command: string } | undefined;
}

export interface MetProgram extends HookOccupant {
  /** Undefined when it went meanwhile. */
  readonly program: ProgramInfo | undefined;
  readonly owner: Owner;
}

/** The programs on one interface. */
export interface InterfaceWay {
  readonly target: Interface;
  readonly receive: readonly MetProgram[];
  readonly send: readonly MetProgram[];
}

export interface PacketWay {
  readonly interfaces: readonly InterfaceWay[];
  /** What packets of every interface meet behind it on the way in, and before it on the way out. */
  readonly receive: readonly MetProgram[];
  readonly send: readonly MetProgram[];
}

/** Looks at the interfaces, their network namespace, and the cgroups. Needs the rights to open programs by id. @throws NetkitError `not-permitted` */
export function packetWay(
  targets: readonly Interface[],
  netns: Netns | undefined,
  bpffs: string,
  functions: readonly ListedFunction[],
): PacketWay {
  const finder = new OwnerFinder(functions, [bpffs, ...visibleMounts()]);
  const describe = (occupants: readonly HookOccupant[]): MetProgram[] =>
    occupants.map((occupant) => finder.describe(occupant));
  const isHere = namespaceOfLinks(functions, netns?.inode ?? currentNetnsInode());
  return {
    interfaces: targets.map((target) => {
      const { receive, send } = interfaceHooks(target, netns, { bpffs });
      return { target, receive: describe(receive), send: describe(send) };
    }),
    receive: describe([
      ...namespaceHooks(netns),
      ...netfilterHooks('receive', isHere),
      ...cgroupHooks('ingress'),
    ]),
    send: describe([...netfilterHooks('send', isHere), ...cgroupHooks('egress')]),
  };
}

/** Whether a link is in the namespace: what is recorded of netkit's own, and of others unknown. */
function namespaceOfLinks(
  functions: readonly ListedFunction[],
  inode: number,
): (linkId: number) => boolean | undefined {
  const known = new Map<number, boolean>();
  for (const { info, state } of functions.flatMap(({ links }) => links)) {
    if (info !== undefined && state?.target.kind === 'netns')
      known.set(info.id, state.target.netns.inode === inode);
  }
  return (linkId) => known.get(linkId);
}

/** What is mounted over cannot be looked at: another file system shows at its path. */
function visibleMounts(): string[] {
  return bpffsMounts().filter(isBpffs);
}

class OwnerFinder {
  readonly #ofProgram = new Map<number, { readonly name: string; readonly program: string }>();
  readonly #ofLink = new Map<number, { readonly name: string; readonly program: string }>();
  readonly #roots: readonly string[];
  #pins: PinIndex | undefined;
  #holders: Holders | undefined;

  constructor(functions: readonly ListedFunction[], roots: readonly string[]) {
    for (const { name, programs, members, links } of functions) {
      for (const { info, name: program } of [...programs, ...members])
        if (info !== undefined) this.#ofProgram.set(info.id, { name, program });
      for (const { info, programName } of links)
        if (info !== undefined) this.#ofLink.set(info.id, { name, program: programName ?? '' });
    }
    this.#roots = roots;
  }

  describe(occupant: HookOccupant): MetProgram {
    const program = occupant.programId === undefined ? undefined : infoOf(occupant.programId);
    return { ...occupant, program, owner: this.#ownerOf(occupant, program) };
  }

  #ownerOf(occupant: HookOccupant, program: ProgramInfo | undefined): Owner {
    const { programId = 0, linkId = 0, hook } = occupant;
    const own = this.#ofLink.get(linkId) ?? this.#ofProgram.get(programId);
    if (own !== undefined) return { function: own };
    // Looked for only where somebody else's program is met: it takes a look at every pin and every process.
    this.#pins ??= indexPins(this.#roots);
    this.#holders ??= bpfHolders();
    const libxdp =
      (hook === 'xdp/chain' && occupant.byTailCalls === undefined) ||
      (hook === 'xdp' && program?.name === 'xdp_dispatcher') ||
      undefined;
    return {
      libxdp,
      pin: this.#pins.ofLink.get(linkId) ?? this.#pins.ofProgram.get(programId),
      process: this.#holders.ofLink.get(linkId) ?? this.#holders.ofProgram.get(programId),
    };
  }
}

/** Undefined when it has gone meanwhile. */
function infoOf(id: number): ProgramInfo | undefined {
  try {
    using program = Program.fromId(id);
    return program.info();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}
