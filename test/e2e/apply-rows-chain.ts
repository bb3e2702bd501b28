/** Chains, and the configuration of the firewall that comes with netkit. */
import { kernelLacks } from '../support/known-kernels.js';
import { pingCount } from '../support/netns.js';
import type { FieldRow } from './apply-rows.js';
import {
  chainOf,
  egress,
  functionOf,
  ingress,
  type ManifestDocument,
  type ManifestGround,
  statusOf,
} from './manifest-ground.js';

/** Functions with a program or two each, which count into one map; and a chain of them. */
const chained =
  (
    members: Readonly<Record<string, readonly string[]>>,
    functions: readonly unknown[],
    more: (g: ManifestGround) => object = () => ({ hook: ingress }),
  ) =>
  (g: ManifestGround): ManifestDocument[] => [
    ...Object.entries(members).map(([name, only]) =>
      functionOf(
        {
          program: { object: g.object, only },
          ...(name === 'f' ? {} : { maps: { tallies: { reuse: 'f/tallies' } } }),
        },
        name,
      ),
    ),
    chainOf({ interface: g.ground.ifname, netns: g.ground.netns.name, functions, ...more(g) }),
  ];

const two = { f: ['one'], h: ['two'] };
const three = { ...two, i: ['three'] };
const twoXdp = { f: ['xdp_one'], h: ['xdp_two'] };
const onXdp = () => ({ hook: 'xdp' });

const order = async (g: ManifestGround) => Object.keys(await g.arriving());
const answered = (g: ManifestGround) => g.ran(() => void g.ground.ping(1));
const overLoopback = (which: 'a' | 'b') => (g: ManifestGround) =>
  g.ran(() => {
    pingCount(g.ground.veth[which].netns, '127.0.0.1', 1);
  });

const last = (members: object) => Object.keys(members).length;

