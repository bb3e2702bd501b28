/** What programs as tc filters and programs as tc actions have in common: held by the kernel, found by the filter's place. */
import { NetkitError } from '../../base/errors.js';
import { Program } from '../../ebpf/program.js';
import { clsactExists, deleteEmptyQdisc, type TcFilter } from '../../ebpf/tc-filter.js';
import { exists } from '../../host/folders.js';
import type { Netns } from '../../host/netns.js';
import { pinPath } from '../layout.js';
import { checkedPriority } from '../order.js';
import { describePlace } from '../targets/index.js';
import { namespaceOf, reopenNamespace } from '../targets/namespace.js';
import type { HookFamily } from './family.js';
import { type FilterLink, filterOf, handOverQdisc } from './filter-place.js';
import { interfaceReader } from './interface-target.js';
import { isPinnedAt, isRecordedOrPinned } from './kernel-held.js';

/** What the two ways differ in. */
export interface FilterWay<L extends FilterLink> extends Pick<HookFamily<L>, 'family' | 'hooks' | 'plan'> {
  /** Makes the filter with its program, and the qdisc when there is none. @throws NetkitError `conflict` when the place is taken */
  add(
    program: Program,
    filter: TcFilter,
    ifname: string,
    netns: Netns | undefined,
  ): { readonly madeQdisc: boolean };
  /** The program in the filter's place, whoever's it is; undefined when nothing is there, or not such a thing. */
  programId(filter: TcFilter, netns: Netns | undefined): number | undefined;
  replace(program: Program, filter: TcFilter, netns: Netns | undefined): void;
  /** One that is gone already is fine. */
  remove(filter: TcFilter, netns: Netns | undefined): void;
}

export function filterFamily<L extends FilterLink>(way: FilterWay<L>): HookFamily<L> {
  return {
    family: way.family,
    hooks: way.hooks,
    target: interfaceReader,
    options: ['priority'],
    linkType: 'tc',
    holder: 'kernel',
    replacing: 'swap',
    plan: way.plan,
    attach(folder, link) {
      const { target, program: name, filter } = link;
      using netns = namespaceOf(target.netns, target.ifname);
      using program = Program.fromPin(pinPath(folder, 'progs', name));
      const { madeQdisc } = way.add(program, filterOf(link), target.ifname, netns);
      return { ...link, filter: { ...filter, madeQdisc, programId: program.info().id } };
    },
    detach(folder, link) {
      const { target, program, filter } = link;
      const { present, netns: opened } = reopenNamespace(target.netns);
      if (!present) return;
      using netns = opened;
      const id = way.programId(filterOf(link), netns);
      if (id !== undefined && isRecordedOrPinned(id, folder, { program, programId: filter.programId }))
        way.remove(filterOf(link), netns);
      if (filter.madeQdisc) deleteEmptyQdisc(target.ifindex, netns);
    },
    /** Looked at, then written: tc has no compare-and-swap. */
    swap(_folder, link, from, to) {
      if (!exists(to)) return link;
      using next = Program.fromPin(to);
      const { present, netns: opened } = reopenNamespace(link.target.netns);
      if (!present) return link;
      using netns = opened;
      if (isPinnedAt(from, way.programId(filterOf(link), netns))) way.replace(next, filterOf(link), netns);
      return { ...link, filter: { ...link.filter, programId: next.info().id } };
    },
    // A filter in the same place with another program is somebody else's attachment.
    isAlive: (_folder, link) => programIn(way, link) === link.filter.programId,
    look(_folder, link) {
      const programId = programIn(way, link);
      return { pin: undefined, info: undefined, programId, dead: programId !== link.filter.programId };
    },
    refuseOther({ program, hook, target, filter }, { priority }) {
      if (priority === undefined || checkedPriority(priority) === filter.priority) return;
      throw new NetkitError(
        'conflict',
        `${program} is attached to ${hook} of ${describePlace(target)} already, with priority ${filter.priority}`,
        { hint: 'the kernel cannot move a filter: detach it and attach it again' },
      );
    },
    detail: () => '',
    revive(link) {
      const { target, filter } = link;
      using netns = namespaceOf(target.netns, target.ifname);
      const madeQdisc = !clsactExists(target.ifindex, netns);
      return { ...link, filter: { ...filter, madeQdisc, programId: 0 } };
    },
    handOver: handOverQdisc,
  };
}

function programIn<L extends FilterLink>(way: FilterWay<L>, link: L): number | undefined {
  const { present, netns: opened } = reopenNamespace(link.target.netns);
  if (!present) return undefined;
  using netns = opened;
  return way.programId(filterOf(link), netns);
}
