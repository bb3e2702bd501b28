import type { CommandEntry } from './types.js';

/** Taking over what another tool has loaded. */
export const adoptCommand = {
  name: 'adopt',
  summary: 'take over a program that another tool loaded',
  about: [
    "Makes a function of a program that is in the kernel already: the program, its maps and its links get pins in netkit's places, and from then on `list`, `net`, `map`, `detach`, `replace` and `unload` work on it like on any other. Nothing is loaded, detached or interrupted.",
    'What the other tool pinned stays pinned, unless `--take-pins` removes it. What it attached without a link (XDP over netlink, a tc filter) cannot be taken over: it stays as it is, and is named.',
    'There is no object file: so the function does not come back after a reboot, and what needs an object says so, until `netkit replace` has given it one.',
  ],
  arguments: [
    {
      name: 'reference',
      shown: 'REF',
      kind: 'program',
      required: true,
      about: 'The pin of a program or of its link, or a program as `id:N` or `name:TEXT`.',
    },
  ],
  options: [
    {
      long: 'name',
      value: { name: 'NAME', kind: 'text' },
      about: "The function's name; it has to be given.",
    },
    {
      long: 'take-pins',
      about: "Remove the other tool's pins of the program, its maps and its links, in the same bpffs.",
    },
  ],
  changes: true,
  exits: [
    { status: 3, about: 'There is no such program.' },
    { status: 5, about: "The name is taken, or the program is netkit's already." },
    { status: 6, about: 'The program is a member of a chain.' },
  ],
  examples: [
    {
      command: 'sudo netkit adopt /sys/fs/bpf/policer --name policer',
      about: 'Take over what is pinned there.',
    },
    { command: 'sudo netkit adopt id:42 --name policer --dry-run', about: 'See what would be taken over.' },
  ],
} as const satisfies CommandEntry;
