import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import type { LoadedObject } from '../../src/ebpf/loaded-object.js';
import type { Value } from '../../src/obj/codec/value.js';
import { loadSource } from '../support/load-source.js';
import { addressText, longestPrefix, network, numberOf, prefixText } from '../support/longest-prefix.js';
import {
  arp,
  echo,
  ethernet,
  extension,
  fragmentHeader,
  ipv4,
  ipv6,
  type Layer,
  packet,
  payload,
  tcp,
  udp,
  vlan,
} from '../support/packets.js';
import { describeWith, type Requirements } from '../support/requirements.js';

const SOURCE = 'bpf/firewall.bpf.c';
const needs: Requirements = { capabilities: ['bpf', 'net_admin', 'perfmon', 'sys_admin'], tools: ['clang'] };
const XDP_DROP = 1;
const XDP_PASS = 2;

let passing: LoadedObject;
let dropping: LoadedObject;

const blocked4 = ipv4({ source: '10.20.30.40' });
const blocked6 = ipv6({ source: '2001:db8:1::7' });
const other4 = ipv4({ source: '192.0.2.1' });
const other6 = ipv6({ source: '2001:db8:2::7' });

/** Empties both lists and fills them from `{ prefix: action }`. */
function block(fw: LoadedObject, rules: Readonly<Record<string, string>>): void {
  for (const name of ['blocklist_v4', 'blocklist_v6']) {
    const map = fw.map(name);
    for (const key of [...map.keys()]) map.delete(key);
  }
  for (const [prefix, action] of Object.entries(rules)) {
    fw.map(prefix.includes(':') ? 'blocklist_v6' : 'blocklist_v4').set(prefix, action);
  }
}

/** What `stats` holds, summed over CPUs, without outcomes that were not counted: `{ pass_no_match: [packets, bytes] }`. */
function counted(fw: LoadedObject): Record<string, [bigint, bigint]> {
  const all: Record<string, [bigint, bigint]> = {};
  for (const [outcome, perCpu] of fw.map('stats')) {
    let sum: [bigint, bigint] = [0n, 0n];
    for (const each of Array.isArray(perCpu) ? perCpu : []) {
      sum = [sum[0] + member(each, 'packets'), sum[1] + member(each, 'bytes')];
    }
    if (sum[0] !== 0n) all[String(outcome)] = sum;
  }
  return all;
}

function member(value: Value | undefined, name: string): bigint {
  const found = typeof value === 'object' && !Array.isArray(value) ? value[name] : undefined;
  if (typeof found !== 'bigint') throw new Error(`no 64-bit member ${name} in ${String(value)}`);
  return found;
}

/** Runs one packet; its outcome, after checking that verdict, counters and the packet itself agree with it. */
function outcomeOf(fw: LoadedObject, data: Uint8Array): string {
  const stats = fw.map('stats');
  for (const key of [...stats.keys()]) stats.delete(key);
  const result = fw.program('firewall').testRun({ data });
  const all = counted(fw);
  const [outcome = 'nothing'] = Object.keys(all);
  expect(all, 'one packet is counted once, with its length').toEqual({
    [outcome]: [1n, BigInt(data.length)],
  });
  expect(result.verdict, outcome).toBe(outcome.startsWith('pass_') ? XDP_PASS : XDP_DROP);
  expect(Buffer.from(result.data).equals(data), 'the packet is left as it was').toBe(true);
  return outcome;
}

const twoTags = [vlan({ id: 5, service: true }), vlan({ id: 7 })];
const options = (words: number) => Uint8Array.from({ length: words * 4 }, () => 1);

