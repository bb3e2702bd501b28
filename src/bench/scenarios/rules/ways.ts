/** The ways to drop what comes from a list of addresses, each where it is fastest. */
import { viewOf } from '../../../base/raw-bytes.js';
import { builtinObject } from '../../../cnf/builtin-object.js';
import { xdp } from '../../../ebpf/attach/index.js';
import { load } from '../../../ebpf/load.js';
import type { BpfMap } from '../../../ebpf/map.js';
import { runInside } from '../../../host/command-inside.js';
import { ObjectSpec } from '../../../obj/spec.js';
import { iptables } from '../../lab/iptables.js';
import type { Family } from '../../lab/packet.js';
import { arrived } from '../drop/arrived.js';
import type { Rung, Sink, Stand } from '../drop/rung.js';
import { netfilterSink, rulePackets } from './netfilter-sink.js';
import { ipsetRule, ipsetText, iptablesText, nftCounter, nftText, shortened } from './texts.js';

export interface RulesWay extends Pick<Rung, 'tool'> {
  readonly name: string;
  /** The curve. */
  readonly title: string;
  readonly description: (family: Family, count: number) => string;
  /** Programs without which it cannot be set up. */
  readonly needs: (family: Family) => readonly string[];
  /** Sizes beyond this are left out unless they are asked for, and beyond ten times this always. */
  readonly most?: { readonly count: number; readonly why: string };
  /** Whether a packet passes all rules before its own. */
  readonly isList: boolean;
  setUp(stand: Stand, addresses: readonly string[]): SetUp;
}

export interface SetUp {
  /** What making the rules took, from a list of addresses as text until packets meet them. */
  readonly seconds: number;
  readonly sink: Sink;
}

/** Gives a tool its rules in one go. */
function restore({ wire, log }: Stand, file: string, args: readonly string[], text: string): number {
  const { place } = wire.to;
  log.note(place.title, [file, ...args].join(' '), shortened(text));
  return seconds(() => runInside(place.netns, file, args, text));
}

function seconds(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

const restorer = { ipv4: 'iptables-restore', ipv6: 'ip6tables-restore' } as const;

const iptablesRules: RulesWay = {
  name: 'iptables',
  title: 'iptables rules',
  description: (family, count) =>
    `${count} rules of ${iptables[family]} in PREROUTING of the table raw, one for each address; packets come from that of the last`,
  tool: { name: 'iptables', versionArgs: ['-V'] },
  needs: (family) => [iptables[family], restorer[family]],
  most: { count: 10_000, why: 'a packet takes a millisecond to get through so many rules' },
  isList: true,
  setUp: (stand, addresses) => ({
    seconds: restore(stand, restorer[stand.family], [], iptablesText(addresses)),
    sink: netfilterSink(stand, () => rulePackets(stand, addresses.length)),
  }),
};

const ipset: RulesWay = {
  name: 'ipset',
  title: 'ipset',
  description: (family, count) =>
    `an ipset (hash:ip) of ${count} addresses, which one rule of ${iptables[family]} in PREROUTING of the table raw asks`,
  tool: { name: 'ipset', versionArgs: ['--version'] },
  needs: (family) => ['ipset', iptables[family]],
  isList: false,
  setUp: (stand, addresses) => {
    const { place } = stand.wire.to;
    const text = ipsetText(stand.family, addresses);
    const ofSet = restore(stand, 'ipset', ['restore'], text);
    const words = ['-t', 'raw', '-A', 'PREROUTING', ...ipsetRule];
    const ofRule = seconds(() => stand.log.run(place, iptables[stand.family], words));
    return { seconds: ofSet + ofRule, sink: netfilterSink(stand, () => rulePackets(stand, 1)) };
  },
};

function nftSet(way: Pick<RulesWay, 'name' | 'title' | 'most'>, isInterval: boolean): RulesWay {
  return {
    ...way,
    description: (_, count) =>
      `a set of nft ${isInterval ? '(flags interval)' : '(a hash of known size)'} of ${count} addresses, which one rule at netdev ingress asks`,
    tool: { name: 'nft', versionArgs: ['--version'] },
    needs: () => ['nft'],
    isList: false,
    setUp: (stand, addresses) => {
      const { place, ifname } = stand.wire.to;
      const text = nftText(stand.family, ifname, addresses, isInterval);
      let dropped = 0;
      return {
        seconds: restore(stand, 'nft', ['-f', '-'], text),
        sink: netfilterSink(stand, () => {
          // Listing it would take as long as listing the set.
          const said = stand.log.run(place, 'nft', ['reset', 'counter', ...nftCounter]);
          dropped += Number(/packets (\d+)/.exec(said)?.[1] ?? 0);
          return dropped;
        }),
      };
    },
  };
}

const blocked = {
  ipv4: { map: 'blocklist_v4', outcome: 'drop_blocked_v4', bits: 32 },
  ipv6: { map: 'blocklist_v6', outcome: 'drop_blocked_v6', bits: 128 },
} as const;

const firewall: RulesWay = {
  name: 'firewall',
  title: 'firewall function',
  description: (family, count) =>
    `netkit's firewall in native XDP, with ${count} prefixes in its map ${blocked[family].map}`,
  needs: () => [],
  isList: false,
  setUp: ({ wire, scope, family, log }, addresses) => {
    const { ifname, place } = wire.to;
    const { map, outcome, bits } = blocked[family];
    const spec = ObjectSpec.readSync(builtinObject('firewall'));
    spec.setMapSize(map, addresses.length);
    let stats: BpfMap | undefined;
    const took = seconds(() => {
      const object = scope.use(load(spec));
      fill(object.map(map), addresses, bits);
      scope.use(object.program('firewall').attach(xdp({ ifname, netns: place.netns, mode: 'native' })));
      stats = object.map('stats');
    });
    for (const line of [
      `netkit load builtin:firewall --name fw --map-size ${map}=${addresses.length}`,
      `netkit map import fw/${map} list.csv`,
      `netkit attach fw ${ifname}`,
    ])
      log.note(place.title, line);
    const count = () => ({ ...arrived({ wire, family }), taken: packetsOf(stats?.get(outcome)) });
    return { seconds: took, sink: { count } };
  },
};

/** Every address as a prefix of its own, by batched calls. */
function fill(map: BpfMap, addresses: readonly string[], bits: number): void {
  const { key, value, keySize, valueStride } = map.shape;
  const count = addresses.length;
  const keys = new Uint8Array(count * keySize);
  const values = new Uint8Array(count * valueStride);
  const [ofKeys, ofValues] = [viewOf(keys), viewOf(values)];
  for (const [at, address] of addresses.entries()) {
    key?.encode(`${address}/${bits}`, ofKeys, at * keySize);
    value.encode({ action: 'drop' }, ofValues, at * valueStride);
  }
  map.writeBatch({ count, keys, values });
}

/** Of all CPUs; there is no entry before the first packet. */
function packetsOf(value: unknown): number {
  if (!Array.isArray(value)) return 0;
  return value.reduce<number>((sum, each) => sum + Number(Reflect.get(Object(each), 'packets')), 0);
}

/** From lists to maps. */
export const rulesWays: readonly RulesWay[] = [
  iptablesRules,
  ipset,
  nftSet(
    {
      name: 'nft-interval',
      title: 'nft interval set',
      most: { count: 100_000, why: 'nft takes half a minute, or more, to set up so many' },
    },
    true,
  ),
  nftSet({ name: 'nft-set', title: 'nft set' }, false),
  firewall,
];
