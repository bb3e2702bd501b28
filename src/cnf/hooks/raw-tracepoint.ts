/** Tracepoints with their arguments as they are. */
import { rawTracepoint } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { cookieOf, cookieText, rawEventReader, refuseOtherCookie, textNamed } from './text-target.js';

type RawTracepointLink = LinkOf<'raw-tracepoint'>;

export const rawTracepointFamily: HookFamily<RawTracepointLink> = {
  family: 'raw-tracepoint',
  hooks: [
    {
      hook: 'raw_tracepoint',
      sections: ['raw_tracepoint', 'raw_tp', 'raw_tracepoint.w', 'raw_tp.w'],
      types: ['raw_tracepoint', 'raw_tracepoint_writable'],
    },
  ],
  target: rawEventReader,
  options: ['cookie'],
  linkType: 'raw_tracepoint',
  ...pinnedLinks<RawTracepointLink>({
    make(program, link) {
      const options = rawTracepoint({ event: link.target.text, cookie: cookieOf(link.cookie) });
      return { made: program.attach(options), link };
    },
    replacing: 'overlap',
  }),
  plan: ({ program, target, options }) => ({
    link: {
      family: 'raw-tracepoint',
      program: program.name,
      hook: 'raw_tracepoint',
      target: textNamed(target, rawEventReader),
      cookie: cookieText(options.cookie),
    },
  }),
  refuseOther: (present, { cookie }) => refuseOtherCookie(present, cookie),
  detail: () => '',
};
