/** Many functions of the kernel through one link. */
import { kprobeMulti } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { patternReader, textNamed } from './text-target.js';

type MultiLink = LinkOf<'kprobe-multi'>;

const types = ['kprobe'];

export const kprobeMultiFamily: HookFamily<MultiLink> = {
  family: 'kprobe-multi',
  hooks: [
    { hook: 'kprobe.multi', sections: ['kprobe.multi'], types, loadedFor: 'trace_kprobe_multi' },
    { hook: 'kretprobe.multi', sections: ['kretprobe.multi'], types, loadedFor: 'trace_kprobe_multi' },
    { hook: 'kprobe.session', sections: ['kprobe.session'], types, loadedFor: 'trace_kprobe_session' },
  ],
  target: patternReader,
  options: [],
  linkType: 'kprobe_multi',
  ...pinnedLinks<MultiLink>({
    make(program, link) {
      const symbols = link.target.text.split(',');
      const returns = link.hook === 'kretprobe.multi';
      const session = link.hook === 'kprobe.session';
      return { made: program.attach(kprobeMulti({ symbols, returns, session })), link };
    },
    replacing: 'overlap',
  }),
  plan: ({ program, hook, target }) => ({
    link: { family: 'kprobe-multi', program: program.name, hook, target: textNamed(target, patternReader) },
  }),
  detail: () => '',
};
