import type { CommandEntry } from './types.js';

const anyProgram = {
  name: 'reference',
  shown: 'REF',
  kind: 'program',
  required: true,
  about: '`FUNCTION/PROGRAM`, `FUNCTION` when it has only one, `id:N`, `name:TEXT` or the path of a pin.',
} as const;

const anyLink = {
  name: 'reference',
  shown: 'REF',
  kind: 'link',
  required: true,
  about: '`FUNCTION/LINK`, `id:N` or the path of a pin.',
} as const;

const ofFunction = {
  name: 'function',
  kind: 'function',
  required: false,
  about: 'Only those of this function.',
} as const;

/** Commands on programs and links. */
export const programCommands = [
  {
    name: 'prog list',
    summary: 'list programs',
    about: ["Lists the programs of netkit's functions, or every program that the kernel has."],
    arguments: [ofFunction],
    options: [{ long: 'all', about: 'Every program in the kernel, whoever loaded it.' }],
    examples: [{ command: 'netkit prog list --all', about: 'List all programs in the kernel.' }],
  },
  {
    name: 'prog show',
    summary: 'show one program',
    about: ['Shows what the kernel knows of a program.'],
    arguments: [anyProgram],
    options: [],
    examples: [
      { command: 'netkit prog show fw/firewall', about: 'Show a program of the function fw.' },
      { command: 'netkit prog show id:42', about: 'Show a program that any tool loaded.' },
    ],
  },
  {
    name: 'prog run',
    summary: 'run a program on test packets',
    about: [
      'Runs a program in the kernel on packets given here, away from any interface, and shows the verdict, the packet that comes out, and the nanoseconds that one run took. Maps are real: counters count.',
      'With `--repeat` each run sees the packet as the run before left it.',
    ],
    arguments: [anyProgram],
    options: [
      {
        long: 'hex',
        value: { name: 'HEX', kind: 'text' },
        repeatable: true,
        conflicts: ['pcap'],
        about:
          'A packet in hexadecimal, from its Ethernet header on; spaces and colons may stand between the digits.',
      },
      {
        long: 'pcap',
        value: { name: 'FILE', kind: 'pcap' },
        about: 'Take the packets from a pcap or pcapng file.',
      },
      {
        long: 'limit',
        value: { name: 'N', kind: 'count', min: 1, max: 1_000_000 },
        about: 'At most so many packets of the file.',
      },
      {
        long: 'repeat',
        value: { name: 'N', kind: 'count', min: 1, max: 1_000_000_000 },
        default: 1,
        about: 'Run that often on each packet; the time shown is the mean.',
      },
      {
        long: 'out',
        value: { name: 'FILE', kind: 'pcap' },
        about: 'Write the packets, as the program left them, to a pcap file.',
      },
      {
        long: 'context',
        value: { name: 'HEX', kind: 'text' },
        conflicts: ['hex', 'pcap', 'out'],
        about:
          'For programs of type syscall, which take no packet: what their argument points to, in hexadecimal. Without it they run with none.',
      },
    ],
    exits: [
      {
        status: 2,
        about: 'There is no packet, or one is not what it should be: too short, odd digits, no capture file.',
      },
      { status: 6, about: 'Programs of that type cannot be run so.' },
    ],
    examples: [
      {
        command: 'netkit prog run fw/firewall --pcap ping.pcap',
        about: 'Show the verdict on each packet of a file.',
      },
      {
        command: 'netkit prog run fw/firewall --hex ffffffffffff0200000000010806 --repeat 1000000',
        about: 'Measure the time on one packet.',
      },
      {
        command: 'netkit prog run setup/prepare --context 0a000000',
        about: 'Run a program of type syscall, with four bytes.',
      },
    ],
  },
  {
    name: 'link list',
    summary: 'list links: what is attached where',
    about: ["Lists the attachments of netkit's functions, or every link that the kernel has."],
    arguments: [ofFunction],
    options: [{ long: 'all', about: 'Every link in the kernel, whoever made it.' }],
    examples: [{ command: 'netkit link list fw', about: 'List where fw is attached.' }],
  },
  {
    name: 'link show',
    summary: 'show one link',
    about: ['Shows what the kernel knows of a link.'],
    arguments: [anyLink],
    options: [],
    examples: [{ command: 'netkit link show id:7', about: 'Show a link by its id.' }],
  },
] as const satisfies readonly CommandEntry[];
