import { benchChain } from './bench-chain.js';
import { benchCli } from './bench-cli.js';
import { benchCompare } from './bench-compare.js';
import { benchLatency } from './bench-latency.js';
import { benchMaps } from './bench-maps.js';
import {
  measuringExits,
  measuringOptions,
  method,
  programMissing,
  trafficOptions,
} from './bench-measuring.js';
import { benchProbes } from './bench-probes.js';
import { benchProgram } from './bench-program.js';
import { benchRules } from './bench-rules.js';
import { benchSockmap } from './bench-sockmap.js';
import { benchUpgrade } from './bench-upgrade.js';
import type { CommandEntry } from './types.js';

const drop = {
  name: 'bench drop',
  summary: 'measure how fast each way drops a flood of packets',
  about: [
    'Measures the ladder: a socket that is read, no listener, a socket filter, iptables INPUT with and without connection tracking, iptables raw, nft at ingress, tc, tcx, generic XDP, native XDP. Each rung has a pair of namespaces of its own, joined by a veth pair; packets come as XDP live frames from one CPU, and are taken by a NAPI thread on another. All of it is gone with the command, however that ends, and nothing else on the machine is touched.',
    'A rung at which the sender and not the receiver set the pace is invalid, and the report says «at least». What a packet costs the receiver is shown beside, and holds there too. A rung whose tool or kernel feature is missing is left out and named.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'RUNG,…', kind: 'text' },
      repeatable: true,
      about:
        'Measure these rungs alone: `socket`, `no-listener`, `socket-filter`, `iptables-conntrack`, `iptables-input`, `iptables-raw`, `nft-ingress`, `tc`, `tcx`, `xdp-generic`, `xdp-native`.',
    },
    ...trafficOptions,
    {
      long: 'pcap',
      value: { name: 'FILE', kind: 'pcap' },
      conflicts: ['packet-size', 'flows', 'family'],
      about:
        'Send the packets of a pcap or pcapng file, in turn, instead of made-up ones, and drop all of them, whatever they are. Rungs that cannot get or count each of them are left out and named.',
    },
    {
      long: 'limit',
      value: { name: 'N', kind: 'count', min: 1, max: 10_000 },
      default: 1000,
      about: 'At most so many packets of the file.',
    },
    ...measuringOptions,
  ],
  exits: [
    { status: 2, about: 'There is no such rung, or the file is no capture of Ethernet packets.' },
    programMissing,
    ...measuringExits,
    { status: 6, about: 'This kernel is older than Linux 5.18, or no rung can be set up.' },
  ],
  examples: [
    { command: 'sudo netkit bench drop --quick', about: 'The whole ladder in a minute.' },
    {
      command: 'sudo netkit bench drop --report drop.html --report drop.json',
      about: 'Five minutes, a page to read and a file to compare with later.',
    },
    {
      command: 'sudo netkit bench drop --only tc,xdp-native --flows 4096',
      about: 'Two rungs, and packets of many flows.',
    },
    {
      command: 'sudo netkit bench drop --pcap traffic.pcap --report traffic.html',
      about: 'Packets of your own.',
    },
  ],
} as const satisfies CommandEntry;

const render = {
  name: 'bench render',
  summary: 'show what was measured, or write another report of it',
  about: [
    'Reads what `netkit bench SCENARIO --report FILE.json` wrote and shows it as the run did. With `--report` it writes reports instead: the same files, byte for byte, as the run would have written. It reads reports in HTML too, which have everything inside.',
    'Nothing is measured, and no rights are needed.',
  ],
  arguments: [
    {
      name: 'file',
      shown: 'REPORT',
      kind: 'file',
      required: true,
      about: 'A report in JSON or HTML.',
    },
  ],
  options: [
    {
      long: 'report',
      value: { name: 'FILE', kind: 'file' },
      repeatable: true,
      about:
        'Write a report: `.html` (one file that needs no network), `.json`, `.csv` (a line for each sample) or `.md`, by the ending of its name.',
    },
  ],
  exits: [
    {
      status: 1,
      about: 'It is no report, cut off, or written by a newer netkit: the message says where.',
    },
  ],
  examples: [
    { command: 'netkit bench render drop.json', about: 'Show it once more.' },
    {
      command: 'netkit bench render drop.json --report drop.html --report drop.md',
      about: 'A page to read, and text for a pull request.',
    },
    {
      command: 'netkit bench render drop.html --report drop.csv',
      about: 'The samples of a report that somebody sent.',
    },
  ],
} as const satisfies CommandEntry;

/** Commands that measure, and those that show and compare what was measured. */
export const benchCommands = [
  drop,
  benchProgram,
  benchLatency,
  benchMaps,
  benchChain,
  benchRules,
  benchSockmap,
  benchUpgrade,
  benchProbes,
  benchCli,
  benchCompare,
  render,
] as const satisfies readonly CommandEntry[];
