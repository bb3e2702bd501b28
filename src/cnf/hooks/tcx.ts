/** tcx: programs on an interface, in either direction, each through a link. */
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { tcx } from '../../ebpf/attach/index.js';
import { hookAvailable } from '../../ebpf/feature.js';
import { type OrderPlace, queryOrder } from '../../ebpf/order.js';
import type { Netns } from '../../host/netns.js';
import type { LinkOf } from '../link-state.js';
import { interfaceNamed } from '../targets/interface.js';
import { namespaceOf } from '../targets/namespace.js';
import type { HookFamily } from './family.js';
import { interfaceReader } from './interface-target.js';
import { plannedOrder, positionOf, refuseOtherOrder } from './ordered.js';
import { pinnedLinks } from './pinned-link.js';
import { tcFamily } from './tc.js';

export const tcxFamily: HookFamily<LinkOf<'tcx'>> = {
  family: 'tcx',
  hooks: [
    { hook: 'tcx/ingress', sections: ['tcx/ingress'], types: ['sched_cls'] },
    { hook: 'tcx/egress', sections: ['tcx/egress'], types: ['sched_cls'] },
  ],
  target: interfaceReader,
  options: ['priority', 'place'],
  linkType: 'tcx',
  ...pinnedLinks({
    make(program, link, notes) {
      using scope = new Scope();
      using netns = namespaceOf(link.target.netns, link.target.ifname);
      const place = placeOf(link, netns);
      const position = positionOf(link, place, notes, scope);
      return { made: program.attach(tcx({ ...place, position })), link };
    },
  }),
  /** tcx, or the clsact hook of the same direction on a kernel without it: said, never silent. */
  plan(request) {
    const hook = request.hook === 'tcx/egress' ? 'tcx/egress' : 'tcx/ingress';
    const { available, reason } = hookAvailable(hook);
    // Where this user may not know, the attempt says why.
    if (available === false) {
      if (request.options.place !== undefined) {
        throw new NetkitError('unsupported', `${reason}; and tc's filters know no neighbours`, {
          hint: 'tc orders its filters by their priority alone: use --priority',
        });
      }
      const fallback = hook === 'tcx/ingress' ? 'tc/ingress' : 'tc/egress';
      const note = `${reason}: attached as a tc filter (${fallback}) instead`;
      return { ...tcFamily.plan({ ...request, hook: fallback }), note };
    }
    const target = interfaceNamed(request.target, request.where);
    const link = { family: 'tcx', program: request.program.name, hook, target } as const;
    return { link: { ...link, order: plannedOrder(link, placeOf(link, request.where.netns), request) } };
  },
  refuseOther(present, options, around) {
    using netns = namespaceOf(present.target.netns, present.target.ifname);
    refuseOtherOrder(present, placeOf(present, netns), options, around);
  },
  seenOrder(link) {
    using netns = namespaceOf(link.target.netns, link.target.ifname);
    return queryOrder(placeOf(link, netns));
  },
  detail: () => '',
};

function placeOf(
  { hook, target }: Pick<LinkOf<'tcx'>, 'hook' | 'target'>,
  netns: Netns | undefined,
): Extract<OrderPlace, { hook: 'tcx' }> {
  const direction = hook === 'tcx/egress' ? 'egress' : 'ingress';
  return { hook: 'tcx', ifname: target.ifname, direction, netns };
}
