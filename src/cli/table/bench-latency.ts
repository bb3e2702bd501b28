import { measuringExits, measuringOptions, method, programMissing } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** How long a round trip is under load. */
export const benchLatency = {
  name: 'bench latency',
  summary: 'measure how long a round trip is under load',
  about: [
    'Sends UDP requests from one network namespace to a server in another, through nothing, a program in native XDP, on tcx, in a tc filter, rules of iptables and of nft, each of which counts them and lets them pass. First it looks for the load that the slowest of them carries; at 10, 50, 70 and 90 % of that each is measured. Before, each has to answer, and to count every request.',
    'Requests are sent at times that are fixed before, whatever becomes of the ones before them (an open loop), and a round trip begins when its request was to be sent: a server that stalls is seen by all who came meanwhile. How late the client itself was is in the report, and a sample of which that is a large part does not count. Client and server have a CPU each, so two are needed.',
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'HOOK,…', kind: 'text' },
      repeatable: true,
      about:
        'Measure these alone: `nothing`, `xdp`, `tcx`, `tc`, `iptables`, `nft`. The first is what the others are compared with.',
    },
    {
      long: 'load',
      value: { name: 'REQUESTS', kind: 'count', min: 100, max: 10_000_000 },
      about:
        'Take so many requests a second for 100 % of the load, without looking for what the slowest carries: for runs that are to be compared.',
    },
    {
      long: 'rules',
      value: { name: 'N', kind: 'count', min: 0, max: 10_000 },
      default: 20,
      about:
        'Have so many rules of iptables and nft that a request does not match before the one that it does.',
    },
    {
      long: 'request-size',
      value: { name: 'BYTES', kind: 'count', min: 8, max: 1400 },
      default: 64,
      about: 'Send so many bytes in a request, and as many in its answer, without headers.',
    },
    {
      long: 'spacing',
      value: { name: 'SPACING', kind: 'choice', choices: ['poisson', 'even'] },
      default: 'poisson',
      about: 'Send at random, as from many users, or evenly spaced.',
    },
    {
      long: 'family',
      value: { name: 'FAMILY', kind: 'choice', choices: ['ipv4', 'ipv6'] },
      default: 'ipv4',
      about: 'Send packets of this family.',
    },
    ...measuringOptions,
  ],
  exits: [
    programMissing,
    ...measuringExits,
    {
      status: 6,
      about:
        'There is one CPU alone, this kernel is older than Linux 5.12, or its threads are not to be seen, as in containers without `--pid=host`.',
    },
  ],
  examples: [
    {
      command: 'sudo netkit bench latency --report latency.html',
      about: 'Five minutes, and a page with latency against load and percentiles.',
    },
    {
      command: 'sudo netkit bench latency --only nothing,iptables,nft --rules 500',
      about: 'What five hundred rules add to a round trip.',
    },
    {
      command: 'sudo netkit bench latency --load 50000 --report latency.json',
      about: 'At the same loads each time, for `netkit bench compare`.',
    },
  ],
} as const satisfies CommandEntry;
