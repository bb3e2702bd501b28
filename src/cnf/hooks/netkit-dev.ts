/** Devices of the type netkit: programs on either end, in order, each through a link. */
import { Scope } from '../../base/scope.js';
import { netkitDev } from '../../ebpf/attach/index.js';
import { type OrderPlace, queryOrder } from '../../ebpf/order.js';
import type { Netns } from '../../host/netns.js';
import type { LinkOf } from '../link-state.js';
import { interfaceNamed } from '../targets/interface.js';
import { namespaceOf } from '../targets/namespace.js';
import type { HookFamily } from './family.js';
import { interfaceReader } from './interface-target.js';
import { plannedOrder, positionOf, refuseOtherOrder } from './ordered.js';
import { pinnedLinks } from './pinned-link.js';

export const netkitDevFamily: HookFamily<LinkOf<'netkit-dev'>> = {
  family: 'netkit-dev',
  hooks: [
    { hook: 'netkit-dev/primary', sections: ['netkit/primary'], types: ['sched_cls'] },
    { hook: 'netkit-dev/peer', sections: ['netkit/peer'], types: ['sched_cls'] },
  ],
  target: interfaceReader,
  options: ['priority', 'place'],
  linkType: 'netkit',
  ...pinnedLinks({
    make(program, link, notes) {
      using scope = new Scope();
      using netns = namespaceOf(link.target.netns, link.target.ifname);
      const place = placeOf(link, netns);
      const position = positionOf(link, place, notes, scope);
      return { made: program.attach(netkitDev({ ...place, position })), link };
    },
  }),
  plan(request) {
    const { program, hook, target: ifname, where } = request;
    const target = interfaceNamed(ifname, where);
    const link = { family: 'netkit-dev', program: program.name, hook, target } as const;
    return { link: { ...link, order: plannedOrder(link, placeOf(link, where.netns), request) } };
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
  { hook, target }: Pick<LinkOf<'netkit-dev'>, 'hook' | 'target'>,
  netns: Netns | undefined,
): Extract<OrderPlace, { hook: 'netkit-dev' }> {
  const end = hook === 'netkit-dev/peer' ? 'peer' : 'primary';
  return { hook: 'netkit-dev', ifname: target.ifname, end, netns };
}
