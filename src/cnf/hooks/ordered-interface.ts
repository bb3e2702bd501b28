/** What tcx and the device type netkit have in common: programs on an interface, in order, each through a link. */
import { Scope } from '../../base/scope.js';
import type { AttachOptions } from '../../ebpf/attach/index.js';
import { type OrderPlace, type PositionChooser, queryOrder } from '../../ebpf/order.js';
import type { Netns } from '../../host/netns.js';
import type { LinkOf } from '../link-state.js';
import { namespaceWith } from '../targets/interface.js';
import { namespaceOf } from '../targets/namespace.js';
import type { HookFamily } from './family.js';
import { interfaceReader } from './interface-target.js';
import { moveLink } from './moving.js';
import { positionOf, refuseOtherOrder } from './ordered.js';
import { type LinkMaker, pinnedLinks } from './pinned-link.js';

type InterfaceLink = LinkOf<'tcx'> | LinkOf<'netkit-dev'>;

interface Way<L extends InterfaceLink, P extends OrderPlace> {
  placeOf(link: Pick<L, 'hook' | 'target'>, netns: Netns | undefined): P;
  options(placed: P & { readonly position: PositionChooser }): AttachOptions;
}

export function orderedOnInterface<L extends InterfaceLink, P extends OrderPlace>({
  placeOf,
  options: optionsFor,
}: Way<L, P>) {
  const maker: LinkMaker<L> = {
    make(program, link, notes) {
      using scope = new Scope();
      using netns = namespaceWith(link.target);
      const place = placeOf(link, netns);
      const position = positionOf(link, place, notes, scope);
      return { made: program.attach(optionsFor({ ...place, position })), link };
    },
  };
  return {
    target: interfaceReader,
    options: ['priority', 'place'],
    ...pinnedLinks<L>(maker),
    rearrange: (folder, _link, next, notes) => moveLink(maker, folder, next, notes),
    refuseOther(present, options, around) {
      using netns = namespaceOf(present.target.netns, present.target.ifname);
      refuseOtherOrder(present, placeOf(present, netns), options, around);
    },
    seenOrder(link) {
      using netns = namespaceOf(link.target.netns, link.target.ifname);
      return queryOrder(placeOf(link, netns));
    },
    detail: () => '',
  } satisfies Partial<HookFamily<L>>;
}