export const chainRows: readonly FieldRow[] = [
  {
    field: 'Chain.metadata.labels.*',
    base: (g) =>
      chained(two, ['f', 'h'])(g).map((each) =>
        each.kind === 'Chain' ? { ...each, metadata: { name: 'edge', labels: { tier: 'a' } } } : each,
      ),
    of: last(two),
    at: 'metadata.labels.tier',
    to: () => 'b',
    look: (g) => statusOf(g).chains[0]?.labels,
    sees: [{ tier: 'a' }, { tier: 'b' }],
    keeps: true,
  },
  {
    field: 'Chain.spec.functions[](text)',
    base: chained(two, ['f', 'h']),
    of: last(two),
    at: 'spec.functions',
    to: () => ['h', 'f'],
    look: order,
    sees: [
      ['one', 'two'],
      ['two', 'one'],
    ],
    gap: kernelLacks('tcx') !== undefined,
  },
  {
    field: 'Chain.spec.functions[](text)',
    case: 'one less',
    base: chained(two, ['f', 'h']),
    of: last(two),
    at: 'spec.functions',
    to: () => ['h'],
    look: order,
    sees: [['one', 'two'], ['two']],
  },
  {
    field: 'Chain.spec.interface',
    base: chained(two, ['f', 'h']),
    of: last(two),
    at: 'spec.interface',
    to: () => 'lo',
    look: async (g) => [await order(g), Object.keys(await overLoopback('b')(g))],
    sees: [
      [['one', 'two'], []],
      [[], ['one', 'two']],
    ],
  },
  {
    field: 'Chain.spec.hook',
    base: chained(two, ['f', 'h']),
    of: last(two),
    at: 'spec.hook',
    to: () => egress,
    look: async (g) => [await g.arriving(), await answered(g)],
    sees: [
      [
        { one: 1, two: 1 },
        { one: 1, two: 1 },
      ],
      [{}, { one: 1, two: 1 }],
    ],
  },
  {
    field: 'Chain.spec.netns',
    base: chained(two, ['f', 'h'], () => ({ hook: ingress, interface: 'lo' })),
    of: last(two),
    at: 'spec.netns',
    to: (g) => g.ground.veth.a.netns.name,
    look: async (g) => [await overLoopback('a')(g), await overLoopback('b')(g)],
    sees: [
      [{}, { one: 2, two: 2 }],
      [{ one: 2, two: 2 }, {}],
    ],
  },
  {
    field: 'Chain.spec.functions[](name).name',
    base: chained(three, [{ name: 'f' }, { name: 'h' }]),
    of: last(three),
    at: 'spec.functions[1].name',
    to: () => 'i',
    look: order,
    sees: [
      ['one', 'two'],
      ['one', 'three'],
    ],
  },
  {
    field: 'Chain.spec.functions[](name).program',
    base: chained({ f: ['one', 'three'] }, [{ name: 'f', program: 'one' }]),
    of: 1,
    at: 'spec.functions[0].program',
    to: () => 'three',
    look: order,
    sees: [['one'], ['three']],
  },
  {
    field: 'Chain.spec.functions[](name).proceedOn[]',
    base: chained(twoXdp, [{ name: 'f' }, { name: 'h' }], onXdp),
    of: last(twoXdp),
    at: 'spec.functions[0].proceedOn',
    to: () => ['drop'],
    look: order,
    sees: [['xdp_one', 'xdp_two'], ['xdp_one']],
  },
  {
    field: 'Chain.spec.functions[](text)',
    case: 'of XDP programs, in place',
    base: chained(twoXdp, ['f', 'h'], onXdp),
    of: last(twoXdp),
    at: 'spec.functions',
    to: () => ['h', 'f'],
    look: order,
    sees: [
      ['xdp_one', 'xdp_two'],
      ['xdp_two', 'xdp_one'],
    ],
  },
  {
    field: 'Chain.spec.mode',
    base: chained(twoXdp, ['f', 'h'], () => ({ hook: 'xdp', mode: 'native' })),
    of: last(twoXdp),
    at: 'spec.mode',
    to: () => 'generic',
    look: async (g) => [g.xdp()?.mode, await order(g)],
    sees: [
      [1, ['xdp_one', 'xdp_two']],
      [2, ['xdp_one', 'xdp_two']],
    ],
    gap: true,
  },
];

const firewall =
  (config: object) =>
  (g: ManifestGround): ManifestDocument[] => [
    functionOf({
      program: { builtin: 'firewall' },
      config,
      attach: [{ hook: 'xdp', interfaces: [g.ground.ifname], netns: g.ground.netns.name }],
    }),
  ];

const passes = (g: ManifestGround) => g.ground.ping(1) === 1;
const sender = (g: ManifestGround) => `${g.ground.veth.a.address}/32`;

export const configRows: readonly FieldRow[] = [
  {
    field: 'NetworkFunction.spec.config.defaultAction',
    base: firewall({ defaultAction: 'pass' }),
    at: 'spec.config.defaultAction',
    to: () => 'drop',
    look: passes,
    sees: [true, false],
  },
  {
    field: 'NetworkFunction.spec.config.block[]',
    base: firewall({ block: ['10.0.0.0/32'] }),
    at: 'spec.config.block',
    to: () => ['10.0.0.0/8'],
    look: passes,
    sees: [true, false],
  },
  {
    field: 'NetworkFunction.spec.config.allow[]',
    base: firewall({ block: ['10.0.0.0/8'] }),
    at: 'spec.config.allow',
    to: (g) => [sender(g)],
    look: passes,
    sees: [false, true],
  },
  {
    field: 'NetworkFunction.spec.config.maxEntries',
    base: firewall({ block: ['10.0.0.0/32', '2001:db8::/32'], maxEntries: 10 }),
    at: 'spec.config.maxEntries',
    to: () => 20,
    look: (g) => [g.map('blocklist_v4').max_entries, g.map('blocklist_v6').max_entries],
    sees: [
      [10, 10],
      [20, 20],
    ],
  },
];
