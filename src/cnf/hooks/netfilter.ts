/** netfilter: between the tables of iptables and nftables, one program for each priority. */
import { NetkitError } from '../../base/errors.js';
import { netfilterStages } from '../../base/hook-names.js';
import { netfilter } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import { describePlace } from '../targets/index.js';
import { namespaceOf } from '../targets/namespace.js';
import { netnsMeant } from '../targets/netns.js';
import type { HookFamily } from './family.js';
import { isNetnsGone, netnsReader } from './netns-target.js';
import { pinnedLinks } from './pinned-link.js';

type NetfilterLink = LinkOf<'netfilter'>;

export const netfilterFamily: HookFamily<NetfilterLink> = {
  family: 'netfilter',
  hooks: [{ hook: 'netfilter', sections: ['netfilter'], types: ['netfilter'] }],
  target: netnsReader,
  options: ['family', 'stage', 'priority', 'defrag'],
  linkType: 'netfilter',
  ...pinnedLinks<NetfilterLink>({
    make(program, link) {
      const { target, protocol, stage, priority, defrag } = link;
      using netns = namespaceOf(target.netns, describePlace(target));
      return {
        made: program.attach(netfilter({ family: protocol, stage, priority, defrag, netns })),
        link,
      };
    },
    // The kernel has no way of swapping the program, and takes no second one at the same priority.
    replacing: 'gap',
    isGone: ({ target }) => isNetnsGone(target.netns),
  }),
  plan({ program, where, options }) {
    const { family: protocol = 'ipv4', stage, priority = 0, defrag = false } = options;
    if (stage === undefined) {
      throw new NetkitError('usage', `'${program.name}' goes to netfilter: at which stage is not said`, {
        hint: `add --stage ${netfilterStages.slice(0, -1).join(', ')} or ${netfilterStages.at(-1)}`,
      });
    }
    const target = netnsMeant(where);
    return {
      link: {
        family: 'netfilter',
        program: program.name,
        hook: 'netfilter',
        target,
        protocol,
        stage,
        priority,
        defrag,
      },
    };
  },
  samePlace: (present, wanted) =>
    wanted.family === 'netfilter' && present.protocol === wanted.protocol && present.stage === wanted.stage,
  refuseOther(present, { priority = 0, defrag = false }) {
    if (priority === present.priority && defrag === present.defrag) return;
    const place = `netfilter${detail(present)}`;
    throw new NetkitError('conflict', `${present.program} is attached to ${place} already`, {
      hint: 'detach it first',
    });
  },
  detail,
};

function detail({ protocol, stage, priority, defrag }: NetfilterLink): string {
  return ` (${protocol} ${stage}, priority ${priority}${defrag ? ', defragmented' : ''})`;
}
