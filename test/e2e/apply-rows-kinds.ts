/** What attachments have that are not on interfaces: cgroups, probes, tracepoints, netfilter. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { Link } from '../../src/ebpf/link.js';
import type { FieldRow } from './apply-rows.js';
import { callGetpgid } from './hook-ground.js';
import { functionOf, type ManifestDocument, type ManifestGround } from './manifest-ground.js';

const attach = 'NetworkFunction.spec.attach[]';

const attached =
  (program: string, place: (g: ManifestGround) => object) =>
  (g: ManifestGround): ManifestDocument[] => [
    functionOf({ program: { object: g.object, only: [program] }, attach: [{ program, ...place(g) }] }),
  ];

const netfilter = (more: object) =>
  attached('filter', (g) => ({ hook: 'netfilter', netns: g.ground.netns.name, ...more }));
const netfilterLinks = { kernelHas: ['netfilter-links'] } as const;
const perfLinks = { kernelHas: ['perf-links'] } as const;

/** How often netfilter asked the program about a packet of three fragments. */
const fragmented = (g: ManifestGround) =>
  g.ran(() => {
    const { a, b } = g.ground.veth;
    const args = ['-n', '-q', '-c', '1', '-s', '4000', '-W', '1', b.address];
    a.netns.inside(() => spawnSync('ping', args));
  });

/** By the kernel's word. */
function netfilterPriority(g: ManifestGround): unknown {
  const [pin = ''] = readdirSync(g.pin('f/links'));
  using link = Link.fromPin(g.pin('f/links', pin));
  const { details } = link.info();
  return details?.kind === 'netfilter' ? details.priority : undefined;
}

const pinged = (g: ManifestGround) => g.ran(() => void g.ground.ping(1));

export const kindRows: readonly FieldRow[] = [
  {
    field: `${attach}.target`,
    base: attached('connecting', (g) => ({ target: g.cgroup('one') })),
    at: 'spec.attach[0].target',
    to: (g) => g.cgroup('two'),
    look: (g) => [g.onCgroup('one'), g.onCgroup('two')],
    sees: [
      [['connecting'], []],
      [[], ['connecting']],
    ],
  },
  {
    field: `${attach}.cookie`,
    needs: perfLinks,
    base: attached('traced', () => ({ cookie: 7 })),
    at: 'spec.attach[0].cookie',
    to: () => '0xffffffffffff',
    look: async (g) => {
      callGetpgid();
      return g.counted('traced');
    },
    sees: [7, 0xffffffffffff],
    gap: true,
  },
  {
    field: `${attach}.pid`,
    needs: perfLinks,
    base: attached('probed', (g) => ({ target: `${g.library().path}:netkit_probed`, pid: process.pid })),
    at: 'spec.attach[0].pid',
    to: () => process.ppid,
    look: (g) => g.ran(() => void g.library().call(1)),
    sees: [{ probed: 1 }, {}],
    gap: true,
  },
  {
    field: `${attach}.family`,
    needs: netfilterLinks,
    base: netfilter({ stage: 'input', family: 'ipv4' }),
    at: 'spec.attach[0].family',
    to: () => 'ipv6',
    look: pinged,
    sees: [{ filter: 1 }, {}],
    gap: true,
  },
  {
    field: `${attach}.stage`,
    needs: netfilterLinks,
    base: netfilter({ stage: 'input' }),
    at: 'spec.attach[0].stage',
    to: () => 'forward',
    look: pinged,
    sees: [{ filter: 1 }, {}],
    gap: true,
  },
  {
    field: `${attach}.priority`,
    case: 'of netfilter',
    needs: netfilterLinks,
    base: netfilter({ stage: 'input', priority: -50 }),
    at: 'spec.attach[0].priority',
    to: () => -60,
    look: netfilterPriority,
    sees: [-50, -60],
    gap: true,
  },
  {
    field: `${attach}.defrag`,
    needs: netfilterLinks,
    base: netfilter({ stage: 'prerouting', priority: -300 }),
    at: 'spec.attach[0].defrag',
    to: () => true,
    look: fragmented,
    sees: [{ filter: 3 }, { filter: 1 }],
    gap: true,
  },
];
