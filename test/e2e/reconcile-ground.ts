/** What the tests of `reconcile` share: functions in a chain that use one map, and the reboot that takes them. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import { packageRoot } from '../../src/host/package-root.js';
import { documentOf } from './ground.js';
import {
  chainOf,
  functionOf,
  ingress,
  type ManifestDocument,
  type ManifestGround,
} from './manifest-ground.js';
import { clearFilters } from './plan-ground.js';
import { reboot } from './reboot.js';

export type Reconciled = DocumentOf<'reconcile'>;

/** Runs `reconcile`, which has to end with this status. */
export function reconciles(g: ManifestGround, status = 0, ...more: string[]): Reconciled {
  const result = g.ground.netkit('reconcile', '--json', ...more);
  expect(result.status, result.stderr).toBe(status);
  return documentOf(documents.reconcile, result);
}

/** What it does, by function. */
export function verbs({ functions }: Reconciled): Record<string, string> {
  return Object.fromEntries(functions.map(({ name, verb }) => [name, verb]));
}

/** Nothing is left to do, and nothing is wrong. */
export function expectReconciled(g: ManifestGround): void {
  const found = reconciles(g);
  expect(found.functions.flatMap(({ steps }) => steps)).toEqual([]);
  expect(found).toMatchObject({ problems: [], restored: [] });
}

/** A reboot. Filters of tc and dispatchers of XDP chains outlast their pins, so they go by hand. */
export function reboots(g: ManifestGround): void {
  reboot(g.ground);
  clearFilters(g.ground);
  const { netns, ifname } = g.ground;
  if (g.xdp()?.name === 'xdp_dispatcher')
    for (const mode of ['xdpdrv', 'xdpgeneric']) netns.run('ip', ['link', 'set', 'dev', ifname, mode, 'off']);
  expect(g.ground.bpffs.pins()).toEqual([]);
}

/**
 * `aside`, `base` and `beside`: a chain on the interface in the order beside, base, aside; all count in the map of `base`,
 * which is also on XDP and a cgroup, and has entries from the manifest and from a file.
 */
export function chained(g: ManifestGround, baseMore: object = {}): ManifestDocument[] {
  g.writes('others.csv', 'key,value\n7,70\n8,80\n');
  g.writes('base.bpf.c', readFileSync(join(packageRoot(), 'test/fixtures/fields.bpf.c'), 'utf8'));
  const member = (program: string, name: string): ManifestDocument =>
    functionOf(
      { program: { object: g.object, only: [program] }, maps: { tallies: { reuse: 'base/tallies' } } },
      name,
    );
  const { netns, ifname } = g.ground;
  return [
    functionOf(
      {
        program: { source: './base.bpf.c', only: ['one', 'xdp_one', 'connecting'] },
        globals: { step: 3 },
        maps: {
          words: { maxEntries: 500, keep: true, entries: { 1: 10, 2: 20 } },
          others: { from: 'others.csv' },
        },
        attach: [
          { program: 'xdp_one', hook: 'xdp', interfaces: [ifname], netns: netns.name, mode: 'generic' },
          { program: 'connecting', hook: 'cgroup/connect4', target: g.cgroup('c') },
        ],
        ...baseMore,
      },
      'base',
    ),
    member('two', 'beside'),
    member('three', 'aside'),
    chainOf({ interface: ifname, netns: netns.name, hook: ingress, functions: ['beside', 'base', 'aside'] }),
  ];
}

/** Which of the chain ran, in their order, for a packet that arrives; XDP comes before them. */
export async function order(g: ManifestGround): Promise<string[]> {
  return Object.keys(await g.arriving('base'));
}

/** A file of the state directory. */
export function stateOf(g: ManifestGround, file: string): string {
  return join(g.ground.bpffs.stateDir, file);
}

/** Cuts a file of the state directory off. */
export function cut(g: ManifestGround, file: string, keep = 0.5): void {
  const bytes = readFileSync(stateOf(g, file));
  writeFileSync(stateOf(g, file), bytes.subarray(0, Math.floor(bytes.length * keep)));
}

/** The manifests, objects and files of entries are gone. */
export function forgetsSources(g: ManifestGround): void {
  rmSync(g.folder, { recursive: true });
  mkdirSync(g.folder);
}
