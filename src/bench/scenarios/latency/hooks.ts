/** All hooks: nothing, eBPF programs that count and let pass, and rules that do. */
import { NetkitError } from '../../../base/errors.js';
import { type AttachOptions, tc, tcx, xdp } from '../../../ebpf/attach/index.js';
import { load } from '../../../ebpf/load.js';
import { benchObject } from '../../lab/bench-object.js';
import type { End } from '../../lab/network.js';
import { udpCounts } from '../../lab/udp-counters.js';
import type { Hook, HookStand } from './hook.js';

const nothing: Hook = {
  name: 'nothing',
  title: 'nothing attached',
  description: () => 'no program and no rule: the server counts what it reads',
  setUp: ({ wire, family }) => {
    const { netns } = wire.to.place;
    const before = udpCounts(netns, family).read;
    return () => udpCounts(netns, family).read - before;
  },
};

function program(
  names: Pick<Hook, 'name' | 'title'>,
  { symbol, where, options }: { symbol: string; where: string; options: (end: End) => AttachOptions },
): Hook {
  return {
    ...names,
    description: () => `an eBPF program ${where}, which counts requests and lets everything pass`,
    setUp: ({ wire, scope, log, port }) => {
      const spec = benchObject('latency');
      spec.only([symbol]);
      spec.globals.set('port', port);
      const object = scope.use(load(spec));
      scope.use(object.program(symbol).attach(options(wire.to)));
      log.note(
        wire.to.place.title,
        `netkit load bpf/bench/latency.bpf.o --only ${symbol} --set port=${port} && netkit attach latency ${wire.to.ifname} --hook ${names.name}`,
      );
      const map = object.map('dropped');
      return () => {
        const values = map.get(0);
        if (!Array.isArray(values)) throw new TypeError('latency.bpf.c counts per CPU');
        return values.reduce<number>((sum, value) => sum + Number(value), 0);
      };
    },
  };
}

/** The first port of the rules that no request matches. */
const firstOtherPort = 20_000;

const otherPorts = (rules: number): number[] => Array.from({ length: rules }, (_, at) => firstOtherPort + at);

/** What a listing says of the one rule that accepts. */
function countIn(listing: string, pattern: RegExp, tool: string): number {
  const packets = pattern.exec(listing)?.[1];
  if (packets === undefined) throw new NetkitError('tool-failed', `${tool} lists no rule that counts`);
  return Number(packets);
}

const iptables: Hook = {
  name: 'iptables',
  title: 'iptables',
  tool: { name: 'iptables', versionArgs: ['-V'] },
  description: ({ rules }) =>
    `iptables, INPUT: ${rules} rules for other ports, then one that counts requests and accepts them`,
  setUp: ({ wire, log, port, family, rules }: HookStand) => {
    const tool = family === 'ipv4' ? 'iptables' : 'ip6tables';
    const lines = [
      '*filter',
      ...otherPorts(rules).map((other) => `-A INPUT -p udp -m udp --dport ${other} -j DROP`),
      `-A INPUT -p udp -m udp --dport ${port} -j ACCEPT`,
      'COMMIT',
    ];
    const { place } = wire.to;
    log.run(place, `${tool}-restore`, ['--noflush'], `${lines.join('\n')}\n`);
    // Two lines of headings, then `packets bytes target …`.
    return () => countIn(log.run(place, tool, ['-vnxL', 'INPUT']), /^\s*(\d+)\s+\d+\s+ACCEPT\s/m, tool);
  },
};

const nft: Hook = {
  name: 'nft',
  title: 'nft',
  tool: { name: 'nft', versionArgs: ['--version'] },
  description: ({ rules }) =>
    `nft, at the hook input: ${rules} rules for other ports, then one that counts requests and accepts them`,
  setUp: ({ wire, log, port, rules }: HookStand) => {
    const lines = [
      'table inet bench {',
      '  chain input {',
      '    type filter hook input priority 0;',
      ...otherPorts(rules).map((other) => `    udp dport ${other} drop`),
      `    udp dport ${port} counter accept`,
      '  }',
      '}',
    ];
    const { place } = wire.to;
    log.run(place, 'nft', ['-f', '-'], `${lines.join('\n')}\n`);
    return () =>
      countIn(log.run(place, 'nft', ['list', 'table', 'inet', 'bench']), /counter packets (\d+)/, 'nft');
  },
};

/** In the order in which a packet would come to them. */
export const hooks: readonly Hook[] = [
  nothing,
  program(
    { name: 'xdp', title: 'XDP native' },
    {
      symbol: 'pass_xdp',
      where: 'in native XDP, in the driver',
      options: ({ ifname, place: { netns } }) => xdp({ ifname, netns, mode: 'native' }),
    },
  ),
  program(
    { name: 'tcx', title: 'tcx' },
    {
      symbol: 'pass_tc',
      where: 'on tcx ingress',
      options: ({ ifname, place: { netns } }) => tcx({ ifname, netns, direction: 'ingress' }),
    },
  ),
  program(
    { name: 'tc', title: 'tc' },
    {
      symbol: 'pass_tc',
      where: 'in a tc filter (clsact, direct action)',
      options: ({ ifname, place: { netns } }) => tc({ ifname, netns, direction: 'ingress', priority: 1 }),
    },
  ),
  iptables,
  nft,
];

export const hookNames: readonly string[] = hooks.map(({ name }) => name);
