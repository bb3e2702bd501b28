/** tc filters on a clsact qdisc: no links, and so held by the kernel, found by their place. */

import { NetkitError } from '../../base/errors.js';
import type { Direction } from '../../ebpf/attach/index.js';
import { Program } from '../../ebpf/program.js';
import {
  addFilter,
  clsactExists,
  deleteEmptyQdisc,
  deleteFilter,
  filterPriorities,
  filterProgramId,
  replaceFilter,
  type TcFilter,
} from '../../ebpf/tc-filter.js';
import { exists } from '../../host/folders.js';
import { pinPath } from '../layout.js';
import type { LinkOf, LinkState } from '../link-state.js';
import { checkedPriority } from '../order.js';
import { describePlace, sameTarget } from '../targets/index.js';
import { type InterfaceTarget, interfaceNamed } from '../targets/interface.js';
import { namespaceOf, reopenNamespace } from '../targets/namespace.js';
import type { HookFamily, HookRequest, PlannedLink } from './family.js';
import { interfaceReader } from './interface-target.js';

type FilterLink = LinkOf<'tc'>;

/** The priority of netkit's first tc filter on a hook; 50 is libxdp's default run priority too. */
const defaultFilterPriority = 50;
/** A handle begins with "nk", so that `tc filter show` tells whose it is. */
const handlePrefix = 0x6e6b0000;

export const tcFamily: HookFamily<FilterLink> = {
  family: 'tc',
  hooks: [
    { hook: 'tc/ingress', sections: ['tc/ingress'], types: ['sched_cls'] },
    { hook: 'tc/egress', sections: ['tc/egress'], types: ['sched_cls'] },
  ],
  target: interfaceReader,
  options: ['priority'],
  linkType: 'tc',
  holder: 'kernel',
  replacing: 'swap',
  plan: planFilter,
  attach(folder, link) {
    using netns = namespaceOf(link.target.netns, link.target.ifname);
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    const { madeQdisc } = addFilter(program, filterOf(link), netns);
    return { ...link, filter: { ...link.filter, madeQdisc, programId: program.info().id } };
  },
  detach(folder, link) {
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    if (!present) return;
    using netns = opened;
    const filter = filterOf(link);
    const programId = filterProgramId(filter, netns);
    if (programId !== undefined && isOurs(programId, folder, link)) deleteFilter(filter, netns);
    if (link.filter.madeQdisc) deleteEmptyQdisc(link.target.ifindex, netns);
  },
  /** Looked at, then written: tc has no compare-and-swap. */
  swap(_folder, link, from, to) {
    if (!exists(to)) return link;
    using next = Program.fromPin(to);
    using expected = Program.fromPin(from);
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    if (!present) return link;
    using netns = opened;
    const filter = filterOf(link);
    const programId = next.info().id;
    if (filterProgramId(filter, netns) === expected.info().id) replaceFilter(next, filter, netns);
    return { ...link, filter: { ...link.filter, programId } };
  },
  // A filter in the same place with another program is somebody else's attachment.
  isAlive: (_folder, link) => programIn(link) === link.filter.programId,
  look(_folder, link) {
    const programId = programIn(link);
    const dead = programId === undefined || programId !== link.filter.programId;
    return { pin: undefined, info: undefined, programId, dead };
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
    using netns = namespaceOf(link.target.netns, link.target.ifname);
    const madeQdisc = !clsactExists(link.target.ifindex, netns);
    return { ...link, filter: { ...link.filter, madeQdisc, programId: 0 } };
  },
  /** A clsact qdisc that netkit made belongs to whoever stays on it: whoever comes last removes it. */
  handOver(leaving, staying) {
    const marked = leaving.filter((link) => isFilter(link) && link.filter.madeQdisc);
    return staying.map((link) =>
      isFilter(link) && marked.some((made) => sameTarget(made.target, link.target))
        ? { ...link, filter: { ...link.filter, madeQdisc: true } }
        : link,
    );
  },
};

export function planFilter(request: HookRequest): PlannedLink {
  const { world, state, program, hook, target, where, links, options } = request;
  const place = interfaceNamed(target, where);
  const { netns } = where;
  const side = directionOf(hook);
  const foreign = new Set(filterPriorities(place.ifindex, side, netns));
  const own = [...links, ...othersLinks(world, state.name)];
  return {
    link: {
      family: 'tc',
      program: program.name,
      hook,
      target: place,
      filter: {
        handle: handlePrefix + 1 + Math.floor(Math.random() * 0xfffe),
        priority:
          options.priority === undefined
            ? nextPriority(own, hook, place, foreign)
            : checkedPriority(options.priority),
        // What is planned to be made is unmade after a crash.
        madeQdisc: !clsactExists(place.ifindex, netns),
        programId: 0,
      },
    },
  };
}

/** An action is behind a filter of its own. */
function isFilter(link: LinkState): link is FilterLink | LinkOf<'tc-action'> {
  return link.family === 'tc' || link.family === 'tc-action';
}

function othersLinks({ store }: HookRequest['world'], functionName: string): LinkState[] {
  const others = store.names().filter((name) => name !== functionName);
  return others.flatMap((name) => store.peek(name)?.links ?? []);
}

/** Behind netkit's other filters on the hook: within one priority the kernel would run the newest first. */
function nextPriority(
  all: readonly LinkState[],
  hook: string,
  target: InterfaceTarget,
  foreign: ReadonlySet<number>,
): number {
  const own = all.map((link) =>
    isFilter(link) && directionOf(link.hook) === directionOf(hook) && sameTarget(link.target, target)
      ? link.filter.priority
      : 0,
  );
  let priority = Math.max(defaultFilterPriority - 1, ...own) + 1;
  // Within one priority all filters are of one kind: one of another kind there would refuse ours.
  while (foreign.has(priority)) priority++;
  return priority;
}

/** The program in the filter's place, whoever's it is. */
function programIn(link: FilterLink): number | undefined {
  const { present, netns: opened } = reopenNamespace(link.target.netns);
  if (!present) return undefined;
  using netns = opened;
  return filterProgramId(filterOf(link), netns);
}

/** By the recorded id; a plan that was never recorded has none, but its program's pin is still there. */
function isOurs(programId: number, folder: string, link: FilterLink): boolean {
  if (programId === link.filter.programId) return true;
  const path = pinPath(folder, 'progs', link.program);
  if (!exists(path)) return false;
  using program = Program.fromPin(path);
  return program.info().id === programId;
}

function filterOf({ hook, target, filter }: FilterLink): TcFilter {
  const { handle, priority } = filter;
  return { ifindex: target.ifindex, direction: directionOf(hook), handle, priority };
}

function directionOf(hook: string): Direction {
  return hook.endsWith('/egress') ? 'egress' : 'ingress';
}
