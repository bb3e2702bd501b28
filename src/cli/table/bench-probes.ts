import { measuringExits, measuringOptions, method } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What observing costs. */
export const benchProbes = {
  name: 'bench probes',
  summary: 'measure what observing costs what is observed',
  about: [
    'Does something cheap over and over, with nothing in its way, and with a program that does nothing, or one that counts, at each hook that can observe it: a system call with raw tracepoints, tracepoints, tp_btf, fentry, fexit, kprobes and uprobes of every kind, and the clock; a packet through a loopback interface of its own with those that packets pass. The figure is the time that a hook adds to the operation.',
    'Before, each program has to run as often as it should while it is attached, and no more when it is not. A probe is attached for its own measurements alone, but then sees all that the machine does: every system call is slower for that long. A hook that this kernel lacks or bars is left out and named.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'HOOK,…', kind: 'text' },
      repeatable: true,
      about:
        'Measure these hooks alone: `raw-tracepoint`, `tp-btf`, `tracepoint`, `syscall-tracepoint`, `fentry`, `fexit`, `kprobe`, `kretprobe`, `kprobe-multi`, `kretprobe-multi`, `kprobe-session`, `uprobe`, `uretprobe`, `uprobe-multi`, `uretprobe-multi`, `perf-event`, `packet-raw-tracepoint`, `packet-tracepoint`, `packet-kprobe`, `packet-fentry`.',
    },
    ...measuringOptions,
  ],
  exits: [...measuringExits, { status: 6, about: 'This kernel has none of the hooks.' }],
  examples: [
    {
      command: 'sudo netkit bench probes --report probes.html',
      about: 'All hooks, in five minutes: attaching each takes longer than measuring it.',
    },
    {
      command: 'sudo netkit bench probes --quick --only kprobe,fentry',
      about: 'Two ways to the same function, in a minute.',
    },
  ],
} as const satisfies CommandEntry;