/** name, layers, outcome with `rules` loaded and default_action=pass */
const packets: readonly (readonly [string, Uint8Array, string])[] = [
  [
    'UDP over IPv4 from a blocked source',
    packet(ethernet(), blocked4, udp(), payload(22)),
    'drop_blocked_v4',
  ],
  [
    'TCP over IPv4 from a blocked source',
    packet(ethernet(), blocked4, tcp(), payload(22)),
    'drop_blocked_v4',
  ],
  ['ICMP from a blocked source', packet(ethernet(), blocked4, echo(), payload(56)), 'drop_blocked_v4'],
  ['a bare IPv4 header from a blocked source', packet(ethernet(), blocked4), 'drop_blocked_v4'],
  ['IPv4 from elsewhere', packet(ethernet(), other4, udp(), payload(22)), 'pass_no_match'],
  [
    'IPv4 from elsewhere to a blocked destination',
    packet(ethernet(), ipv4({ source: '192.0.2.1', destination: '10.20.30.40' }), udp()),
    'pass_no_match',
  ],
  ['IPv4 from an exception', packet(ethernet(), ipv4({ source: '10.20.99.1' }), udp()), 'pass_exception'],
  [
    'UDP over IPv6 from a blocked source',
    packet(ethernet(), blocked6, udp(), payload(22)),
    'drop_blocked_v6',
  ],
  ['ICMPv6 from a blocked source', packet(ethernet(), blocked6, echo({ ipv6: true })), 'drop_blocked_v6'],
  ['IPv6 from elsewhere', packet(ethernet(), other6, tcp()), 'pass_no_match'],
  [
    'IPv6 from an exception',
    packet(ethernet(), ipv6({ source: '2001:db8:1:9::7' }), tcp()),
    'pass_exception',
  ],
  [
    'one VLAN tag around a blocked source',
    packet(ethernet(), vlan({ id: 7 }), blocked4, udp()),
    'drop_blocked_v4',
  ],
  [
    'two VLAN tags around a blocked source',
    packet(ethernet(), ...twoTags, blocked4, udp()),
    'drop_blocked_v4',
  ],
  ['two VLAN tags around a blocked IPv6 source', packet(ethernet(), ...twoTags, blocked6), 'drop_blocked_v6'],
  [
    'two VLAN tags around ARP',
    packet(ethernet(), ...twoTags, arp({ source: '10.20.30.40', target: '10.0.0.1' })),
    'pass_not_ip',
  ],
  ['three VLAN tags', packet(ethernet(), vlan({ id: 3 }), ...twoTags, other4, udp()), 'drop_too_deep'],
  [
    'IPv4 with the most options there can be',
    packet(ethernet(), ipv4({ source: '10.20.30.40', options: options(10) }), udp()),
    'drop_blocked_v4',
  ],
  [
    'IPv4 with options from elsewhere',
    packet(ethernet(), ipv4({ source: '192.0.2.1', options: options(3) }), udp()),
    'pass_no_match',
  ],
  [
    'the first fragment from a blocked source',
    packet(ethernet(), ipv4({ source: '10.20.30.40', fragment: { offset: 0, more: true } }), udp()),
    'drop_blocked_v4',
  ],
  [
    'a later fragment from a blocked source',
    packet(
      ethernet(),
      ipv4({ source: '10.20.30.40', fragment: { offset: 1480, more: false }, protocol: 17 }),
      payload(9),
    ),
    'drop_blocked_v4',
  ],
  [
    'an IPv6 fragment from a blocked source',
    packet(ethernet(), blocked6, fragmentHeader({ offset: 1448, more: true }), payload(9)),
    'drop_blocked_v6',
  ],
  [
    'IPv6 with extension headers from a blocked source',
    packet(ethernet(), blocked6, extension(0), extension(60, 3), udp()),
    'drop_blocked_v6',
  ],
  ['a tunnel, judged by its outer source', packet(ethernet(), other4, blocked4, udp()), 'pass_no_match'],
  ['ARP', packet(ethernet(), arp({ source: '10.20.30.40', target: '10.0.0.1' })), 'pass_not_ip'],
  [
    'a frame with a length in place of a type',
    packet(ethernet({ etherType: 46 }), payload(46)),
    'pass_not_ip',
  ],
  ['an Ethernet header and nothing else', packet(ethernet({ etherType: 0x88cc })), 'pass_not_ip'],
];

