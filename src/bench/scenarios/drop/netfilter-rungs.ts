/** Rungs that are rules of netfilter, made with the tools that people make them with. */
import { NetkitError } from '../../../base/errors.js';
import { port } from '../../lab/sender.js';
import { udpCounts } from '../../lab/udp-counters.js';
import type { Rung, Stand } from './rung.js';

const iptables = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;

const drop = ['-p', 'udp', '--dport', `${port}`];

function iptablesRung(
  name: string,
  title: string,
  table: 'raw' | 'filter',
  chain: 'PREROUTING' | 'INPUT',
  rule: readonly string[],
): Rung {
  const words = ['-t', table, '-A', chain, ...rule, '-j', 'DROP'];
  return {
    name,
    title,
    tool: { name: 'iptables', versionArgs: ['-V'] },
    description: (family) => `${iptables[family]} ${words.join(' ')}`,
    setUp: (stand) => {
      const { place } = stand.wire.to;
      const tool = iptables[stand.family];
      stand.log.run(place, tool, words);
      const read = ['-t', table, '-vnxL', chain];
      return { count: () => counts(stand, dropsOf(stand.log.run(place, tool, read), tool)) };
    },
  };
}

/** Two lines of headings, then `packets bytes target …`. */
function dropsOf(listing: string, tool: string): number {
  const packets = /^\s*(\d+)\s+\d+\s+DROP\s/m.exec(listing)?.[1];
  if (packets === undefined) throw new NetkitError('tool-failed', `${tool} lists no rule that drops`);
  return Number(packets);
}

const nftRung: Rung = {
  name: 'nft-ingress',
  title: 'nft ingress',
  tool: { name: 'nft', versionArgs: ['--version'] },
  description: () => `nft rule «udp dport ${port} counter drop» at netdev ingress`,
  setUp: (stand) => {
    const { place, ifname } = stand.wire.to;
    const hook = `type filter hook ingress device ${ifname} priority 0;`;
    const table = `table netdev bench { chain ingress { ${hook} udp dport ${port} counter drop; }; }\n`;
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

function counts({ wire, family }: Stand, taken: number) {
  const { read, noListener, noRoom, refused } = udpCounts(wire.to.place.netns, family);
  return { taken, lost: 0, behind: read + noListener + noRoom + refused };
}

export const netfilterRungs: readonly Rung[] = [
  iptablesRung('iptables-conntrack', 'iptables INPUT, conntrack', 'filter', 'INPUT', [
    ...drop,
    '-m',
    'conntrack',
    '--ctstate',
    'NEW',
  ]),
  iptablesRung('iptables-input', 'iptables INPUT', 'filter', 'INPUT', drop),
  iptablesRung('iptables-raw', 'iptables raw', 'raw', 'PREROUTING', drop),
  nftRung,
];
