import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../../../src/base/address.js';
import type { BenchGroup, BenchVariant } from '../../../../src/bench/document.js';
import { udpPacket } from '../../../../src/bench/lab/packet.js';
import {
  mostSources,
  sourceAddress,
  sourceFields,
  sourceNetwork,
} from '../../../../src/bench/lab/sources.js';
import { setUpGroup } from '../../../../src/bench/scenarios/rules/set-up-group.js';
import { ipsetText, iptablesText, nftText, shortened } from '../../../../src/bench/scenarios/rules/texts.js';
import { rulesScenario, rulesWayNames } from '../../../../src/bench/scenarios/rules.js';

const two = ['64.0.0.0', '94.55.121.177'];

describe('rule sets', () => {
  it('have a rule of iptables for each address, in order', () => {
    expect(iptablesText(two)).toBe(`*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 64.0.0.0 -j DROP
-A PREROUTING -s 94.55.121.177 -j DROP
COMMIT
`);
  });

  it.each([
    ['ipv4', false, 'type ipv4_addr; size 2;', 'ip saddr @blocked'],
    ['ipv4', true, 'type ipv4_addr; flags interval;', 'ip saddr @blocked'],
    ['ipv6', false, 'type ipv6_addr; size 2;', 'ip6 saddr @blocked'],
  ] as const)('have a set of nft, of %s, with intervals: %s', (family, isInterval, type, rule) => {
    expect(nftText(family, 'eth0', two, isInterval)).toBe(`table netdev bench {
  counter dropped { };
  set blocked {
    ${type}
    elements = {
64.0.0.0,
94.55.121.177
    };
  };
  chain ingress {
    type filter hook ingress device eth0 priority 0;
    ${rule} counter name dropped drop;
  };
}
`);
  });

  it('have an ipset with room for all', () => {
    expect(ipsetText('ipv4', two)).toBe(
      'create blocked hash:ip family inet maxelem 65536\nadd blocked 64.0.0.0\nadd blocked 94.55.121.177\n',
    );
    expect(
      ipsetText(
        'ipv6',
        Array.from({ length: 70_000 }, () => '::1'),
      ),
    ).toMatch(/^create blocked hash:ip family inet6 maxelem 70000\n/);
  });

  it('are shown by their ends when they are long', () => {
    expect(shortened(iptablesText(two))).toBe(iptablesText(two));
    const long = Array.from({ length: 1000 }, (_, at) => `line ${at}`).join('\n');
    const shown = shortened(long).split('\n');
    expect(shown).toHaveLength(14);
    expect(shown.slice(5, 8)).toEqual(['line 5', '… 988 lines like these …', 'line 994']);
  });
});

describe('the addresses that packets come from', () => {
  it('lie all over a network, and none is there twice', () => {
    const first = [0, 1, 2, mostSources - 1].map((number) => formatAddress(sourceAddress('ipv4', number)));
    expect(first).toEqual(['64.0.0.0', '94.55.121.177', '92.110.243.98', '65.200.134.79']);
    const all = Array.from({ length: 100_000 }, (_, number) => formatAddress(sourceAddress('ipv4', number)));
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((address) => Number(address.split('.')[0]) >> 5 === 2)).toBe(true);
    expect(formatAddress(sourceAddress('ipv6', 1))).toBe('2001:db8::5e37:79b1');
  });

  it.each(['ipv4', 'ipv6'] as const)(
    'leave checksums right, by two words that take them back: %s',
    (family) => {
      const end = { mac: '02:00:00:00:00:01', address: sourceNetwork[family] };
      const packet = udpPacket({ family, size: 80, from: end, to: end, port: 9 });
      const view = new DataView(packet.buffer);
      const before = [headerSum(view, family), udpSum(view, family)];
      expect(before).toEqual([0xffff, 0xffff]);
      // What sender.bpf.c writes.
      const { source_at: at = 0, id_at: idAt = 0 } = sourceFields(family, { first: 0, count: 1 });
      for (const number of [0, 1, 12_345, 999_999]) {
        packet.set(sourceAddress(family, number).slice(-4), at);
        const added = folded(view.getUint16(at) + view.getUint16(at + 2));
        if (idAt !== 0) view.setUint16(idAt, ~added);
        const udpAt = family === 'ipv4' ? 34 : 54;
        view.setUint16(udpAt, 1024);
        view.setUint16(udpAt + 8, ~folded(1024 + added));
        expect([headerSum(view, family), udpSum(view, family)]).toEqual(before);
      }
    },
  );
});