const rules = {
  '10.20.0.0/16': 'drop',
  '10.20.99.0/24': 'pass',
  '2001:db8:1::/48': 'drop',
  '2001:db8:1:9::/64': 'pass',
};

describeWith(needs, 'the firewall', () => {
  const owned = new Scope();

  beforeAll(async () => {
    passing = owned.use(await loadSource(SOURCE));
    dropping = owned.use(await loadSource(SOURCE, { default_action: 'drop' }));
  });

  afterAll(() => owned[Symbol.dispose]());

  it.each(packets)('%s', (_name, data, outcome) => {
    block(passing, rules);
    expect(outcomeOf(passing, data)).toBe(outcome);
  });

  it.each(packets)('%s, with default_action=drop', (_name, data, outcome) => {
    block(dropping, rules);
    expect(outcomeOf(dropping, data)).toBe(outcome === 'pass_no_match' ? 'drop_no_match' : outcome);
  });

  it('counts every packet once over a whole run', () => {
    block(passing, rules);
    const stats = passing.map('stats');
    for (const key of [...stats.keys()]) stats.delete(key);
    const expected: Record<string, [bigint, bigint]> = {};
    for (const [, data, outcome] of packets) {
      passing.program('firewall').testRun({ data });
      const [count, bytes] = expected[outcome] ?? [0n, 0n];
      expected[outcome] = [count + 1n, bytes + BigInt(data.length)];
    }
    expect(counted(passing)).toEqual(expected);
  });

  const cut: readonly (readonly [string, number, readonly Layer[], string])[] = [
    ['IPv4', 14 + 20, [ethernet(), other4, udp(), payload(8)], 'pass_no_match'],
    [
      'IPv4 with options',
      14 + 20 + 12,
      [ethernet(), ipv4({ source: '10.20.30.40', options: options(3) }), udp(), payload(8)],
      'drop_blocked_v4',
    ],
    ['IPv6', 14 + 40, [ethernet(), blocked6, tcp()], 'drop_blocked_v6'],
    ['IPv4 in one VLAN tag', 14 + 4 + 20, [ethernet(), vlan({ id: 7 }), other4, udp()], 'pass_no_match'],
    ['IPv6 in two VLAN tags', 14 + 8 + 40, [ethernet(), ...twoTags, other6, udp()], 'pass_no_match'],
  ];

  it.each(cut)(
    'drops %s cut off anywhere before byte %i, and judges it from there on',
    (_name, headers, layers, outcome) => {
      block(passing, rules);
      const whole = packet(...layers);
      for (let length = 14; length <= whole.length; length++) {
        const seen = outcomeOf(passing, whole.subarray(0, length));
        expect(seen, `${length} of ${whole.length} bytes`).toBe(
          length < headers ? 'drop_truncated' : outcome,
        );
      }
    },
  );

  it('drops IP whose version is not that of its EtherType', () => {
    block(passing, {});
    for (let version = 0; version < 16; version++) {
      const as4 = outcomeOf(passing, packet(ethernet(), ipv4({ version }), payload(40)));
      const as6 = outcomeOf(passing, packet(ethernet(), ipv6({ version }), payload(40)));
      expect([version, as4]).toEqual([version, version === 4 ? 'pass_no_match' : 'drop_malformed']);
      expect([version, as6]).toEqual([version, version === 6 ? 'pass_no_match' : 'drop_malformed']);
    }
  });

  it('drops IPv4 that gives its header fewer than five words, or more than the frame has', () => {
    block(passing, {});
    for (let headerWords = 0; headerWords < 16; headerWords++) {
      const seen = outcomeOf(passing, packet(ethernet(), ipv4({ headerWords }), payload(20)));
      const expected =
        headerWords < 5 ? 'drop_malformed' : headerWords > 10 ? 'drop_truncated' : 'pass_no_match';
      expect([headerWords, seen]).toEqual([headerWords, expected]);
    }
  });

  it('lets the longest prefix decide, in whichever order they were written', () => {
    const nested = Object.entries({
      '0.0.0.0/0': 'drop',
      '10.0.0.0/8': 'pass',
      '10.20.0.0/16': 'drop',
      '10.20.30.40/32': 'pass',
    });
    for (const order of [nested, [...nested].reverse()]) {
      block(passing, Object.fromEntries(order));
      const from = (source: string) => outcomeOf(passing, packet(ethernet(), ipv4({ source }), udp()));
      expect(from('11.0.0.1')).toBe('drop_blocked_v4');
      expect(from('10.0.0.1')).toBe('pass_exception');
      expect(from('10.20.30.41')).toBe('drop_blocked_v4');
      expect(from('10.20.30.40')).toBe('pass_exception');
    }
  });

  it('agrees with a plain search for the longest prefix on random lists', () => {
    const rule = (bits: number) =>
      fc.record({
        address: fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 }),
        length: fc.integer({ min: 0, max: bits }),
        action: fc.constantFrom<'pass' | 'drop'>('pass', 'drop'),
      });
    const family = (bits: number) =>
      fc.record({
        list: fc.array(rule(bits), { maxLength: 12 }),
        pick: fc.nat(),
        random: fc.bigInt(0n, (1n << BigInt(bits)) - 1n),
      });
    fc.assert(
      fc.property(
        fc.constantFrom(32, 128).chain((bits) => family(bits).map((drawn) => ({ bits, ...drawn }))),
        ({ bits, list, pick, random }) => {
          const table = new Map<string, 'pass' | 'drop'>();
          for (const { address, length, action } of list)
            table.set(prefixText(network(numberOf(address), length, bits), length, bits), action);
          block(passing, Object.fromEntries(table));
          // Most random addresses match nothing: start from one of the prefixes, and change only bits behind it.
          const near = list[pick % Math.max(1, list.length)];
          const source = near
            ? network(numberOf(near.address), near.length, bits) |
              (random & ((1n << BigInt(bits - near.length)) - 1n))
            : random;
          const text = addressText(source, bits);
          const data = packet(
            ethernet(),
            bits === 32 ? ipv4({ source: text }) : ipv6({ source: text }),
            udp(),
          );
          const action = longestPrefix(table, source, bits);
          const blocked = bits === 32 ? 'drop_blocked_v4' : 'drop_blocked_v6';
          const expected = { pass: 'pass_exception', drop: blocked, none: 'pass_no_match' }[action ?? 'none'];
          expect(outcomeOf(passing, data)).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts what an entry matched, and starts again when the entry is written again', () => {
    block(passing, { '10.20.0.0/16': 'drop', '10.20.99.0/24': 'pass' });
    const list = passing.map('blocklist_v4');
    const send = (source: string, bytes: number) =>
      passing.program('firewall').testRun({ data: packet(ethernet(), ipv4({ source }), payload(bytes)) });
    send('10.20.30.40', 66);
    send('10.20.30.41', 166);
    send('10.20.99.1', 26);
    expect(list.get('10.20.0.0/16')).toEqual({ action: 'drop', tag: 0, packets: 2n, bytes: 300n });
    expect(list.get('10.20.99.0/24')).toEqual({ action: 'pass', tag: 0, packets: 1n, bytes: 60n });
    list.set('10.20.0.0/16', { action: 'drop', tag: 4711 });
    expect(list.get('10.20.0.0/16')).toEqual({ action: 'drop', tag: 4711, packets: 0n, bytes: 0n });
  });

  it('drops on an action that it does not know', () => {
    block(passing, { '10.20.0.0/16': `hex:07${'00'.repeat(23)}` });
    expect(outcomeOf(passing, packet(ethernet(), blocked4, udp()))).toBe('drop_blocked_v4');
  });
});
