/** Rungs that are rules of netfilter, made with the tools that people make them with. */
import { NetkitError } from '../../../base/errors.js';
import { isWholeIpv4, mayBeJoined } from '../../lab/captured.js';
import { iptables, packetsDropped } from '../../lab/iptables.js';
import { port } from '../../lab/sender.js';
import { ipCounts } from '../../lab/udp-counters.js';
import { arrived } from './arrived.js';
import type { Counts, Rung, RungPackets, Stand } from './rung.js';

const drop = ['-p', 'udp', '--dport', `${port}`];

function iptablesRung(
  { name, title, unfit }: Pick<Rung, 'name' | 'title' | 'unfit'>,
  table: 'raw' | 'filter',
  chain: 'PREROUTING' | 'INPUT',
  rule: readonly string[],
): Rung {
  const wordsFor = ({ captured }: RungPackets): string[] => [
    ...['-t', table, '-A', chain],
    ...(captured === undefined ? rule : []),
    ...['-j', 'DROP'],
  ];
  return {
    name,
    title,
    tool: { name: 'iptables', versionArgs: ['-V'] },
    ...(unfit === undefined ? {} : { unfit }),
    description: (packets) => `${iptables[packets.family]} ${wordsFor(packets).join(' ')}`,
    setUp: (stand) => {
      const { place } = stand.wire.to;
      const tool = iptables[stand.family];
      stand.log.run(place, tool, wordsFor(stand));
      const read = ['-t', table, '-vnxL', chain];
      return {
        count: () => {
          // Of a capture, what comes up to IP and does not end here would go on to others. Read first: the rule sees it later.
          const cameUp = stand.captured === undefined ? undefined : ipCounts(place.netns).received;
          const taken = packetsDropped(stand.log.run(place, tool, read), tool);
          if (cameUp === undefined) return counts(stand, taken);
          return { taken, lost: 0, behind: Math.max(0, cameUp - taken) };
        },
      };
    },
  };
}

const joined =
  'the capture has packets that GRO may join, such as those of TCP, and a rule counts those joined as one';

const notInInput = (): string => 'packets of a capture that are not for the receiver do not come to INPUT';

const nftRung: Rung = {
  name: 'nft-ingress',
  title: 'nft ingress',
  tool: { name: 'nft', versionArgs: ['--version'] },
  unfit: ({ packets }) => (packets.some(mayBeJoined) ? joined : undefined),
  description: (packets) => `nft rule «${nftRule(packets)}» at netdev ingress`,
  setUp: (stand) => {
    const { place, ifname } = stand.wire.to;
    const hook = `type filter hook ingress device ${ifname} priority 0;`;
    const table = `table netdev bench { chain ingress { ${hook} ${nftRule(stand)}; }; }\n`;
    stand.log.run(place, 'nft', ['-f', '-'], table);
    return {
      count: () => {
        const listing = stand.log.run(place, 'nft', ['list', 'table', 'netdev', 'bench']);
        const packets = /counter packets (\d+)/.exec(listing)?.[1];
        if (packets === undefined) throw new NetkitError('tool-failed', 'nft lists no counter');
        return counts(stand, Number(packets));
      },
    };
  },
};

function nftRule({ captured }: RungPackets): string {
  return `${captured === undefined ? `udp dport ${port} ` : ''}counter drop`;
}

function counts(stand: Stand, taken: number): Counts {
  return { ...arrived(stand), taken };
}

export const netfilterRungs: readonly Rung[] = [
  iptablesRung(
    { name: 'iptables-conntrack', title: 'iptables INPUT, conntrack', unfit: notInInput },
    'filter',
    'INPUT',
    [...drop, '-m', 'conntrack', '--ctstate', 'NEW'],
  ),
  iptablesRung(
    { name: 'iptables-input', title: 'iptables INPUT', unfit: notInInput },
    'filter',
    'INPUT',
    drop,
  ),
  iptablesRung(
    {
      name: 'iptables-raw',
      title: 'iptables raw',
      unfit: ({ packets }) => {
        if (!packets.every(isWholeIpv4))
          return 'the capture has other packets than whole ones of IPv4, which do not come to a rule of iptables';
        return packets.some(mayBeJoined) ? joined : undefined;
      },
    },
    'raw',
    'PREROUTING',
    drop,
  ),
  nftRung,
];
