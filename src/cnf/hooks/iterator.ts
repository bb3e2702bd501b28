/** Iterators: programs that run when their pin is read. */
import { iterator } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { loadedReader } from './text-target.js';
import { refuseElsewhere } from './tracing.js';

type IteratorLink = LinkOf<'iterator'>;

export const iteratorFamily: HookFamily<IteratorLink> = {
  family: 'iterator',
  hooks: [{ hook: 'iter', sections: ['iter', 'iter.s'], types: ['tracing'], loadedFor: 'trace_iter' }],
  target: loadedReader,
  options: [],
  linkType: 'iter',
  ...pinnedLinks<IteratorLink>({
    make: (program, link) => ({ made: program.attach(iterator()), link }),
  }),
  plan: ({ program, target }) => ({
    link: { family: 'iterator', program: program.name, hook: 'iter', target: { kind: 'text', text: target } },
  }),
  refuseReplacement: (link, next) => refuseElsewhere(link.target.text, next),
  detail: () => '',
};
