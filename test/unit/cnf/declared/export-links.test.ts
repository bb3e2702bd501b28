import { describe, expect, it } from 'vitest';
import { attachmentOf, attachmentsOf } from '../../../../src/cnf/declared/export-links.js';
import type { LinkState } from '../../../../src/cnf/link-state.js';
import { functionDocument } from '../../../../src/cnf/manifest/schema.js';

const netns = { inode: 1, ref: 'blue' };
const eth = (ifname: string) => ({ kind: 'interface', ifname, ifindex: 2, netns }) as const;
const text = (words: string) => ({ kind: 'text', text: words }) as const;
const common = { name: 'l', program: 'p' };
const order = { priority: 50, place: null };

/** A link of each family that is recorded, and what a manifest says of it. */
const rows: readonly (readonly [LinkState, Record<string, unknown>])[] = [
  [
    { ...common, family: 'xdp', hook: 'xdp', target: eth('eth0'), mode: 'generic' },
    { hook: 'xdp', interfaces: ['eth0'], netns: 'blue', mode: 'generic', direct: true },
  ],
  [
    {
      ...{ ...common, family: 'xdp-chain', hook: 'xdp', target: eth('eth0'), mode: 'native' },
      ...{ priority: 7, proceedOn: ['pass', 'tx'], beside: null },
    },
    {
      hook: 'xdp',
      interfaces: ['eth0'],
      netns: 'blue',
      mode: 'native',
      priority: 7,
      proceedOn: ['pass', 'tx'],
    },
  ],
  [
    {
      ...{ ...common, family: 'xdp-tail-chain', hook: 'xdp', target: eth('eth0'), mode: 'native' },
      ...{ priority: 7, proceedOn: [], beside: 'first' },
    },
    { hook: 'xdp', interfaces: ['eth0'], netns: 'blue', mode: 'native', priority: 7, proceedOn: [] },
  ],
  [
    { ...common, family: 'tcx', hook: 'tcx/ingress', target: eth('eth0'), order },
    { hook: 'tcx/ingress', interfaces: ['eth0'], netns: 'blue' },
  ],
  [
    {
      ...{ ...common, family: 'netkit-dev', hook: 'netkit-dev/primary', target: eth('nk0') },
      order: { priority: 9, place: { before: 'other/p' } },
    },
    {
      hook: 'netkit-dev/primary',
      interfaces: ['nk0'],
      netns: 'blue',
      priority: 9,
      place: { before: 'other/p' },
    },
  ],
  [
    {
      ...{ ...common, family: 'tc', hook: 'tc/egress', target: eth('eth0') },
      filter: { handle: 1, priority: 12, madeQdisc: true, programId: 4 },
    },
    { hook: 'tc/egress', interfaces: ['eth0'], netns: 'blue', priority: 12 },
  ],
  [
    {
      ...{ ...common, family: 'netfilter', hook: 'netfilter', target: { kind: 'netns', netns } },
      ...{ protocol: 'ipv6', stage: 'input', priority: -4, defrag: true },
    },
    { hook: 'netfilter', netns: 'blue', family: 'ipv6', stage: 'input', priority: -4, defrag: true },
  ],
  [
    { ...common, family: 'netns', hook: 'sk_lookup', target: { kind: 'netns', netns } },
    { hook: 'sk_lookup', netns: 'blue' },
  ],
  [
    {
      ...{ ...common, family: 'cgroup', hook: 'cgroup/connect4' },
      ...{ target: { kind: 'cgroup', path: '/a b', id: '1' }, order: { priority: 50, place: 'first' } },
    },
    { hook: 'cgroup/connect4', target: '/a b', place: 'first' },
  ],
  [
    {
      ...common,
      family: 'sockmap',
      hook: 'sk_skb/verdict',
      target: { kind: 'map', reference: 'f/m', id: 3 },
    },
    { hook: 'sk_skb/verdict', target: 'f/m' },
  ],
  [
    {
      ...{ ...common, family: 'map-entry', hook: 'xdp/devmap', made: true, programId: 3 },
      target: { kind: 'map-entry', reference: 'f/m', id: 3, key: 4, holds: 'eth1', netns },
    },
    { hook: 'xdp/devmap', target: 'f/m[4]=eth1', netns: 'blue' },
  ],
  [
    {
      ...{ ...common, family: 'lwt', hook: 'lwt_in', programId: 3 },
      target: {
        ...{ kind: 'route', destination: '10.1.0.0/24', via: '10.0.0.1', table: 100 },
        ...{ ifname: 'eth0', ifindex: 2, netns },
      },
    },
    { hook: 'lwt_in', target: '10.1.0.0/24 dev eth0 via 10.0.0.1 table 100', netns: 'blue' },
  ],
  [
    { ...common, family: 'kprobe', hook: 'kprobe', target: text('vfs_read'), cookie: '18446744073709551615' },
    { hook: 'kprobe', target: 'vfs_read', cookie: '18446744073709551615' },
  ],
  [
    { ...common, family: 'uprobe', hook: 'uprobe', target: text('/bin/x:main'), pid: 12, cookie: null },
    { hook: 'uprobe', target: '/bin/x:main', pid: 12 },
  ],
  [{ ...common, family: 'tracing', hook: 'fentry', target: text('vfs_read') }, { hook: 'fentry' }],
];

describe('an attachment from a recorded link', () => {
  it.each(rows)('says how %j is made again, in a form that manifests take', (link, expected) => {
    const attachment = attachmentOf(link);
    expect(attachment).toEqual({ program: 'p', ...expected });
    const document = {
      ...{ apiVersion: 'netkit/v1', kind: 'NetworkFunction', metadata: { name: 'f' } },
      spec: { program: { object: '/x.o' }, attach: [attachment] },
    };
    expect(functionDocument.safeParse(document).error?.issues ?? []).toEqual([]);
  });

  it('is one for several interfaces where nothing else differs', () => {
    const at = (ifname: string, priority: number): LinkState => ({
      ...{ ...common, family: 'tcx', hook: 'tcx/ingress', target: eth(ifname) },
      order: { priority, place: null },
    });
    const found = attachmentsOf([at('eth0', 4), at('eth1', 5), at('eth2', 4)]);
    expect(found.map(({ interfaces, priority }) => ({ interfaces, priority }))).toEqual([
      { interfaces: ['eth0', 'eth2'], priority: 4 },
      { interfaces: ['eth1'], priority: 5 },
    ]);
  });

  it('is one of its own for each target that is no interface', () => {
    const at = (name: string): LinkState => ({
      ...{ ...common, family: 'kprobe', hook: 'kprobe', target: text(name), cookie: null },
    });
    expect(attachmentsOf([at('a'), at('b')]).map(({ target }) => target)).toEqual(['a', 'b']);
  });
});
