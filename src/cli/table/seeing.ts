import { netCommand } from './net.js';
import type { CommandEntry } from './types.js';
import { verifyCommand } from './verify.js';

const program =
  '`FUNCTION/PROGRAM`, `FUNCTION` when it has only one, `id:N`, `name:TEXT` or the path of a pin.';

const toFile = {
  long: 'output',
  short: 'o',
  value: { name: 'FILE', kind: 'file' },
  about: 'The file to write, instead of standard output.',
} as const;

/** Commands that show what runs where, and how. */
export const seeingCommands = [
  netCommand,
  {
    name: 'prog dump',
    summary: 'show the instructions of a program',
    about: [
      'Shows the instructions of a loaded program as the verifier left them, function by function, with the source lines that they were made from. Helpers, kernel functions, subprograms and maps are named; the number behind a jump is where it goes.',
      'With `--object` it reads a program of an object file instead, which needs no privileges.',
      '`--visual` makes a control-flow graph: as SVG it needs no other program and follows light and dark, DOT is for Graphviz.',
      '`--native` shows the machine code that the kernel made of it, through llvm.',
    ],
    arguments: [
      {
        name: 'reference',
        shown: 'REF',
        kind: 'program',
        required: false,
        about: `${program} With \`--object\`: the name of a program in it, which may be left out when it has only one.`,
      },
    ],
    options: [
      {
        long: 'object',
        value: { name: 'OBJ', kind: 'object' },
        conflicts: ['native'],
        about: 'An object file, or `builtin:NAME`, that need not be loaded.',
      },
      { long: 'native', about: 'Machine code instead of eBPF instructions.' },
      {
        long: 'visual',
        value: { name: 'FORMAT', kind: 'choice', choices: ['dot', 'svg'] },
        conflicts: ['native', 'opcodes'],
        about: 'A control-flow graph instead of a list.',
      },
      { long: 'opcodes', about: 'Show the bytes of each instruction too.' },
      { long: 'no-source', about: 'Leave the source lines out.' },
      toFile,
    ],
    exits: [
      { status: 4, about: 'The kernel does not show code to this user, or hides its addresses.' },
      { status: 6, about: '`--native` of a program that the kernel interprets.' },
    ],
    examples: [
      { command: 'netkit prog dump fw/firewall', about: 'Show the instructions of a loaded program.' },
      {
        command: 'netkit prog dump --object builtin:firewall --visual svg -o firewall.svg',
        about: 'Draw the control flow of a program that is not loaded.',
      },
      { command: 'netkit prog dump id:42 --native', about: 'Show the machine code of any program.' },
    ],
  },
  {
    name: 'prog profile',
    summary: 'measure how long a program takes',
    about: [
      'Watches a program for some seconds on whatever it is attached to, and shows how often it ran and how long a run took. What measuring costs is found with an empty program just before, and taken off.',
      'Of four ways it takes the first that works here, and says which: `counters` reads the hardware counters of the machine at entry and exit, `fentry` the clock, `statistics` are sums that the kernel makes for all programs, and `test-run` runs the program on a packet, away from any traffic. For the first two the program needs BTF and the kernel must let programs be attached to programs.',
      'With `--hex` or `--pcap` it is a test run on that packet. Maps are real: counters count.',
    ],
    arguments: [
      {
        name: 'reference',
        shown: 'REF',
        kind: 'program',
        required: true,
        about: program,
      },
    ],
    options: [
      {
        long: 'seconds',
        value: { name: 'N', kind: 'seconds', min: 0.1, max: 86_400 },
        default: 3,
        about: 'How long to watch.',
      },
      {
        long: 'tier',
        value: {
          name: 'TIER',
          kind: 'choice',
          choices: ['counters', 'fentry', 'statistics', 'test-run'],
        },
        about: 'Measure in this way, or fail.',
      },
      {
        long: 'hex',
        value: { name: 'HEX', kind: 'text' },
        conflicts: ['pcap'],
        about: 'The packet for a test run, from its Ethernet header on.',
      },
      {
        long: 'pcap',
        value: { name: 'FILE', kind: 'pcap' },
        about: 'Its first packet is the one for a test run.',
      },
    ],
    exits: [
      { status: 4, about: 'This user may not measure so.' },
      { status: 6, about: 'The way asked for, or every way, does not work here.' },
    ],
    examples: [
      { command: 'netkit prog profile fw/firewall', about: 'Measure a program on the traffic that it sees.' },
      {
        command: 'netkit prog profile fw/firewall --tier test-run --seconds 1',
        about: 'Measure it on a small UDP packet, without traffic.',
      },
    ],
  },
  {
    name: 'trace',
    summary: 'print what programs write, line by line',
    about: [
      'Prints what programs write with `bpf_printk()` as it comes, until Ctrl-C, `--count` or `--for`. All programs write into one pipe of the kernel: a line has the task that was running, not the program. One process can read the pipe at a time, and lines that are printed here are gone for others.',
      'With REF it prints the BPF streams of that program, or of all programs of a function: what it writes to its standard output and error, and what the kernel says of its faults. Streams came with Linux 6.17.',
      'With `--json` each line is one JSON document on a line. tracefs has to be mounted; netkit finds it wherever that is.',
    ],
    arguments: [
      {
        name: 'reference',
        shown: 'REF',
        kind: 'program',
        required: false,
        about:
          '`FUNCTION`, `FUNCTION/PROGRAM`, `id:N`, `name:TEXT` or the path of a pin: print streams instead of the pipe.',
      },
    ],
    options: [
      {
        long: 'task',
        value: { name: 'NAME|PID', kind: 'text' },
        about: 'Of the pipe: only lines of this task.',
      },
      {
        long: 'match',
        value: { name: 'TEXT', kind: 'text' },
        about: 'Only lines with this text in them.',
      },
      { long: 'events', about: 'Of the pipe: also lines of trace events that somebody switched on.' },
      { long: 'count', value: { name: 'N', kind: 'count', min: 1 }, about: 'End after N lines.' },
      {
        long: 'for',
        value: { name: 'SECONDS', kind: 'seconds', max: 2_000_000 },
        about: 'End after this time.',
      },
    ],
    exits: [
      { status: 3, about: 'tracefs is not mounted, or there is no such program.' },
      { status: 5, about: 'Another process reads the trace pipe: it is named.' },
      { status: 6, about: 'This kernel has no BPF streams.' },
      { status: 130, about: 'Ctrl-C ended it, as is usual without `--count` and `--for`.' },
    ],
    examples: [
      { command: 'netkit trace', about: 'Print what programs write.' },
      { command: 'netkit trace --task curl --match drop', about: 'Print some of it.' },
      { command: 'netkit trace fw/firewall --json', about: 'Print the streams of a program.' },
    ],
  },
  {
    name: 'btf list',
    summary: 'list the types that the kernel keeps',
    about: [
      'Lists the BTF in the kernel: its own, that of its modules, and that of programs and maps, with those that use it.',
    ],
    arguments: [],
    options: [],
    examples: [{ command: 'netkit btf list', about: 'List all BTF in the kernel.' }],
  },
  {
    name: 'btf dump',
    summary: 'show types, in C or as they are stored',
    about: [
      'Shows the types of a program, a map, an object file, the kernel or one of its modules: as a C header that compiles, or with `--raw` record by record with ids, as `bpftool btf dump` does. Functions and variables are in the raw form only.',
      'With `--type` it shows types of that name: in C with all that they need, raw alone.',
    ],
    arguments: [
      {
        name: 'source',
        shown: 'REF|FILE',
        kind: 'object',
        required: true,
        about:
          '`vmlinux`, `module:NAME`, `id:N` of `netkit btf list`, a function, program or map as `FUNCTION` or `FUNCTION/NAME` or the path of a pin, an object file, or a file of BTF alone.',
      },
    ],
    options: [
      { long: 'c', about: 'A C header, as without `--raw`.', conflicts: ['raw'] },
      { long: 'raw', about: 'Record by record.' },
      {
        long: 'type',
        value: { name: 'NAME', kind: 'text' },
        repeatable: true,
        about: "Only types of this name; `'struct NAME'` leaves others of that name out.",
      },
      toFile,
    ],
    exits: [
      { status: 3, about: 'There is no such program, map or file, or no type of that name in it.' },
      { status: 6, about: 'It was loaded without types, or the kernel does not show its own.' },
    ],
    examples: [
      { command: 'netkit btf dump fw', about: 'Show the types of the function fw in C.' },
      { command: "netkit btf dump vmlinux --type 'struct sk_buff'", about: 'Show one type of the kernel.' },
      { command: 'netkit btf dump fw.bpf.o --raw', about: 'Show the records of an object file.' },
    ],
  },
  verifyCommand,
] as const satisfies readonly CommandEntry[];
