import { measuringExits, measuringOptions, method, programMissing } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What replacing a program costs. */
export const benchUpgrade = {
  name: 'bench upgrade',
  summary: 'measure what replacing a program does to packets',
  about: [
    'Has two programs take turns while packets come as fast as the receiver takes them, by each way to replace one: XDP and tcx link update, a slot of a program array, the order of a chain by tail calls, a tc filter; and for contrast by detaching and attaching again, and by attaching beside. Every packet is accounted for, and carries the signs of the programs that it met: the figures are packets lost, and packets that met neither or both, for each replacement, and the time that one takes.',
    'Before, each program has to judge what it should and nothing else, and the accounts have to be right to the packet without a replacement. All of it stands in namespaces of its own, and is gone with the command.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'WAY,…', kind: 'text' },
      repeatable: true,
      about:
        'Measure these ways alone: `xdp-link`, `tail-slot`, `tail-order`, `tcx-link`, `tc-filter`, `xdp-again`, `tcx-beside`.',
    },
    ...measuringOptions,
  ],
  exits: [
    programMissing,
    ...measuringExits,
    { status: 6, about: 'This kernel is older than Linux 5.18, or no way can be set up.' },
  ],
  examples: [
    { command: 'sudo netkit bench upgrade --quick', about: 'All ways in a minute.' },
    {
      command: 'sudo netkit bench upgrade --only xdp-link,xdp-again --report upgrade.html',
      about: 'What a link update spares.',
    },
  ],
} as const satisfies CommandEntry;
