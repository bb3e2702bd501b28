/** Tracepoints with their arguments as the kernel describes them. */
import { tracepoint } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { cookieOf, cookieText, eventReader, refuseOtherCookie, textNamed } from './text-target.js';

type TracepointLink = LinkOf<'tracepoint'>;

export const tracepointFamily: HookFamily<TracepointLink> = {
  family: 'tracepoint',
  hooks: [{ hook: 'tracepoint', sections: ['tracepoint', 'tp'], types: ['tracepoint'] }],
  target: eventReader,
  options: ['cookie'],
  linkType: 'perf_event',
  ...pinnedLinks<TracepointLink>({
    make(program, link) {
      const [category = '', event = ''] = link.target.text.split('/');
      return { made: program.attach(tracepoint({ category, event, cookie: cookieOf(link.cookie) })), link };
    },
    replacing: 'overlap',
  }),
  plan: ({ program, target, options }) => ({
    link: {
      family: 'tracepoint',
      program: program.name,
      hook: 'tracepoint',
      target: textNamed(target, eventReader),
      cookie: cookieText(options.cookie),
    },
  }),
  refuseOther: (present, { cookie }) => refuseOtherCookie(present, cookie),
  detail: () => '',
};
