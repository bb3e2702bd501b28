import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { hookNames } from '../../../src/base/hook-names.js';
import type { AttachPlace } from '../../../src/cnf/attach-function.js';
import { choosePrograms } from '../../../src/cnf/choose-programs.js';
import { allFamilies, hookNamed, naturalHook } from '../../../src/cnf/hooks/index.js';
import type { FunctionState } from '../../../src/cnf/state.js';
import { sectionMeaning, sectionRules } from '../../../src/obj/sections.js';
import { functionState } from '../../support/function-state.js';

const where = { ref: undefined, netns: undefined, bpffs: '/nowhere', persist: false };

/** A function with one program for each section, called p0, p1, … */
function functionOf(...sections: string[]): FunctionState {
  return functionState('f', {
    programs: sections.map((section, index) => ({
      name: `p${index}`,
      section,
      type: sectionMeaning(section)?.rule.program ?? 'unspec',
    })),
  });
}

function chosen(state: FunctionState, request: AttachPlace): string[] {
  return choosePrograms(state, request, where).map(({ program, entry, target }) =>
    `${program.name} ${entry.hook} ${target}`.trimEnd(),
  );
}

function refusal(state: FunctionState, request: AttachPlace): NetkitError {
  try {
    chosen(state, request);
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('every hook', () => {
  it('belongs to one family, and every family to hooks that have a name', () => {
    const all = allFamilies().flatMap(({ hooks }) => hooks.map(({ hook }) => hook));
    expect(new Set(all).size).toBe(all.length);
    const unattached = hookNames.filter((hook) => hookNamed(hook) === undefined);
    expect(unattached).toEqual([]);
  });

  it('is where programs of its sections go, but for those that need a word, or are not attached by netkit', () => {
    const lost = sectionRules.filter(
      ({ name, program }) => naturalHook({ name: 'p', section: name, type: program }) === undefined,
    );
    expect(lost.map(({ name }) => name)).toEqual([
      ...['syscall', 'struct_ops', 'struct_ops.s', 'tc', 'classifier', 'action', 'sk_skb', 'cgroup/skb'],
    ]);
  });
});

describe('a function is attached', () => {
  it.each([
    ['xdp', 'eth0', 'p0 xdp eth0'],
    ['xdp.frags', 'eth0', 'p0 xdp eth0'],
    ['tcx/egress', 'eth0', 'p0 tcx/egress eth0'],
    ['netkit/peer', 'nk0', 'p0 netkit-dev/peer nk0'],
    ['cgroup/sock', '/a', 'p0 cgroup/sock_create /a'],
    ['sockops', 'a/b', 'p0 sockops a/b'],
    ['lsm_cgroup/socket_bind', '/a', 'p0 lsm_cgroup /a'],
    ['sk_msg', 'f/sockets', 'p0 sk_msg f/sockets'],
    ['tp', 'sched/sched_switch', 'p0 tracepoint sched/sched_switch'],
    ['raw_tp.w', 'bpf_test_finish', 'p0 raw_tracepoint bpf_test_finish'],
    ['kretprobe', 'vfs_read', 'p0 kretprobe vfs_read'],
    ['ksyscall', 'openat', 'p0 ksyscall openat'],
    ['kprobe.multi', 'vfs_*', 'p0 kprobe.multi vfs_*'],
    ['uprobe.s', '/bin/sh:main', 'p0 uprobe /bin/sh:main'],
    ['usdt', 'libc.so.6:libc:setjmp', 'p0 usdt libc.so.6:libc:setjmp'],
    ['perf_event', 'cpu-clock@99', 'p0 perf_event cpu-clock@99'],
    ['lwt_xmit', '10.1.0.0/24 dev eth0', 'p0 lwt_xmit 10.1.0.0/24 dev eth0'],
    ['xdp/devmap', 'f/ports[3]', 'p0 xdp/devmap f/ports[3]'],
    ['xdp.frags/cpumap', 'f/cpus[0]=64', 'p0 xdp/cpumap f/cpus[0]=64'],
    ['socket', '12:3', 'p0 socket 12:3'],
    ['socket', 'eth0', 'p0 socket eth0'],
    ['sk_reuseport/migrate', 'socket:[99]', 'p0 sk_reuseport socket:[99]'],
    ['lirc_mode2', '/dev/lirc0', 'p0 lirc_mode2 /dev/lirc0'],
  ])('by SEC("%s") to %s', (section, target, expected) => {
    expect(chosen(functionOf(section), { target })).toEqual([expected]);
  });

  it.each([
    ['kprobe/vfs_read', 'p0 kprobe vfs_read'],
    ['tracepoint/sched/sched_switch', 'p0 tracepoint sched/sched_switch'],
    ['fentry.s/vfs_read', 'p0 fentry vfs_read'],
    ['lsm/file_open', 'p0 lsm file_open'],
    ['tp_btf/sched_switch', 'p0 tp_btf sched_switch'],
    ['iter/task', 'p0 iter task'],
    ['uprobe//bin/sh:main', 'p0 uprobe /bin/sh:main'],
    ['sk_lookup', 'p0 sk_lookup'],
    ['flow_dissector', 'p0 flow_dissector'],
  ])('to what SEC("%s") names', (section, expected) => {
    expect(chosen(functionOf(section), {})).toEqual([expected]);
  });

  it('with those programs that take the target, or that name it, and no others', () => {
    const state = functionOf(
      'xdp',
      'tcx/ingress',
      'kprobe/vfs_read',
      'tracepoint/sched/sched_switch',
      'sk_lookup',
    );
    expect(chosen(state, { target: 'lo' })).toEqual(['p0 xdp lo', 'p1 tcx/ingress lo']);
    expect(chosen(state, { target: 'sched/sched_switch' })).toEqual(['p3 tracepoint sched/sched_switch']);
    expect(chosen(state, {})).toEqual([
      'p2 kprobe vfs_read',
      'p3 tracepoint sched/sched_switch',
      'p4 sk_lookup',
    ]);
  });

  it('as what is there, where the words could be of several kinds', () => {
    const state = functionOf('xdp', 'kprobe');
    expect(chosen(state, { target: 'lo' })).toEqual(['p0 xdp lo']);
    // Where neither is there, both are tried, and one of them says so.
    expect(chosen(state, { target: 'no_such_name' })).toHaveLength(2);
  });

  it('where --hook says, for programs of that type, and with the target of the section', () => {
    expect(chosen(functionOf('tc', 'xdp'), { target: 'lo', hook: 'tcx/egress' })).toEqual([
      'p0 tcx/egress lo',
    ]);
    expect(chosen(functionOf('kprobe/vfs_read'), { hook: 'kretprobe' })).toEqual(['p0 kretprobe vfs_read']);
    expect(chosen(functionOf('uprobe'), { target: 'vfs_read', hook: 'kprobe' })).toEqual([
      'p0 kprobe vfs_read',
    ]);
  });

  it('to another target than its section names, where it was not loaded for that', () => {
    const state = functionOf('kprobe/vfs_read', 'fentry/vfs_read');
    expect(chosen(state, { program: 'p0', target: 'vfs_write' })).toEqual(['p0 kprobe vfs_write']);
    expect(refusal(state, { program: 'p1', target: 'vfs_write' })).toMatchObject({
      code: 'usage',
      message: "'p1' was loaded for vfs_read, and cannot be attached to 'vfs_write'",
    });
    expect(chosen(state, { target: 'vfs_read' })).toEqual(['p0 kprobe vfs_read', 'p1 fentry vfs_read']);
  });
});

describe('a function is refused', () => {
  it.each([
    ['xdp', {}, 'usage', /^attach needs a target: the name of an interface$/],
    ['cgroup/connect4', {}, 'usage', /^attach needs a target: the path of a cgroup$/],
    ['kprobe', {}, 'usage', /^attach needs a target: a function of the kernel$/],
    ['sk_lookup', { target: 'eth0' }, 'usage', /'p0' goes to sk_lookup, which takes no target/],
    ['tc', { target: 'eth0' }, 'usage', /the section 'tc' of program 'p0' tells no hook/],
    ['cgroup/skb', { target: '/a' }, 'usage', /tells no hook/],
    ['xdp', { target: 'eth0', hook: 'tcx/ingress' }, 'usage', /of type xdp: it cannot go to tcx\/ingress/],
    ['cgroup/bind4', { target: '/a', hook: 'cgroup/connect4' }, 'usage', /was loaded for 'cgroup\/bind4'/],
    ['kprobe', { target: 'f', hook: 'kprobe.multi' }, 'usage', /was loaded for 'kprobe'/],
    ['tcx/ingress', { target: 'lo', options: { mode: 'native' } }, 'usage', /^--mode is for XDP/],
    ['xdp', { target: 'lo', options: { cookie: 1n } }, 'usage', /^--cookie is for probes and tracepoints/],
    ['syscall', {}, 'unsupported', /section 'syscall'/],
    ['struct_ops/init', {}, 'unsupported', /section 'struct_ops\/init'/],
    ['xdp', { program: 'p9', target: 'lo' }, 'not-found', /has no program 'p9'/],
  ] as const)('with SEC("%s") and %o', (section, request, code, message) => {
    expect(refusal(functionOf(section), request)).toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('without a target, when every program needs one, with each kind that would do', () => {
    expect(refusal(functionOf('xdp', 'cgroup/connect4', 'tcx/ingress'), {}).message).toBe(
      'attach needs a target: the name of an interface or the path of a cgroup',
    );
  });

  it('when no program takes the target, with what there is', () => {
    const error = refusal(functionOf('sk_lookup', 'kprobe/vfs_read'), { target: 'eth0' });
    expect(error).toMatchObject({
      code: 'usage',
      message: "function 'f' has no program for the target 'eth0'",
      hint: 'its programs: p0 (sk_lookup), p1 (kprobe/vfs_read)',
    });
  });

  it('with an option of one family beside programs of others, only when nobody knows it', () => {
    const state = functionOf('tracepoint/sched/sched_switch', 'netfilter');
    expect(chosen(state, { options: { stage: 'input' } })).toHaveLength(2);
    expect(refusal(state, { options: { mode: 'native' } }).message).toMatch(/^--mode is for XDP/);
  });
});
