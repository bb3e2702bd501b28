import { featureSections } from '../feature-sections.js';
import type { CommandEntry } from './types.js';

/** Commands on what this kernel offers and whether an object can run on it. */
export const featureCommands = [
  {
    name: 'feature',
    summary: 'show what this kernel and the drivers of its interfaces offer',
    about: [
      `Tries what the kernel offers, and says of each thing whether it is there and which Linux version brought it. The sections are ${featureSections.map((name) => `\`${name}\``).join(', ')}; without one all are shown, helpers and kfuncs as a summary. Any other word is the name of an interface: alone it shows that interface only.`,
      'Trying loads programs of a few instructions and makes small maps, which are gone again at once; nothing is attached and nothing stays. What this user may not ask is unknown, not missing, and the capability that it takes is named. Of drivers the kernel tells since Linux 6.3.',
      'Three helpers, bpf_trace_printk, bpf_trace_vprintk and bpf_probe_write_user, are tried with `--full` only: their mere mention writes to the log of the kernel or switches a trace event on.',
    ],
    arguments: [
      {
        name: 'words',
        shown: 'SECTION|IFNAME',
        kind: 'interface',
        required: false,
        variadic: true,
        about: `What to show: ${featureSections.join(', ')}, or an interface.`,
      },
    ],
    options: [
      {
        long: 'full',
        about:
          'Show every helper with the program types that may call it and every kfunc, and try all helpers.',
      },
    ],
    exits: [{ status: 3, about: 'There is no such interface.' }],
    examples: [
      { command: 'sudo netkit feature', about: 'Everything in short.' },
      { command: 'sudo netkit feature helpers', about: 'Each helper, and which programs may call it.' },
      { command: 'netkit feature eth0', about: "What the interface's driver can do with XDP." },
      { command: 'sudo netkit feature programs maps --json', about: 'Two sections, for a script.' },
    ],
  },
] as const satisfies readonly CommandEntry[];
