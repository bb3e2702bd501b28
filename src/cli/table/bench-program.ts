import { measuringExits, measuringOptions, method } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What a program costs. */
export const benchProgram = {
  name: 'bench program',
  summary: 'measure what a run of a program costs',
  about: [
    'Loads a program of an object file, looks at its verdict on each packet, and measures the nanoseconds that a run takes, beside an empty program of the same type. With `--against` it is compared with another program, such as its last release: first whether both give the same verdict and the same bytes on every packet, without which nothing is timed, then which is faster.',
    'The runs are test runs of the kernel, away from any interface: caches are warm, and what a network card costs is not in them. Maps are real and new. A program that changes packets is given each one anew. The report has instructions, size of the native code and maps of each.',
    method,
  ],
  arguments: [
    {
      name: 'object',
      shown: 'OBJ[/PROG]',
      kind: 'object',
      required: true,
      about:
        'The object file, or `builtin:NAME`; behind a slash the program, where more than one runs on packets.',
    },
  ],
  options: [
    {
      long: 'against',
      value: { name: 'OBJ[/PROG]', kind: 'object' },
      about: 'Compare with this program.',
    },
    {
      long: 'hex',
      value: { name: 'HEX', kind: 'text' },
      repeatable: true,
      conflicts: ['pcap'],
      about:
        'Run on this packet, in hexadecimal from its Ethernet header on. Without packets it is one of IPv4 and UDP, of 64 bytes.',
    },
    {
      long: 'pcap',
      value: { name: 'FILE', kind: 'pcap' },
      about: 'Run on the packets of a pcap or pcapng file; the time is the mean over them.',
    },
    {
      long: 'limit',
      value: { name: 'N', kind: 'count', min: 1, max: 10_000 },
      default: 100,
      about: 'At most so many packets of the file.',
    },
    ...measuringOptions,
  ],
  exits: [
    {
      status: 2,
      about: 'The object has several programs and none is named, or a packet is not what it should be.',
    },
    ...measuringExits,
    { status: 6, about: 'Programs of that type do not run on packets.' },
    { status: 7, about: 'The verifier refuses the program.' },
  ],
  examples: [
    {
      command: 'sudo netkit bench program fw.bpf.o/firewall --quick',
      about: 'What a packet costs, in a minute.',
    },
    {
      command: 'sudo netkit bench program new.bpf.o --against old.bpf.o --pcap traffic.pcap',
      about: 'Whether the new release is slower, on packets of your own.',
    },
    {
      command: 'sudo netkit bench program builtin:firewall --report firewall.json',
      about: 'For `netkit bench compare`, later.',
    },
  ],
} as const satisfies CommandEntry;
