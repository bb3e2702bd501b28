/** What runs on an interface, whoever attached it, in the order in which a packet meets it. */
import { NetkitError } from '../base/errors.js';
import type { Interface } from '../host/interfaces.js';
import { type Netns, withNetns } from '../host/netns.js';
import { tcFilters } from '../sys/netlink.js';
import { queryXdp } from '../sys/xdp.js';
import { readChain } from './dispatcher/chain.js';
import { Link } from './link.js';
import { type ListedRoute, type LwtPoint, mainTable, routesWithPrograms } from './lwt-route.js';
import { type OrderedHook, readOrder } from './order.js';
import { readTailChain, type TailMember } from './tail-chain/chain.js';
import { tailChainFolder } from './tail-chain/place.js';

/** One program, or one tc filter of another kind, at its place in the packet's way. */
export interface HookOccupant {
  /** `xdp`, `xdp/chain` for a member of a chain, `tcx/ingress`, `tc/egress`, `netkit-dev/primary`, … */
  readonly hook: string;
  /** Undefined for a tc filter that is no eBPF, and for a member whose pin is not to be found. */
  readonly programId: number | undefined;
  /** Undefined where it was attached without a link, or the kernel does not tell of it. */
  readonly linkId: number | undefined;
  /**
   * Of XDP, where it is one of several links that cannot be told apart: same program, same index of an interface, another
   * network namespace.
   */
  readonly linkCandidates?: readonly number[] | undefined;
  /** Lower ones run first, where the hook has such numbers. */
  readonly priority: number | undefined;
  /** The XDP mode, the handle of a tc filter, what a member of a chain proceeds on. */
  readonly detail: string | undefined;
  /** A member of a chain by tail calls: the kernel counts no runs of what is called so. */
  readonly byTailCalls?: true | undefined;
  /** Of a tc filter: with the priority it is what tells it from others. */
  readonly handle?: number | undefined;
  /** Of a program on a route: which one, and what else is on it. */
  readonly route?: ListedRoute | undefined;
}

/** Where the pins of XDP chains are looked for. */
interface ChainPins {
  readonly bpffs: string;
}

/**
 * What an interface's packets meet on their way in, and on their way out. Looking changes nothing. It needs CAP_NET_ADMIN,
 * and CAP_SYS_ADMIN to see into XDP chains and to know XDP links.
 * @throws NetkitError `not-permitted`; SysError when the interface goes meanwhile
 */
export function interfaceHooks(
  target: Interface,
  netns: Netns | undefined,
  pins: ChainPins,
): { readonly receive: HookOccupant[]; readonly send: HookOccupant[] } {
  const routes = routesWithPrograms(target.ifindex, netns);
  return {
    receive: [
      ...onXdp(target, netns, pins),
      ...inNamespace(netns, () => [...onTcx(target, 'ingress'), ...onTc(target, 'ingress')]),
      ...onRoutes(routes, ['in', 'seg6local']),
    ],
    send: [
      ...onRoutes(routes, ['out', 'xmit']),
      ...inNamespace(netns, () => [
        ...onTcx(target, 'egress'),
        ...onTc(target, 'egress'),
        ...onNetkitDevice(target, 'primary'),
        ...onNetkitDevice(target, 'peer'),
      ]),
    ],
  };
}

const inNamespace = (netns: Netns | undefined, work: () => HookOccupant[]): HookOccupant[] =>
  withNetns(netns, work);

