import type { CommandEntry } from './types.js';

/** The way of a packet. */
export const netCommand = {
  name: 'net',
  summary: 'show what packets meet, in order: every hook, with owners',
  about: [
    'Shows every eBPF program that packets of an interface meet, in the order in which they meet it: XDP and the members of its chain, tcx, tc filters, then what is behind every interface: the flow dissector, netfilter, socket lookups, cgroups; and the same on the way out. Without an interface, all interfaces of the network namespace that have any.',
    "Of each it tells the program, its priority where the hook has them, and whose it is: a function of netkit's, libxdp, the pin of another tool, or a process that holds it. Runs are counted only while the kernel keeps BPF statistics (`sysctl kernel.bpf_stats_enabled=1`).",
    'It changes nothing. The kernel does not tell which network namespace a netfilter link of another tool is in: such are shown and marked.',
  ],
  arguments: [
    { name: 'target', shown: 'IFNAME', kind: 'interface', required: false, about: 'The interface.' },
  ],
  options: [],
  exits: [
    { status: 3, about: 'There is no such interface.' },
    { status: 4, about: 'This user may not open programs by their ids.' },
  ],
  examples: [
    { command: 'sudo netkit net eth0', about: 'What packets of eth0 meet.' },
    {
      command: 'sudo netkit net --netns blue --json | jq ".interfaces[].receive[].owner"',
      about: 'Whose the programs of a namespace are, for a script.',
    },
  ],
} as const satisfies CommandEntry;
