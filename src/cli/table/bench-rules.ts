import {
  measuringExits,
  measuringOptions,
  method,
  programMissing,
  trafficOptions,
} from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What many rules cost. */
export const benchRules = {
  name: 'bench rules',
  summary: 'measure what many rules, or members of a set, cost',
  about: [
    "Sends a flood of packets that are dropped for their source address, which is one of 10 to 100,000 (with `--full`, to a million): by as many rules of iptables, one rule and an ipset, an interval set and a hash of nft, and netkit's firewall function. A list is gone through rule by rule, and its packets come from the address of the last; to sets and maps they come from many members in turn. Every size has a pair of namespaces of its own, as with `netkit bench drop`, and all is gone with the command.",
    'The figures are packets a second, what a packet costs the receiver, and how long the rules took to set up, which is timed once, or three times where it is quick. Before, packets from addresses that are listed have to end there, and those from others to come through. What cannot be set up, or takes too long, is left out and named.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'WAY,…', kind: 'text' },
      repeatable: true,
      about: 'Measure these ways alone: `iptables`, `ipset`, `nft-interval`, `nft-set`, `firewall`.',
    },
    {
      long: 'rules',
      value: { name: 'N', kind: 'count', min: 1, max: 1_000_000 },
      repeatable: true,
      about:
        'Measure with so many; without it 10, 100, 1,000, 10,000 and 100,000, and with `--full` 1,000,000. Lists end at 10,000, and at 100,000 where that is asked for.',
    },
    {
      long: 'sources',
      value: { name: 'N', kind: 'count', min: 1, max: 1_000_000 },
      default: 4096,
      about: 'Send from so many members of a set in turn, or from all where there are fewer.',
    },
    ...trafficOptions,
    ...measuringOptions,
  ],
  exits: [
    programMissing,
    ...measuringExits,
    { status: 6, about: 'This kernel is older than Linux 5.18, or no way can be set up.' },
  ],
  examples: [
    { command: 'sudo netkit bench rules --report rules.html', about: 'All ways, in five minutes.' },
    {
      command: 'sudo netkit bench rules --only nft-set,firewall --rules 10 --rules 1000000',
      about: 'The ends of two curves.',
    },
  ],
} as const satisfies CommandEntry;