function onXdp(target: Interface, netns: Netns | undefined, { bpffs }: ChainPins): HookOccupant[] {
  const ids = withNetns(netns, () => queryXdp(target.ifindex));
  const modes = (['offload', 'native', 'generic'] as const).filter((mode) => ids[mode] !== 0);
  if (modes.length === 0) return [];
  const links = xdpLinks(target.ifindex);
  const chain = readChain({ ...target, netns, bpffs });
  const tail = readTailChain(tailChainFolder({ ...target, bpffs }));
  return modes.flatMap((mode): HookOccupant[] => {
    const programId = ids[mode];
    const candidates = links.filter((link) => link.programId === programId).map(({ id }) => id);
    const self: HookOccupant = {
      hook: 'xdp',
      programId,
      linkId: candidates.length === 1 ? candidates[0] : undefined,
      ...(candidates.length > 1 ? { linkCandidates: candidates } : {}),
      priority: undefined,
      detail: mode,
    };
    if (tail?.rootId === programId)
      return [{ ...self, detail: `${mode}, chain by tail calls` }, ...tail.members.map(tailMember)];
    if (chain?.kind !== 'chain' || chain.dispatcherId !== programId) return [self];
    const members = (chain.members ?? []).map((member) => ({
      hook: 'xdp/chain',
      programId: member.program?.id,
      linkId: undefined,
      priority: member.priority,
      detail: goesOn(member),
    }));
    return [self, ...members];
  });
}

function tailMember(member: TailMember): HookOccupant {
  return {
    hook: 'xdp/chain',
    programId: member.program?.id,
    linkId: undefined,
    priority: member.priority,
    detail: `tail call, ${goesOn(member)}`,
    byTailCalls: true,
  };
}

function goesOn({ proceedOn }: Pick<TailMember, 'proceedOn'>): string {
  return `goes on upon ${proceedOn.join(', ') || 'nothing'}`;
}

/** XDP links on interfaces of that index, in whichever namespace: the kernel does not tell. */
function xdpLinks(ifindex: number): ReturnType<Link['info']>[] {
  return allLinks().filter(({ details }) => details.kind === 'xdp' && details.ifindex === ifindex);
}

function onTcx(target: Interface, direction: 'ingress' | 'egress'): HookOccupant[] {
  return inOrder(`tcx/${direction}`, {
    kind: 'tcx',
    target: target.ifindex,
    attachType: `tcx_${direction}`,
    about: `tcx ${direction} of ${target.ifname}`,
  });
}

function onNetkitDevice(target: Interface, end: 'primary' | 'peer'): HookOccupant[] {
  return inOrder(`netkit-dev/${end}`, {
    kind: 'netkit',
    target: target.ifindex,
    attachType: `netkit_${end}`,
    about: `netkit-dev ${end} of ${target.ifname}`,
  });
}

/** Nothing where the kernel or the interface has no such hook. */
function inOrder(name: string, hook: OrderedHook): HookOccupant[] {
  try {
    return readOrder(hook).entries.map(({ programId, linkId }) => ({
      hook: name,
      programId,
      linkId,
      priority: undefined,
      detail: undefined,
    }));
  } catch (error) {
    if (error instanceof NetkitError && ['unsupported', 'not-found', 'failed'].includes(error.code))
      return [];
    throw error;
  }
}

function onTc({ ifindex }: Interface, direction: 'ingress' | 'egress'): HookOccupant[] {
  return tcFilters(ifindex, direction).map(({ priority, handle, kind, programId }) => ({
    hook: `tc/${direction}`,
    programId,
    linkId: undefined,
    priority,
    detail: `${kind === 'bpf' ? '' : `${kind} `}handle 0x${handle.toString(16)}`,
    handle,
  }));
}

/** Routes over the interface: `in` is met by what is delivered or forwarded, wherever it came from. */
function onRoutes(routes: readonly ListedRoute[], points: readonly LwtPoint[]): HookOccupant[] {
  return routes.flatMap((route) =>
    points.flatMap((point): HookOccupant[] => {
      const found = route.programs.get(point);
      if (found === undefined) return [];
      const { destination, table } = route.place;
      const where = `${destination}${table === mainTable ? '' : ` table ${table}`}`;
      return [
        {
          hook: `lwt_${point}`,
          programId: found.programId,
          linkId: undefined,
          priority: undefined,
          detail: `route to ${where}`,
          route,
        },
      ];
    }),
  );
}

/** What every link of the kernel says of itself; those that go meanwhile are left out. Needs CAP_SYS_ADMIN. */
export function allLinks(): ReturnType<Link['info']>[] {
  return [...Link.ids()].flatMap((id) => {
    try {
      using link = Link.fromId(id);
      return [link.info()];
    } catch (error) {
      if (error instanceof NetkitError && error.code === 'not-found') return [];
      throw error;
    }
  });
}
