/** How the kernel was built and is set up, as far as it matters to eBPF. */
import { readFileSync } from 'node:fs';
import { jitSetting, lockdownMode, unprivilegedBpf } from '../../host/kernel.js';
import { readKernelConfig } from '../../host/kernel-config.js';

/** A setting of the kernel's build. */
export interface BuildSetting {
  /** `CONFIG_BPF` */
  readonly name: string;
  readonly about: string;
  /** `y`, `m`, a number; undefined when it is not set. */
  readonly value: string | undefined;
}

const buildSettings: readonly (readonly [name: string, about: string])[] = [
  ['CONFIG_BPF', 'eBPF at all'],
  ['CONFIG_BPF_SYSCALL', 'bpf(2)'],
  ['CONFIG_HAVE_EBPF_JIT', 'the machine has a compiler to machine code'],
  ['CONFIG_BPF_JIT', 'programs are compiled to machine code'],
  ['CONFIG_BPF_JIT_ALWAYS_ON', 'programs are never interpreted'],
  ['CONFIG_BPF_UNPRIV_DEFAULT_OFF', 'users without rights cannot load programs unless allowed'],
  ['CONFIG_DEBUG_INFO_BTF', 'the kernel describes its types'],
  ['CONFIG_DEBUG_INFO_BTF_MODULES', 'modules describe theirs'],
  ['CONFIG_CGROUPS', 'cgroups'],
  ['CONFIG_CGROUP_BPF', 'programs on cgroups'],
  ['CONFIG_CGROUP_NET_CLASSID', 'bpf_get_cgroup_classid, bpf_skb_cgroup_classid'],
  ['CONFIG_SOCK_CGROUP_DATA', 'the cgroup of a socket'],
  ['CONFIG_BPF_EVENTS', 'programs on kprobes, uprobes and tracepoints'],
  ['CONFIG_KPROBE_EVENTS', 'kprobes'],
  ['CONFIG_UPROBE_EVENTS', 'uprobes'],
  ['CONFIG_TRACING', 'tracing'],
  ['CONFIG_FTRACE_SYSCALLS', 'tracepoints of system calls'],
  ['CONFIG_FPROBE', 'kprobes on many functions at once'],
  ['CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS', 'fentry and fexit'],
  ['CONFIG_FUNCTION_ERROR_INJECTION', 'fmod_ret, and bpf_override_return'],
  ['CONFIG_BPF_KPROBE_OVERRIDE', 'bpf_override_return'],
  ['CONFIG_BPF_LSM', 'programs on security hooks'],
  ['CONFIG_NET', 'networking'],
  ['CONFIG_XDP_SOCKETS', 'AF_XDP sockets'],
  ['CONFIG_LWTUNNEL_BPF', 'programs on routes'],
  ['CONFIG_NET_CLS_BPF', 'programs as tc filters'],
  ['CONFIG_NET_ACT_BPF', 'programs as tc actions'],
  ['CONFIG_NET_CLS_ACT', 'actions of tc filters, and tcx'],
  ['CONFIG_NET_SCH_INGRESS', 'the clsact and ingress qdiscs'],
  ['CONFIG_NETFILTER_BPF_LINK', 'programs on netfilter'],
  ['CONFIG_NETKIT', 'the device type netkit'],
  ['CONFIG_XFRM', 'IPsec'],
  ['CONFIG_IP_ROUTE_CLASSID', 'bpf_get_route_realm'],
  ['CONFIG_IPV6_SEG6_BPF', 'programs for segment routing'],
  ['CONFIG_BPF_STREAM_PARSER', 'programs on sockets in maps'],
  ['CONFIG_NETFILTER_XT_MATCH_BPF', 'programs in iptables'],
  ['CONFIG_BPF_LIRC_MODE2', 'programs on infrared receivers'],
  ['CONFIG_TEST_BPF', "the kernel's own tests of it"],
  ['CONFIG_HZ', 'ticks a second, for bpf_jiffies64'],
];

/** `undefined` where neither the kernel nor its package tells. */
export function allBuildSettings(): BuildSetting[] | undefined {
  const config = readKernelConfig();
  if (config === undefined) return undefined;
  return buildSettings.map(([name, about]) => ({ name, about, value: config.get(name) }));
}

/** How the kernel is set up; undefined is what it does not tell, as in a network namespace other than the first. */
export interface Setup {
  readonly jit: 'on' | 'debug' | 'off' | undefined;
  /** Hides constants in machine code from attackers: for nobody, for users without rights, for all. */
  readonly jitHardening: 'off' | 'unprivileged' | 'all' | undefined;
  /** Shows machine code of programs in /proc/kallsyms. */
  readonly jitSymbols: boolean | undefined;
  /** Bytes of machine code that users without rights may take up. */
  readonly jitLimit: number | undefined;
  readonly unprivileged: 'allowed' | 'disabled' | 'disabled-for-good' | undefined;
  readonly lockdown: 'none' | 'integrity' | 'confidentiality';
  /** Counts the runs of programs and their time. */
  readonly statistics: boolean | undefined;
}

export function setup(): Setup {
  return {
    jit: jitSetting(),
    jitHardening: (['off', 'unprivileged', 'all'] as const)[number('net/core/bpf_jit_harden') ?? -1],
    jitSymbols: switched('net/core/bpf_jit_kallsyms'),
    jitLimit: number('net/core/bpf_jit_limit'),
    unprivileged: unprivilegedBpf(),
    lockdown: lockdownMode(),
    statistics: switched('kernel/bpf_stats_enabled'),
  };
}

function number(path: string): number | undefined {
  try {
    const text = readFileSync(`/proc/sys/${path}`, 'utf8').trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  } catch {
    // Not there, or not for this user.
    return undefined;
  }
}

function switched(path: string): boolean | undefined {
  const value = number(path);
  return value === undefined ? undefined : value !== 0;
}
