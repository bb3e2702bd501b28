/** Programs as tc actions, behind a filter that matches every packet: held by the kernel, found by the filter's place. */
import { Program } from '../../ebpf/program.js';
import { actionProgramId, addAction, deleteAction, replaceAction } from '../../ebpf/tc-action.js';
import { clsactExists, deleteEmptyQdisc, type TcFilter } from '../../ebpf/tc-filter.js';
import { exists } from '../../host/folders.js';
import { pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { namespaceOf, reopenNamespace } from '../targets/namespace.js';
import type { HookFamily } from './family.js';
import { interfaceReader } from './interface-target.js';
import { isRecordedOrPinned, pinnedId } from './kernel-held.js';
import { planFilter, tcFamily } from './tc.js';

type ActionLink = LinkOf<'tc-action'>;

const types = ['sched_act'];

export const tcActionFamily: HookFamily<ActionLink> = {
  family: 'tc-action',
  // A section 'action' says nothing of the direction.
  hooks: [
    { hook: 'action/ingress', sections: [], types },
    { hook: 'action/egress', sections: [], types },
  ],
  target: interfaceReader,
  options: ['priority'],
  linkType: 'tc',
  holder: 'kernel',
  replacing: 'swap',
  plan(request) {
    const { link } = planFilter(request);
    if (link.family !== 'tc') throw new TypeError('a filter that is none');
    return { link: { ...link, family: 'tc-action' } };
  },
  attach(folder, link) {
    using netns = namespaceOf(link.target.netns, link.target.ifname);
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    const { madeQdisc } = addAction(program, filterOf(link), netns, link.target.ifname);
    return { ...link, filter: { ...link.filter, madeQdisc, programId: program.info().id } };
  },
  detach(folder, link) {
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    if (!present) return;
    using netns = opened;
    const { program, filter } = link;
    const id = actionProgramId(filterOf(link), netns);
    if (id !== undefined && isRecordedOrPinned(id, folder, { program, programId: filter.programId }))
      deleteAction(filterOf(link), netns);
    if (filter.madeQdisc) deleteEmptyQdisc(link.target.ifindex, netns);
  },
  /** Looked at, then written: tc has no compare-and-swap. */
  swap(_folder, link, from, to) {
    if (!exists(to)) return link;
    using next = Program.fromPin(to);
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    if (!present) return link;
    using netns = opened;
    const filter = filterOf(link);
    if (actionProgramId(filter, netns) === pinnedId(from)) replaceAction(next, filter, netns);
    return { ...link, filter: { ...link.filter, programId: next.info().id } };
  },
  isAlive: (_folder, link) => programIn(link) === link.filter.programId,
  look(_folder, link) {
    const programId = programIn(link);
    return { pin: undefined, info: undefined, programId, dead: programId !== link.filter.programId };
  },
  refuseOther: (present, options, around) =>
    tcFamily.refuseOther?.({ ...present, family: 'tc' }, options, around),
  detail: () => '',
  revive: (link) => ({
    ...link,
    filter: { ...link.filter, madeQdisc: lacksQdisc(link), programId: 0 },
  }),
};

function filterOf({ hook, target, filter }: ActionLink): TcFilter {
  const { handle, priority } = filter;
  const direction = hook === 'action/egress' ? 'egress' : 'ingress';
  return { ifindex: target.ifindex, direction, handle, priority };
}

function lacksQdisc({ target }: ActionLink): boolean {
  using netns = namespaceOf(target.netns, target.ifname);
  return !clsactExists(target.ifindex, netns);
}

/** The program in the action, whoever's it is. */
function programIn(link: ActionLink): number | undefined {
  const { present, netns: opened } = reopenNamespace(link.target.netns);
  if (!present) return undefined;
  using netns = opened;
  return actionProgramId(filterOf(link), netns);
}
