import { replaceCommand } from './replace.js';
import type { CommandEntry } from './types.js';

/** Commands on hooks and the order on them. */
export const hookCommands = [
  replaceCommand,
  {
    name: 'link update',
    summary: 'change in place how a program runs among others',
    about: [
      'Gives a member of an XDP chain another priority, or other verdicts upon which the next member runs. The chain is swapped as a whole: every packet meets the old one or the new one, and nothing is detached.',
      'Members that other tools put there stay as they are.',
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
        long: 'priority',
        value: { name: 'N', kind: 'text' },
        about: 'Lower ones run first: 0 to 2147483647.',
      },
      {
        long: 'proceed-on',
        value: { name: 'VERDICT,...', kind: 'text' },
        about: 'The verdicts upon which the next member runs: aborted, drop, pass, tx, redirect, or none.',
      },
    ],
    changes: true,
    exits: [
      { status: 3, about: 'Nothing of the kind is attached.' },
      { status: 5, about: 'The chain is one that netkit cannot change.' },
      { status: 6, about: 'It is attached to something else than a chain.' },
    ],
    examples: [
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
