import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { allHooks } from '../../src/ebpf/feature.js';
import { type HookRow, hookTable } from '../../src/ebpf/hook-table.js';
import { expectUnchanged, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';

describeAsRoot('the hooks of this kernel', () => {
  it('are found out without leaving anything', async () => {
    const before = snapshotKernelState();
    const hooks = allHooks();
    expect(hooks.map(({ name }) => name)).toEqual(hookTable.map(({ name }) => name));
    for (const { available, reason } of hooks) {
      expect(available).not.toBeNull();
      expect(reason).not.toBe('');
    }
    await expectUnchanged(before);
  });

  it('are those that bpftool finds, as far as it looks', () => {
    const { stdout } = spawnSync('bpftool', ['-j', 'feature', 'probe', 'kernel'], { encoding: 'utf8' });
    const types: Record<string, boolean> = JSON.parse(stdout).program_types;
    const rows: readonly HookRow[] = hookTable;
    const found = new Map<string, boolean | null>(allHooks().map(({ name, available }) => [name, available]));
    // Several hooks share a type, and some came later than the type did.
    const ours = new Map<string, boolean>();
    for (const { name, probe } of rows) {
      // With a file or a target the hook needs more than its program type.
      if (probe.way !== 'load' || probe.file !== undefined || probe.target !== undefined) continue;
      if (probe.needsPartner === true) continue;
      ours.set(probe.type, ours.get(probe.type) === true || found.get(name) === true);
    }
    let compared = 0;
    for (const [type, available] of ours) {
      const theirs = types[`have_${type}_prog_type`];
      if (theirs === undefined) continue;
      expect([type, available]).toEqual([type, theirs]);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(20);
  });

  it('are one answer for all hooks that the same programs serve', () => {
    const found = new Map<string, boolean | null>(allHooks().map(({ name, available }) => [name, available]));
    expect(found.get('tc/ingress')).toBe(found.get('tc/egress'));
    expect(found.get('tcx/ingress')).toBe(found.get('tcx/egress'));
    expect(found.get('fentry')).toBe(found.get('fexit'));
  });
});
