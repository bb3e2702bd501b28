/** tcx: programs on an interface, in either direction, each through a link. */
import { NetkitError } from '../../base/errors.js';
import { tcx } from '../../ebpf/attach/index.js';
import { hookAvailable } from '../../ebpf/feature.js';
import type { OrderPlace } from '../../ebpf/order.js';
import type { Netns } from '../../host/netns.js';
import type { LinkOf } from '../link-state.js';
import { interfaceNamed } from '../targets/interface.js';
import type { HookFamily } from './family.js';
import { plannedOrder } from './ordered.js';
import { orderedOnInterface } from './ordered-interface.js';
import { tcFamily } from './tc.js';

type Place = Extract<OrderPlace, { hook: 'tcx' }>;

export const tcxFamily: HookFamily<LinkOf<'tcx'>> = {
  family: 'tcx',
  hooks: [
    { hook: 'tcx/ingress', sections: ['tcx/ingress'], types: ['sched_cls'] },
    { hook: 'tcx/egress', sections: ['tcx/egress'], types: ['sched_cls'] },
  ],
  linkType: 'tcx',
  ...orderedOnInterface<LinkOf<'tcx'>, Place>({ placeOf, options: tcx }),
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
};

function placeOf({ hook, target }: Pick<LinkOf<'tcx'>, 'hook' | 'target'>, netns: Netns | undefined): Place {
  const direction = hook === 'tcx/egress' ? 'egress' : 'ingress';
  return { hook: 'tcx', ifname: target.ifname, direction, netns };
}
