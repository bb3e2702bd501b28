/** Where a program of another tool is attached, in the form in which netkit records what it attached itself. */
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { type HookOccupant, interfaceHooks } from '../../ebpf/interface-hooks.js';
import { Link, type LinkInfo } from '../../ebpf/link.js';
import { findCgroupById } from '../../host/cgroup.js';
import { type Interface, listInterfaces } from '../../host/interfaces.js';
import { type Netns, netnsName } from '../../host/netns.js';
import { everyNetns } from '../../host/netns-search.js';
import { type SectionRule, sectionRules } from '../../obj/sections.js';
import { cgroupFamily } from '../hooks/cgroup.js';
import type { UnnamedLink } from '../hooks/family.js';
import { unordered } from '../hooks/ordered.js';
import { unlessGone, withObject } from '../kernel-listing.js';
import type { NetnsState, TargetOf } from '../link-state.js';

export interface Attached {
  /** Links that can be recorded. */
  readonly links: readonly { readonly id: number; readonly link: UnnamedLink }[];
  /** What else the program is attached by, and why that cannot be taken over: to be read after «what stays as it is:». */
  readonly left: readonly string[];
}

const rules: readonly SectionRule[] = sectionRules;
/** Types of program that interfaces run. */
const onInterfaces: ReadonlySet<string> = new Set(['xdp', 'sched_cls']);

interface Occupied {
  readonly occupant: HookOccupant;
  readonly target: Interface;
}

/**
 * @param program its name, as the links are to have it
 * @throws NetkitError `not-permitted` where links may not be opened by their ids
 */
export function attachedPlaces(
  { id, type }: { readonly id: number; readonly type: string },
  program: string,
  bpffs: string,
  scope: Scope,
): Attached {
  const occupied = onInterfaces.has(type) ? occupiedBy(id, bpffs, scope) : [];
  const links: { id: number; link: UnnamedLink }[] = [];
  const left: string[] = [];
  for (const info of linksOf(id)) {
    const found = recorded(info, program, occupied);
    if (typeof found === 'string') left.push(`link ${info.id} (${info.type}): ${found}`);
    else links.push({ id: info.id, link: found });
  }
  for (const { occupant, target } of occupied) {
    if (occupant.linkId !== undefined || occupant.linkCandidates !== undefined) continue;
    left.push(`${occupant.hook} of ${target.ifname}: ${withoutLink(occupant)}`);
  }
  return { links, left };
}

function withoutLink({ hook }: HookOccupant): string {
  if (hook === 'xdp') return 'it was attached over netlink, without a link that could be taken over';
  if (hook === 'xdp/chain') return 'it is a member of a chain';
  return 'a tc filter is no link that could be taken over';
}

function linksOf(programId: number): LinkInfo[] {
  return [...Link.ids()].flatMap((id) =>
    unlessGone(() => withObject(Link.fromId(id), (link) => link.info())).filter(
      (info) => info.programId === programId && !info.gone,
    ),
  );
}

function occupiedBy(programId: number, bpffs: string, scope: Scope): Occupied[] {
  return everyNetns()
    .map((netns) => scope.use(netns))
    .flatMap((netns) => listInterfaces(netns).flatMap((target) => onOne(target, netns, bpffs)))
    .filter(({ occupant }) => occupant.programId === programId);
}

function onOne(target: Interface, netns: Netns, bpffs: string): Occupied[] {
  const { receive, send } = interfaceHooks(target, netns, { bpffs });
  return [...receive, ...send].map((occupant) => ({ occupant, target }));
}

/** The link as netkit records it, or why it cannot. */
function recorded(info: LinkInfo, program: string, occupied: readonly Occupied[]): UnnamedLink | string {
  const { details } = info;
  switch (details.kind) {
    case 'xdp':
    case 'tcx':
    case 'netkit':
      return onInterface(info, program, occupied);
    case 'cgroup': {
      const rule = rules.find(({ attach }) => attach === details.attachType);
      const entry = cgroupFamily.hooks.find(
        ({ sections }) => rule !== undefined && sections.includes(rule.name),
      );
      const cgroup = findCgroupById(details.cgroupId);
      if (entry === undefined) return `netkit does not know ${details.attachType}`;
      if (cgroup === undefined) return 'its cgroup is not to be found';
      const target: TargetOf<'cgroup'> = { kind: 'cgroup', path: cgroup.path, id: String(cgroup.id) };
      return { family: 'cgroup', program, hook: entry.hook, target, order: unordered };
    }
    case 'netns': {
      const hook = details.attachType === 'flow_dissector' ? 'flow_dissector' : 'sk_lookup';
      const target: TargetOf<'netns'> = { kind: 'netns', netns: namespaceState(details.netnsInode) };
      return { family: 'netns', program, hook, target };
    }
    case 'raw_tracepoint': {
      const target: TargetOf<'text'> = { kind: 'text', text: details.name };
      const cookie = details.cookie === 0n ? null : String(details.cookie);
      return { family: 'raw-tracepoint', program, hook: 'raw_tracepoint', target, cookie };
    }
    default:
      return 'netkit cannot take over links of that kind';
  }
}

function onInterface(info: LinkInfo, program: string, occupied: readonly Occupied[]): UnnamedLink | string {
  const places = occupied.filter(
    ({ occupant: { linkId, linkCandidates } }) =>
      linkId === info.id || linkCandidates?.includes(info.id) === true,
  );
  const [place] = places;
  if (place === undefined) return 'its interface is in no network namespace that is to be found';
  if (places.length > 1)
    return 'it is on one of several interfaces of the same index, in different network namespaces';
  const { ifname, ifindex, netnsInode } = place.target;
  const target: TargetOf<'interface'> = {
    kind: 'interface',
    ifname,
    ifindex,
    netns: namespaceState(netnsInode),
  };
  switch (place.occupant.hook) {
    case 'xdp': {
      const mode = (['native', 'generic', 'offload'] as const).find((each) => each === place.occupant.detail);
      return mode === undefined ? 'it is a chain' : { family: 'xdp', program, hook: 'xdp', target, mode };
    }
    case 'tcx/ingress':
    case 'tcx/egress':
      return { family: 'tcx', program, hook: place.occupant.hook, target, order: unordered };
    case 'netkit-dev/primary':
    case 'netkit-dev/peer':
      return { family: 'netkit-dev', program, hook: place.occupant.hook, target, order: unordered };
    default:
      return 'netkit cannot take over links of that kind';
  }
}

function namespaceState(inode: number): NetnsState {
  return { inode, ref: netnsName(inode) ?? null };
}

/** @throws NetkitError `unsupported` for what is a member of a chain of libxdp's */
export function refuseMember({ type }: { readonly type: string }, about: string): void {
  if (type !== 'ext') return;
  throw new NetkitError(
    'unsupported',
    `${about} takes the place of a function of another program: it cannot be taken over`,
    {
      hint: "'netkit net' shows the members of XDP chains, and 'netkit attach' goes among them",
    },
  );
}
