import { measuringExits, measuringOptions, method, programMissing } from './bench-measuring.js';
import type { CommandEntry } from './types.js';

/** What a proxy costs. */
export const benchSockmap = {
  name: 'bench sockmap',
  summary: 'measure TCP through a proxy, copied and redirected',
  about: [
    'Sends requests and streams over TCP through a proxy in a network namespace of its own: one that reads and writes every byte, one whose sockets are joined by sk_skb programs of a sockmap, one past which sk_msg programs hand bytes from the client to the server, and none. Before, 2 MiB in pieces of many sizes have to go through each and come back as they were, and where bytes are redirected the proxy must have read none of them.',
    "The figures are the round trip of a request and the time that a chunk of a stream takes, both at half of what the slowest carries and from when each was to be sent (an open loop); how fast a stream is; and the CPU time that a MiB of it takes, in the proxy and in all. Where iperf3 is installed its figure for a stream without a proxy is beside netkit's own.",
    method,
  ],
  arguments: [],
  options: [
    {
      long: 'only',
      value: { name: 'PATH,…', kind: 'text' },
      repeatable: true,
      about:
        'Measure these alone: `copy`, `sk-skb`, `sk-msg`, `direct`. The first is what the others are compared with.',
    },
    {
      long: 'request-size',
      value: { name: 'BYTES', kind: 'count', min: 1, max: 16_384 },
      default: 64,
      about: 'Send so many bytes in a request, and as many in its answer.',
    },
    {
      long: 'chunk-size',
      value: { name: 'BYTES', kind: 'count', min: 1024, max: 1_048_576 },
      default: 65_536,
      about: 'Send streams in chunks of so many bytes, each of which is answered.',
    },
    {
      long: 'family',
      value: { name: 'FAMILY', kind: 'choice', choices: ['ipv4', 'ipv6'] },
      default: 'ipv4',
      about: 'Use TCP over this family.',
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
    { command: 'sudo netkit bench sockmap --quick', about: 'All paths in a minute.' },
    {
      command: 'sudo netkit bench sockmap --only copy,sk-skb --request-size 1000',
      about: 'What redirection saves a proxy, with larger requests.',
    },
  ],
} as const satisfies CommandEntry;
