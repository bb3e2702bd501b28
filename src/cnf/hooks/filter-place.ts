/** Where netkit's tc filters go: their handles and priorities, and whose the clsact qdisc is that they are on. */
import type { Direction } from '../../ebpf/attach/index.js';
import { clsactExists, filterPriorities, type TcFilter } from '../../ebpf/tc-filter.js';
import type { LinkOf, LinkState } from '../link-state.js';
import { checkedPriority } from '../order.js';
import { sameTarget } from '../targets/index.js';
import { type InterfaceTarget, interfaceNamed } from '../targets/interface.js';
import type { HookRequest } from './family.js';

/** A filter that is the program, or one that an action is behind. */
export type FilterLink = LinkOf<'tc'> | LinkOf<'tc-action'>;

/** The priority of netkit's first tc filter on a hook; 50 is libxdp's default run priority too. */
const defaultFilterPriority = 50;
/** A handle begins with "nk", so that `tc filter show` tells whose it is. */
const handlePrefix = 0x6e6b0000;

/** The target and the filter of a link that is planned. @throws NetkitError */
export function plannedFilter(
  request: HookRequest,
): Pick<FilterLink, 'program' | 'hook' | 'target' | 'filter'> {
  const { world, state, program, hook, target, where, links, options } = request;
  const place = interfaceNamed(target, where);
  const { netns } = where;
  const foreign = new Set(filterPriorities(place.ifindex, directionOf(hook), netns));
  const own = [...links, ...othersLinks(world, state.name)];
  return {
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
  };
}

/** As the kernel knows the link's filter. */
export function filterOf({ hook, target, filter }: FilterLink): TcFilter {
  const { handle, priority } = filter;
  return { ifindex: target.ifindex, direction: directionOf(hook), handle, priority };
}

/** A clsact qdisc that netkit made belongs to whoever stays on it: whoever comes last removes it. */
export function handOverQdisc(leaving: readonly LinkState[], staying: readonly LinkState[]): LinkState[] {
  const marked = leaving.filter((link) => isFilter(link) && link.filter.madeQdisc);
  return staying.map((link) =>
    isFilter(link) && marked.some((made) => sameTarget(made.target, link.target))
      ? { ...link, filter: { ...link.filter, madeQdisc: true } }
      : link,
  );
}

function isFilter(link: LinkState): link is FilterLink {
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

function directionOf(hook: string): Direction {
  return hook.endsWith('/egress') ? 'egress' : 'ingress';
}
