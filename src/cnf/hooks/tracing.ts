/** What a program was loaded for and is only to be switched on: functions of the kernel, LSM hooks, typed tracepoints. */
import { tracing } from '../../ebpf/attach/index.js';
import { sectionMeaning } from '../../obj/sections.js';
import type { LinkOf } from '../link-state.js';
import type { HookEntry, HookFamily, Replacement } from './family.js';
import { pinnedLinks } from './pinned-link.js';
import { loadedReader } from './text-target.js';

type TracingLink = LinkOf<'tracing'>;

const entry = (hook: HookEntry['hook'], type: string, loadedFor: string): HookEntry => ({
  hook,
  sections: [hook, `${hook}.s`],
  types: [type],
  loadedFor,
});

export const tracingFamily: HookFamily<TracingLink> = {
  family: 'tracing',
  hooks: [
    entry('fentry', 'tracing', 'trace_fentry'),
    entry('fexit', 'tracing', 'trace_fexit'),
    entry('fmod_ret', 'tracing', 'modify_return'),
    entry('tp_btf', 'tracing', 'trace_raw_tp'),
    entry('lsm', 'lsm', 'lsm_mac'),
  ],
  target: loadedReader,
  options: [],
  linkType: 'tracing',
  ...pinnedLinks<TracingLink>({
    make: (program, link) => ({ made: program.attach(tracing()), link }),
    replacing: 'overlap',
  }),
  plan: ({ program, hook, target }) => ({
    link: { family: 'tracing', program: program.name, hook, target: { kind: 'text', text: target } },
  }),
  refuseReplacement: (link, next) => refuseElsewhere(link.target.text, next),
  detail: () => '',
};

/** The link stays where it is; a program that was loaded for another place cannot come there. */
export function refuseElsewhere(present: string, { program }: Replacement): string | undefined {
  const wanted = program.target ?? sectionMeaning(program.section)?.target;
  return wanted === present ? undefined : `has '${program.name}' for ${wanted ?? program.section}`;
}
