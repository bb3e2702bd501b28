/**
 * The emergency: taking netkit's programs off by what the kernel and the pins say. It takes no lock and needs no state, so
 * that it works where state is damaged or a command hangs.
 */
import { NetkitError } from '../base/errors.js';
import { type HookOccupant, interfaceHooks } from '../ebpf/interface-hooks.js';
import { Link } from '../ebpf/link.js';
import { type LwtPoint, type RoutePlace, routeAt } from '../ebpf/lwt-route.js';
import { indexPins, type PinIndex } from '../ebpf/pin-index.js';
import { takeOffRoute } from '../ebpf/route-changes.js';
import { actionProgramId, deleteAction } from '../ebpf/tc-action.js';
import { deleteFilter } from '../ebpf/tc-filter.js';
import { type Interface, listInterfaces } from '../host/interfaces.js';
import type { Netns } from '../host/netns.js';
import { everyNetns } from '../host/netns-search.js';
import { leaveChains } from './chain/leave.js';
import { detachAndWait } from './hooks/link-end.js';
import { netkitFolder } from './layout.js';

/** One attachment of netkit's. */
export interface OwnAttachment {
  /** The hook, or the kernel's word for the kind of link. */
  readonly hook: string;
  /** Undefined for what is not on an interface. */
  readonly ifname: string | undefined;
  readonly netnsInode: number | undefined;
  /** The pin of the link, or of the program where there is none. */
  readonly pin: string;
  readonly programId: number;
  /** Takes it off. @throws NetkitError */
  takeOff(): void;
}

/** The inode of the namespace that the link of a pin is recorded in, where that can be read. */
export type NamespaceOfPin = (pin: string) => number | undefined;

/**
 * What of netkit's is on an interface. Needs CAP_SYS_ADMIN.
 * @param netns the namespace of the interface; it has to stay open until all is taken off
 * @param recorded is asked only where the kernel leaves open which of several XDP links is on the interface
 */
export function ownOn(
  target: Interface,
  netns: Netns | undefined,
  bpffs: string,
  recorded: NamespaceOfPin,
): OwnAttachment[] {
  return onInterface({ target, netns, bpffs, pins: indexPins([netkitFolder(bpffs)]), recorded });
}

/**
 * Everything of netkit's that is attached, wherever it is. Network namespaces are those with a name, this one, and those of
 * processes.
 * @param scope owns what has to stay open until all is taken off
 */
export function ownEverywhere(
  bpffs: string,
  scope: { use<T extends Disposable>(owned: T): T },
): OwnAttachment[] {
  const pins = indexPins([netkitFolder(bpffs)]);
  const onInterfaces = everyNetns()
    .map((netns) => scope.use(netns))
    .flatMap((netns) =>
      listInterfaces(netns).flatMap((target) => onInterface({ target, netns, bpffs, pins })),
    );
  const known = new Set(onInterfaces.map(({ pin }) => pin));
  const others = [...pins.ofLink.values()].filter((pin) => !known.has(pin));
  return [...onInterfaces, ...others.flatMap(pinnedElsewhere)];
}

interface Looking {
  readonly target: Interface;
  readonly netns: Netns | undefined;
  readonly bpffs: string;
  readonly pins: PinIndex;
  /** Without it, XDP links that cannot be told apart are left out. */
  readonly recorded?: NamespaceOfPin | undefined;
}

function onInterface(looking: Looking): OwnAttachment[] {
  const { target, netns, bpffs } = looking;
  const { receive, send } = interfaceHooks(target, netns, { bpffs });
  return [...receive, ...send].flatMap((occupant) => {
    const way = wayOff(occupant, looking);
    if (way === undefined) return [];
    const { hook, programId = 0 } = occupant;
    return [{ hook, ifname: target.ifname, netnsInode: target.netnsInode, programId, ...way }];
  });
}

type WayOff = Pick<OwnAttachment, 'pin' | 'takeOff'>;

function wayOff(occupant: HookOccupant, looking: Looking): WayOff | undefined {
  const { hook, linkId, linkCandidates, programId, priority, handle, route } = occupant;
  const { target, netns, bpffs, pins } = looking;
  if (linkCandidates !== undefined) return oneOfSeveral(linkCandidates, looking);
  const linkPin = linkId === undefined ? undefined : pins.ofLink.get(linkId);
  if (linkPin !== undefined) return { pin: linkPin, takeOff: () => detachAndWait(linkPin) };
  const programPin = programId === undefined ? undefined : pins.ofProgram.get(programId);
  if (programPin === undefined || programId === undefined) return undefined;
  if (hook === 'xdp/chain') {
    const hint = { ifname: target.ifname, netns };
    return { pin: programPin, takeOff: () => leaveChains(bpffs, programId, undefined, hint) };
  }
  if (route !== undefined) {
    const point = ([...route.programs.keys()] as const).find((each) => hook === `lwt_${each}`);
    return point === undefined
      ? undefined
      : { pin: programPin, takeOff: () => offRoute(route.place, point, programId, netns) };
  }
  if (handle === undefined || priority === undefined) return undefined;
  const direction = hook === 'tc/egress' ? 'egress' : 'ingress';
  const filter = { ifindex: target.ifindex, direction, handle, priority } as const;
  if (actionProgramId(filter, netns) === programId)
    return { pin: programPin, takeOff: () => deleteAction(filter, netns) };
  return { pin: programPin, takeOff: () => deleteFilter(filter, netns) };
}

/** Looked at again: another program of netkit's may have been taken off the same route meanwhile. */
function offRoute(place: RoutePlace, point: LwtPoint, programId: number, netns: Netns | undefined): void {
  const seen = routeAt(place, netns);
  if (seen?.programs.get(point)?.programId === programId) takeOffRoute(place, seen, point, netns);
}

/** Taking another namespace's program off would be worse than leaving this one on. */
function oneOfSeveral(links: readonly number[], { target, pins, recorded }: Looking): WayOff | undefined {
  const own = links.flatMap((id) => pins.ofLink.get(id) ?? []);
  const [first] = own;
  if (first === undefined || recorded === undefined) return undefined;
  const here = own.filter((pin) => recorded(pin) === target.netnsInode);
  const [pin = first] = here;
  if (here.length === 1) return { pin, takeOff: () => detachAndWait(pin) };
  return {
    pin,
    takeOff() {
      throw new NetkitError(
        'conflict',
        `links ${links.join(' and ')} have the same program on interfaces of the same index, in different network namespaces: which one is on ${target.ifname} cannot be told`,
        { hint: "'netkit off --all' takes off both, 'netkit detach id:N' one" },
      );
    },
  };
}

/** Links that are on no interface; dead ones are not attached. */
function pinnedElsewhere(pin: string): OwnAttachment[] {
  try {
    using link = Link.fromPin(pin);
    const { gone, programId, type, attachType } = link.info();
    if (gone) return [];
    return [
      {
        hook: attachType ?? type,
        ifname: undefined,
        netnsInode: undefined,
        pin,
        programId,
        takeOff: () => detachAndWait(pin),
      },
    ];
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return [];
    throw error;
  }
}
