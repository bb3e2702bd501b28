/** Devices of the type netkit: programs on either end, in order, each through a link. */
import { netkitDev } from '../../ebpf/attach/index.js';
import type { OrderPlace } from '../../ebpf/order.js';
import type { Netns } from '../../host/netns.js';
import type { LinkOf } from '../link-state.js';
import { interfaceNamed } from '../targets/interface.js';
import type { HookFamily } from './family.js';
import { plannedOrder } from './ordered.js';
import { orderedOnInterface } from './ordered-interface.js';

type Place = Extract<OrderPlace, { hook: 'netkit-dev' }>;

export const netkitDevFamily: HookFamily<LinkOf<'netkit-dev'>> = {
  family: 'netkit-dev',
  hooks: [
    { hook: 'netkit-dev/primary', sections: ['netkit/primary'], types: ['sched_cls'] },
    { hook: 'netkit-dev/peer', sections: ['netkit/peer'], types: ['sched_cls'] },
  ],
  linkType: 'netkit',
  ...orderedOnInterface<LinkOf<'netkit-dev'>, Place>({ placeOf, options: netkitDev }),
  plan(request) {
    const { program, hook, target: ifname, where } = request;
    const target = interfaceNamed(ifname, where);
    const link = { family: 'netkit-dev', program: program.name, hook, target } as const;
    return { link: { ...link, order: plannedOrder(link, placeOf(link, where.netns), request) } };
  },
};

function placeOf(
  { hook, target }: Pick<LinkOf<'netkit-dev'>, 'hook' | 'target'>,
  netns: Netns | undefined,
): Place {
  const end = hook === 'netkit-dev/peer' ? 'peer' : 'primary';
  return { hook: 'netkit-dev', ifname: target.ifname, end, netns };
}
