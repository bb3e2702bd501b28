import {
  measuringExits,
  measuringOptions,
  method,
  programMissing,
  trafficOptions,
} from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What a chain costs. */
export const benchChain = {
  name: 'bench chain',
  summary: 'measure what each further function of a chain costs',
  about: [
    "Sends a flood of packets through 0 to 8 functions that count them and pass them on, and another one that drops them: by libxdp's dispatcher, which needs a kernel that lets programs replace functions of others, by tail calls, and on tcx; and all in one program, which shows what the functions cost by themselves. Every chain has a pair of namespaces of its own, as with `netkit bench drop`, and all is gone with the command.",
    'The figures are packets a second, what a packet costs the receiver, and of that what each further function adds. Before and after, the functions have to have seen every packet, each in its turn.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'WAY,…', kind: 'text' },
      repeatable: true,
      about: 'Measure these ways alone: `one-program`, `dispatcher`, `tail-calls`, `tcx`.',
    },
    {
      long: 'functions',
      value: { name: 'N', kind: 'count', min: 0, max: 8 },
      repeatable: true,
      about: 'Measure with so many functions in front of the one that drops; without it 0 to 8.',
    },
    ...trafficOptions,
    ...measuringOptions,
  ],
  exits: [
    programMissing,
    ...measuringExits,
    { status: 6, about: 'This kernel is older than Linux 5.18, or no way can be set up.' },
  ],
  examples: [
    { command: 'sudo netkit bench chain --report chain.html', about: 'All ways, in five minutes.' },
    {
      command: 'sudo netkit bench chain --only tcx --functions 0 --functions 8',
      about: 'The ends of one curve.',
    },
  ],
} as const satisfies CommandEntry;
