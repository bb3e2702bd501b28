import type { CommandEntry } from './types.js';

/** The emergency. */
export const offCommand = {
  name: 'off',
  summary: "emergency: take netkit's programs off an interface",
  about: [
    'Detaches whatever of netkit is on the interface, at once: by what the kernel and the pins say alone, without reading its state, waiting for its lock, or asking for a configuration. So it works where state is damaged, and while another command hangs.',
    "With `--all` it detaches everything that netkit attached, on every interface of every network namespace that it finds, and on cgroups, probes and the rest. Other tools' programs stay.",
    'Functions stay loaded, with their maps: `netkit attach` puts them back, `netkit detach` forgets where they were, `netkit unload` removes them.',
  ],
  arguments: [
    { name: 'target', shown: 'IFNAME', kind: 'interface', required: false, about: 'The interface.' },
  ],
  options: [{ long: 'all', about: 'Take off everything that netkit attached, wherever it is.' }],
  changes: true,
  asks: 'with `--all`',
  exits: [
    { status: 1, about: 'Something could not be taken off; the rest was.' },
    { status: 3, about: 'There is no such interface.' },
    { status: 4, about: 'This user may not open links and programs by their ids.' },
  ],
  examples: [
    { command: 'sudo netkit off eth0', about: 'Let packets of eth0 pass netkit by.' },
    { command: 'sudo netkit off --all --yes', about: 'Take everything off, without being asked.' },
  ],
} as const satisfies CommandEntry;
