/** Routes whose packets go through a program: no links, and so held by the kernel, found by where they lead. */
import { NetkitError } from '../../base/errors.js';
import {
  type LwtPoint,
  type RoutePlace,
  requireLwtType,
  routeAt,
  type SeenRoute,
} from '../../ebpf/lwt-route.js';
import { Program } from '../../ebpf/program.js';
import { changeRoute, takeOffRoute } from '../../ebpf/route-changes.js';
import { exists } from '../../host/folders.js';
import { pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { describePlace, sameTarget } from '../targets/index.js';
import { namespaceOf, reopenNamespace } from '../targets/namespace.js';
import { couldBeRoute, routeNamed } from '../targets/route.js';
import type { HookEntry, HookFamily } from './family.js';
import { isPinnedAt, isRecordedOrPinned } from './kernel-held.js';

type LwtLink = LinkOf<'lwt'>;

const points = { lwt_in: 'in', lwt_out: 'out', lwt_xmit: 'xmit', lwt_seg6local: 'seg6local' } as const;
type LwtHook = keyof typeof points;

const entry = (hook: LwtHook): HookEntry => ({ hook, sections: [hook], types: [hook] });

export const lwtFamily: HookFamily<LwtLink> = {
  family: 'lwt',
  hooks: [entry('lwt_in'), entry('lwt_out'), entry('lwt_xmit'), entry('lwt_seg6local')],
  target: {
    need: 'required',
    noun: "a route, in one word: 'DESTINATION dev INTERFACE'",
    couldBe: couldBeRoute,
    exists: () => true,
  },
  options: [],
  linkType: 'lwt',
  holder: 'kernel',
  replacing: 'swap',
  plan({ program, hook, target, where, links }) {
    const route = routeNamed(target, where);
    const taken = routeAt(placeOf(route), where.netns);
    const isOwn = links.some(
      (link) =>
        link.family === 'lwt' &&
        link.program === program.name &&
        link.hook === hook &&
        sameTarget(link.target, route),
    );
    if (taken !== undefined && !isOwn) refuseTaken(taken, pointOf(hook), describePlace(route));
    return { link: { family: 'lwt', program: program.name, hook, target: route, programId: 0 } };
  },
  attach(folder, link) {
    using netns = namespaceOf(link.target.netns, link.target.ifname);
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    const point = pointOf(link.hook);
    requireLwtType(program, point);
    const seen = routeAt(placeOf(link.target), netns);
    if (seen !== undefined) refuseTaken(seen, point, describePlace(link.target));
    changeRoute(placeOf(link.target), seen, new Map([[point, program]]), netns);
    return { ...link, programId: program.info().id };
  },
  detach(folder, link) {
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    if (!present) return;
    using netns = opened;
    const point = pointOf(link.hook);
    const seen = routeAt(placeOf(link.target), netns);
    const id = seen?.programs.get(point)?.programId;
    if (seen === undefined || id === undefined || !isRecordedOrPinned(id, folder, link)) return;
    takeOffRoute(placeOf(link.target), seen, point, netns);
  },
  /** Looked at, then written: routes have no compare-and-swap. */
  swap(_folder, link, from, to) {
    if (!exists(to)) return link;
    using next = Program.fromPin(to);
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    if (!present) return link;
    using netns = opened;
    const point = pointOf(link.hook);
    const seen = routeAt(placeOf(link.target), netns);
    if (seen !== undefined && isPinnedAt(from, seen.programs.get(point)?.programId))
      changeRoute(placeOf(link.target), seen, new Map([[point, next]]), netns);
    return { ...link, programId: next.info().id };
  },
  isAlive: (_folder, link) => programOn(link) === link.programId,
  look(_folder, link) {
    const programId = programOn(link);
    return { pin: undefined, info: undefined, programId, dead: programId !== link.programId };
  },
  detail: () => '',
  revive: (link) => ({ ...link, programId: 0 }),
};

function pointOf(hook: string): LwtPoint {
  return points[hook as LwtHook];
}

function placeOf({ destination, via, table, ifindex }: LwtLink['target']): RoutePlace {
  return { destination, via: via ?? undefined, table, ifindex };
}

/** The program at the link's point of the route, whoever's it is. */
function programOn({ target, hook }: LwtLink): number | undefined {
  const { present, netns: opened } = reopenNamespace(target.netns);
  if (!present) return undefined;
  using netns = opened;
  return routeAt(placeOf(target), netns)?.programs.get(pointOf(hook))?.programId;
}

/** A route is one of netkit's when each of its programs can be named; then it takes one more, at another point. */
function refuseTaken({ programs }: SeenRoute, point: LwtPoint, where: string): void {
  const [foreign] = [...programs.values()].filter(({ programId }) => programId === undefined);
  if (programs.size === 0 || foreign !== undefined) {
    throw new NetkitError('conflict', `there is a route ${where} already`, {
      hint: 'netkit makes the route that its program is on: choose another destination, or have its owner delete that one',
    });
  }
  const present = programs.get(point);
  if (present !== undefined)
    throw new NetkitError('conflict', `the route ${where} has a program there already: ${present.label}`);
  if (point === 'seg6local' || programs.has('seg6local'))
    throw new NetkitError('conflict', `the route ${where} has a program already, which is alone on it`);
}
