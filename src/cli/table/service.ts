import type { CommandEntry, OptionEntry } from './types.js';

const unitDir = {
  long: 'unit-dir',
  value: { name: 'DIR', kind: 'folder' },
  default: '/etc/systemd/system',
  about: 'The folder of units, such as one of an image that is being made.',
} as const satisfies OptionEntry;

/** netkit as a service. */
export const serviceCommands = [
  {
    name: 'service install',
    summary: 'write units that bring functions back at boot',
    about: [
      'Writes two units and enables them. `netkit-reconcile.service` brings back what is recorded, before the network comes up. `netkit-watch.service` runs `netkit reconcile --watch`: it attaches to interfaces that appear later, come back, or match a pattern; when it is stopped, also by a shutdown, `netkit snapshot` keeps the contents of maps marked `keep`.',
      'The units name Node and netkit by their paths of now, and `--state-dir` and `--bpffs` where they are given: install again after moving one of them. Doing it twice changes nothing. Changes of your own belong into drop-ins (`systemctl edit netkit-watch`). Files of these names that netkit did not write are left as they are.',
      'Where systemd does not run, such as in an image that is being made, the files are written all the same.',
    ],
    arguments: [],
    options: [
      unitDir,
      { long: 'now', about: 'Start both as well, or start them anew where they were changed.' },
    ],
    changes: true,
    exits: [
      { status: 1, about: 'systemd refused; the files are written.' },
      {
        status: 4,
        about: 'The folder may not be written, or others could write the program that root would run.',
      },
      { status: 5, about: "A file of such a name is somebody else's." },
      { status: 6, about: '`--now`: systemd does not run here.' },
    ],
    examples: [
      { command: 'sudo netkit service install --now', about: 'From now on, and after each boot.' },
      {
        command: 'sudo netkit service install --unit-dir /mnt/image/etc/systemd/system',
        about: 'Into an image.',
      },
    ],
  },
  {
    name: 'service uninstall',
    summary: 'remove the units again',
    about: [
      'Removes the units that `service install` wrote, and the links that enable them. Functions stay as they are, and drop-ins of your own do too.',
      'Without `--now` a watch that runs goes on until it is stopped.',
    ],
    arguments: [],
    options: [unitDir, { long: 'now', about: 'Stop both before.' }],
    changes: true,
    removes: true,
    exits: [
      { status: 3, about: 'There are no such units.' },
      { status: 4, about: 'The folder may not be written.' },
      { status: 5, about: "What has these names is somebody else's." },
      { status: 6, about: '`--now`: systemd does not run here.' },
    ],
    examples: [{ command: 'sudo netkit service uninstall --now', about: 'Stop and remove them.' }],
  },
  {
    name: 'service show',
    summary: 'print the units, and whether they are installed',
    about: ['Prints what `service install` would write, and what is there. Needs no privileges.'],
    arguments: [],
    options: [unitDir],
    examples: [{ command: 'netkit service show', about: 'Both units.' }],
  },
] as const satisfies readonly CommandEntry[];
