import { describe, expect, test } from 'vitest';
import { attachTypes, programTypes } from '../../../src/base/kernel-words.js';
import { sectionMeaning, sectionRules } from '../../../src/obj/sections.js';

describe('sectionMeaning', () => {
  test.each([
    ['xdp', 'xdp', 'xdp', undefined],
    ['xdp.frags', 'xdp', 'xdp', undefined],
    ['xdp/devmap', 'xdp', 'xdp_devmap', undefined],
    ['tc', 'sched_cls', undefined, undefined],
    ['classifier', 'sched_cls', undefined, undefined],
    ['tcx/ingress', 'sched_cls', 'tcx_ingress', undefined],
    ['tc/egress', 'sched_cls', 'tcx_egress', undefined],
    ['netkit/peer', 'sched_cls', 'netkit_peer', undefined],
    ['action', 'sched_act', undefined, undefined],
    ['socket', 'socket_filter', undefined, undefined],
    ['cgroup/connect4', 'cgroup_sock_addr', 'cgroup_inet4_connect', undefined],
    ['cgroup_skb/egress', 'cgroup_skb', 'cgroup_inet_egress', undefined],
    ['sockops', 'sock_ops', 'cgroup_sock_ops', undefined],
    ['fentry/vfs_read', 'tracing', 'trace_fentry', 'vfs_read'],
    ['kprobe', 'kprobe', undefined, undefined],
    ['kprobe/do_unlinkat+0x10', 'kprobe', undefined, 'do_unlinkat+0x10'],
    ['kprobe.multi/tcp_*', 'kprobe', 'trace_kprobe_multi', 'tcp_*'],
    ['uprobe//bin/bash:readline', 'kprobe', undefined, '/bin/bash:readline'],
    ['tracepoint/syscalls/sys_enter_openat', 'tracepoint', undefined, 'syscalls/sys_enter_openat'],
    ['raw_tp.w/bpf_test', 'raw_tracepoint_writable', undefined, 'bpf_test'],
    ['struct_ops/init', 'struct_ops', undefined, 'init'],
    ['netfilter', 'netfilter', 'netfilter', undefined],
  ])('%s is a %s program', (section, program, attach, target) => {
    const meaning = sectionMeaning(section);
    expect(meaning?.rule.program).toBe(program);
    expect(meaning?.rule.attach).toBe(attach);
    expect(meaning?.target).toBe(target);
  });

  test.each(['xdp_pass', 'xdp/', 'xdp/something', 'tc/', 'kprobes/x', 'tcx', '', '/', 'cgroup/connect5'])(
    'does not know %j, as libbpf 1.x does not',
    (section) => {
      expect(sectionMeaning(section)).toBeUndefined();
    },
  );

  test('marks what may sleep, and XDP programs for packets in several buffers', () => {
    expect(sectionMeaning('fentry.s/x')?.rule.sleepable).toBe(true);
    expect(sectionMeaning('fentry/x')?.rule.sleepable).toBeUndefined();
    expect(sectionMeaning('syscall')?.rule.sleepable).toBe(true);
    expect(sectionMeaning('xdp.frags/cpumap')?.rule.frags).toBe(true);
    expect(sectionMeaning('xdp/cpumap')?.rule.frags).toBeUndefined();
  });
});

describe('the table of section names', () => {
  test('has no name twice', () => {
    expect(new Set(sectionRules.map(({ name }) => name)).size).toBe(sectionRules.length);
  });

  test("has the kernel's own words", () => {
    for (const rule of sectionRules) {
      expect(programTypes).toContain(rule.program);
      if ('attach' in rule) expect(attachTypes).toContain(rule.attach);
    }
  });

  test('has a section for every program type that the kernel knows', () => {
    const named = new Set<string>(sectionRules.map(({ program }) => program));
    expect(programTypes.filter((type) => type !== 'unspec' && !named.has(type))).toEqual([]);
  });
});
