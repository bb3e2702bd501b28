/** Functions of other eBPF programs, which a program takes the place of: named when it is loaded (`load --target`). */
import { freplace } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { loadedReader } from './text-target.js';
import { refuseElsewhere } from './tracing.js';

type FreplaceLink = LinkOf<'freplace'>;

export const freplaceFamily: HookFamily<FreplaceLink> = {
  family: 'freplace',
  hooks: [{ hook: 'freplace', sections: ['freplace'], types: ['ext'] }],
  target: loadedReader,
  options: [],
  linkType: 'tracing',
  ...pinnedLinks<FreplaceLink>({
    make: (program, link) => ({ made: program.attach(freplace()), link }),
    // A function is replaced once at a time.
    replacing: 'gap',
  }),
  plan: ({ program, target }) => ({
    link: {
      family: 'freplace',
      program: program.name,
      hook: 'freplace',
      target: { kind: 'text', text: target },
    },
  }),
  refuseReplacement: (link, next) => refuseElsewhere(link.target.text, next),
  detail: () => '',
};
