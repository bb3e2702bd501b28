/** What the files that kill commands at each of their steps (killed*.test.ts, *-killed.test.ts) have tried among them. */
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/table/index.js';
import { allFamilies } from '../../src/cnf/hooks/index.js';
import type { FamilyName } from '../../src/cnf/link-state.js';
import { changePlan } from '../../src/cnf/state.js';
import { kindsWithKilledPlan } from './kill-ground.js';

/** Commands with a plan that is killed in one of those files. */
const planning = [
  'load',
  'attach',
  'detach',
  'unload',
  'replace',
  'link update',
  'off',
  'recover',
  'batch',
  'confirm',
  'adopt',
  'apply',
  'upgrade',
  'rollback',
  'delete',
  'reconcile',
];
/** Those that change something by one system call, or entry by entry, or file by file, without a plan. */
const planless = [
  'map create',
  'map pin',
  'map freeze',
  'map update',
  'map delete',
  'map push',
  'map pop',
  'map copy',
  'map import',
  'service install',
  'service uninstall',
];
/** Families with a scenario in one of them. */
const killedFamilies: ReadonlySet<string> = new Set<FamilyName>([
  'xdp-tail-chain',
  'tc-action',
  'lwt',
  'map-entry',
  'struct-ops',
  'struct-ops-table',
  'xdp',
  'xdp-chain',
  'tcx',
  'tc',
  'netfilter',
  'netns',
  'cgroup',
  'sockmap',
  'tracepoint',
  'raw-tracepoint',
  'perf-event',
]);
/** `socket`: only a process holds such an attachment, which no plan has. `lirc`: no machine here has a receiver. */
const unkilledFamilies: ReadonlySet<string> = new Set<FamilyName>(['socket', 'lirc']);

describe('killing netkit commands at each of their steps', () => {
  it('is tried with every kind of action', () => {
    const known = changePlan().shape.actions.def.element.shape.kind.options;
    expect([...kindsWithKilledPlan].sort()).toEqual([...known].sort());
  });

  it('is tried with every command that plans', () => {
    const changing: readonly string[] = commands.flatMap(({ name, changes }) =>
      changes === true ? [name] : [],
    );
    expect([...planning, ...planless].sort()).toEqual([...changing].sort());
  });

  it('is tried with every family of hooks that has code of its own for making, swapping and ending an attachment', () => {
    const families = allFamilies();
    const shared = families.find(({ family }) => family === 'cgroup');
    const replacing = new Set(
      families.filter(({ family }) => killedFamilies.has(family)).map((each) => each.replacing),
    );
    const others = families.filter(
      ({ family }) => !killedFamilies.has(family) && !unkilledFamilies.has(family),
    );
    for (const family of others) {
      for (const step of ['attach', 'detach', 'swap', 'isAlive'] as const)
        expect(String(family[step]), `${family.family}: ${step}`).toBe(String(shared?.[step]));
      expect(replacing).toContain(family.replacing);
    }
  });
});
