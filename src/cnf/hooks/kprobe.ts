/** Functions of the kernel and system calls, at their beginning or at their return. */
import { kprobe, ksyscall } from '../../ebpf/attach/index.js';
import type { LinkOf } from '../link-state.js';
import type { HookFamily } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { cookieOf, cookieText, placeOf, refuseOtherCookie, symbolReader, textNamed } from './text-target.js';

type KprobeLink = LinkOf<'kprobe'>;

const types = ['kprobe'];

export const kprobeFamily: HookFamily<KprobeLink> = {
  family: 'kprobe',
  hooks: [
    { hook: 'kprobe', sections: ['kprobe'], types },
    { hook: 'kretprobe', sections: ['kretprobe'], types },
    { hook: 'ksyscall', sections: ['ksyscall'], types },
    { hook: 'kretsyscall', sections: ['kretsyscall'], types },
  ],
  // The name of a system call has the form of a function's.
  target: symbolReader,
  options: ['cookie'],
  linkType: 'perf_event',
  ...pinnedLinks<KprobeLink>({
    make(program, link) {
      const { hook, target } = link;
      const { name, offset } = placeOf(target.text);
      const how = { returns: hook.startsWith('kret'), cookie: cookieOf(link.cookie) };
      const options = hook.endsWith('syscall')
        ? ksyscall({ syscall: name, ...how })
        : kprobe({ symbol: name, offset, ...how });
      return { made: program.attach(options), link };
    },
    replacing: 'overlap',
  }),
  plan: ({ program, hook, target, options }) => ({
    link: {
      family: 'kprobe',
      program: program.name,
      hook,
      target: textNamed(target, symbolReader),
      cookie: cookieText(options.cookie),
    },
  }),
  refuseOther: (present, { cookie }) => refuseOtherCookie(present, cookie),
  detail: () => '',
};
