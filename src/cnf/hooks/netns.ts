/** Hooks of a network namespace: choosing sockets, and taking packets apart. */
import { flowDissector, skLookup } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import { describePlace } from '../targets/index.js';
import { namespaceOf } from '../targets/namespace.js';
import { netnsMeant } from '../targets/netns.js';
import type { HookFamily } from './family.js';
import { netnsReader } from './netns-target.js';
import { pinnedLinks } from './pinned-link.js';

export const netnsFamily: HookFamily<LinkOf<'netns'>> = {
  family: 'netns',
  hooks: [
    { hook: 'sk_lookup', sections: ['sk_lookup'], types: ['sk_lookup'] },
    { hook: 'flow_dissector', sections: ['flow_dissector'], types: ['flow_dissector'] },
  ],
  target: netnsReader,
  options: [],
  linkType: 'netns',
  ...pinnedLinks({
    make(program, link) {
      using netns = namespaceOf(link.target.netns, describePlace(link.target));
      const options = link.hook === 'flow_dissector' ? flowDissector({ netns }) : skLookup({ netns });
      return { made: program.attach(options), link };
    },
  }),
  plan: ({ program, hook, where }) => ({
    link: { family: 'netns', program: program.name, hook, target: netnsMeant(where) },
  }),
  detail: () => '',
};
