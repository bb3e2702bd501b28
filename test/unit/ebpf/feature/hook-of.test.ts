import { describe, expect, it } from 'vitest';
import { hookOf } from '../../../../src/ebpf/feature/hook-of.js';
import { hookTable } from '../../../../src/ebpf/feature/hook-table.js';
import { type SectionRule, sectionRules } from '../../../../src/obj/sections.js';

const first = (section: string): string => section.split('/')[0] ?? '';

describe('the hook of a program', () => {
  it.each([
    ['xdp', 'xdp'],
    ['xdp.frags/devmap', 'xdp/devmap'],
    ['tc/ingress', 'tcx/ingress'],
    ['fentry.s', 'fentry'],
    ['kretprobe', 'kprobe'],
    ['uretprobe.multi.s', 'uprobe.multi'],
    ['usdt', 'uprobe'],
    ['tp', 'tracepoint'],
    ['raw_tp.w', 'raw_tracepoint.w'],
    ['lsm_cgroup', 'lsm_cgroup'],
    ['cgroup/connect_unix', 'cgroup/connect_unix'],
    ['netkit/peer', 'netkit-dev'],
    ['struct_ops.s', 'struct_ops'],
    ['classifier', undefined],
    ['cgroup/connect4', undefined],
  ])('in section %s is %s', (section, hook) => {
    const rule: SectionRule | undefined = sectionRules.find(({ name }) => name === section);
    expect(hookOf(rule?.attach, first(section))).toBe(hook);
  });

  it('is one of the table, or follows from the program type alone', () => {
    const names = new Set<string>(hookTable.map(({ name }) => name));
    const rules: readonly SectionRule[] = sectionRules;
    const found = rules.map(({ name, attach }) => hookOf(attach, first(name)));
    expect(found.filter((hook) => hook !== undefined && !names.has(hook))).toEqual([]);
    expect(found.filter((hook) => hook !== undefined).length).toBeGreaterThan(50);
  });
});
