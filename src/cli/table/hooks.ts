import { confirmOption } from './confirm.js';
import { replaceCommand } from './replace.js';
import type { CommandEntry } from './types.js';

/** Commands on hooks and the order on them. */
export const hookCommands = [
  replaceCommand,
  {
    name: 'link update',
    summary: 'change in place what a link runs, or its place',
    about: [
      'With `--program`, another program of the function takes the place of the one that is attached: nothing is detached, and every packet or event meets the old one or the new one. Where the kernel cannot swap, the new one is attached beside the old one first, and a note says so.',
      'Gives a member of an XDP chain another priority, or other verdicts upon which the next member runs. The chain is swapped as a whole: every packet meets the old one or the new one, and nothing is detached.',
      'Gives a program on tcx, on a netkit device or on a cgroup another priority. The kernel cannot move a link: the program is attached once more at its new place, then the old link goes; for a moment both run.',
      'Programs that other tools put there stay as they are.',
    ],
    arguments: [
      {
        name: 'program',
        shown: 'FUNCTION[/PROGRAM]|id:N',
        kind: 'program',
        required: true,
        about: 'A function, one of its programs, or the id of a link.',
      },
      {
        name: 'target',
        kind: 'target',
        required: false,
        about: 'The target, as `attach` takes it; without it, every target.',
      },
    ],
    options: [
      {
        long: 'program',
        value: { name: 'PROGRAM', kind: 'program' },
        about: 'The program that is to run there: one of the same function, which takes that hook.',
      },
      {
        long: 'allow-gap',
        about:
          'With `--program`, also where the kernel takes no second program (netfilter): for a moment none is there.',
      },
      {
        long: 'priority',
        value: { name: 'N', kind: 'text' },
        about: 'Lower ones run first: 0 to 2147483647.',
      },
      {
        long: 'proceed-on',
        value: { name: 'VERDICT,...', kind: 'text' },
        about: 'The verdicts upon which the next member runs: aborted, drop, pass, tx, redirect, or none.',
      },
      confirmOption,
    ],
    changes: true,
    exits: [
      { status: 3, about: 'Nothing of the kind is attached.' },
      { status: 5, about: 'The chain is one that netkit cannot change.' },
      {
        status: 6,
        about:
          'A place is to be changed of what is in no chain, or a program of a member of a chain, or for a gap that is not allowed.',
      },
    ],
    examples: [
      {
        command: 'netkit link update fw/lenient eth0 --program strict',
        about: 'Have another program of fw run in the place of lenient.',
      },
      {
        command: 'netkit link update fw eth0 --priority 10',
        about: 'Have fw run before all members with a higher priority.',
      },
      {
        command: 'netkit link update fw/count eth0 --proceed-on pass,drop',
        about: 'Have those behind it see the packets that it drops.',
      },
    ],
  },
] as const satisfies readonly CommandEntry[];