function folded(sum: number): number {
  return (sum & 0xffff) + (sum >>> 16);
}

function sumOf(view: DataView, from: number, until: number): number {
  let sum = 0;
  for (let at = from; at < until; at += 2) sum = folded(sum + view.getUint16(at));
  return sum;
}

/** All ones when its checksum is right; so is IPv6, which has none. */
function headerSum(view: DataView, family: 'ipv4' | 'ipv6'): number {
  return family === 'ipv4' ? sumOf(view, 14, 34) : 0xffff;
}

function udpSum(view: DataView, family: 'ipv4' | 'ipv6'): number {
  const [addresses, udp] = family === 'ipv4' ? [26, 34] : [22, 54];
  const length = view.byteLength - udp;
  return folded(sumOf(view, addresses, view.byteLength) + folded(17 + length));
}

describe('the time that rules took to set up', () => {
  const variant = (name: string, role: BenchVariant['role'], failed: string): BenchVariant => ({
    name,
    title: name,
    description: '',
    role,
    series: 'nft set',
    x: 10,
    checks: [
      { name: 'verdict', ok: true, detail: '' },
      { name: failed, ok: false, detail: '' },
    ],
    samples: [{ block: 3, at: 9, seconds: 1, values: { rate: 1 }, checks: [] }],
    histograms: [{ metric: 'rate', buckets: [] }],
  });
  const group: BenchGroup = {
    name: 'rate',
    title: '',
    axis: { title: 'Rules', unit: '', scale: 'logarithmic' },
    metrics: [],
    variants: [
      variant('nft-set-10', 'reference', 'generator'),
      variant('firewall-10', 'variant', 'other packets'),
      variant('nft-set-10 again', 'control', 'check'),
    ],
  };

  it('has a sample for each time; the control has those of the reference made once more', () => {
    const times = new Map([
      [
        'nft-set-10',
        [
          [
            { at: 1, seconds: 0.2 },
            { at: 1.5, seconds: 0.1 },
          ],
          [{ at: 5, seconds: 0.3 }],
        ],
      ],
      ['firewall-10', [[{ at: 2, seconds: 0.1 }]]],
    ]);
    const { axis, variants } = setUpGroup(group, times);
    expect(axis).toEqual(group.axis);
    expect(variants.map(({ samples }) => samples.map(({ at, values }) => [at, values['setup']]))).toEqual([
      [
        [1, 0.2],
        [1.5, 0.1],
      ],
      [[2, 0.1]],
      [[5, 0.3]],
    ]);
    expect(variants.flatMap(({ histograms }) => histograms)).toEqual([]);
  });

  it('is invalid where the rules do not do what they should, or nobody could look, not where the sender set the pace', () => {
    const { variants } = setUpGroup(group, new Map());
    expect(variants.map(({ checks }) => checks.every(({ ok }) => ok))).toEqual([true, false, false]);
    expect(variants.flatMap(({ samples }) => samples)).toEqual([]);
  });
});

describe('the ways', () => {
  const options = { family: 'ipv4', size: 64, flows: 1, rules: [], isFull: false, sources: 1 } as const;

  it('are those of the manual', () => {
    expect(rulesWayNames).toEqual(['iptables', 'ipset', 'nft-interval', 'nft-set', 'firewall']);
  });

  it('refuse one that there is not, with the one that was probably meant', () => {
    expect(() => rulesScenario({ ...options, only: ['nft-sets'] })).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('nft-set') }),
    );
  });
});
