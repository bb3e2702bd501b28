import type { attachTypes, programTypes } from '../base/kernel-words.js';

/** The kernel's word for a type of program, such as `sched_cls`. */
export type ProgramTypeWord = (typeof programTypes)[number];
/** The kernel's word for a kind of attachment, such as `tcx_ingress`. */
export type AttachTypeWord = (typeof attachTypes)[number];

/**
 * What stands behind the slash of a section name: `SEC("fentry/vfs_read")` names a function. Everything that netkit
 * attaches by itself reads its target from there when the command line names none.
 */
export type SectionTarget =
  | 'function' // kernel function, with `+offset` for kprobes
  | 'pattern' // kernel functions, with wildcards
  | 'syscall' // the name without its architecture's prefix
  | 'binary-function' // `/path/of/binary:function[+offset]`
  | 'usdt' // `/path/of/binary:provider:name`
  | 'tracepoint' // `category/event`
  | 'raw-tracepoint' // an event
  | 'program-function' // a function of another eBPF program
  | 'lsm-hook'
  | 'iterator'
  | 'struct-member';

export interface SectionRule {
  /** The section name, or what stands before the slash where `target` is given. */
  readonly name: string;
  readonly program: ProgramTypeWord;
  /** The attach type that the kernel expects at load time; without it the type has none, or it is chosen at attach time. */
  readonly attach?: AttachTypeWord;
  readonly target?: SectionTarget;
  readonly sleepable?: true;
  /** The program takes packets in several buffers (`BPF_F_XDP_HAS_FRAGS`). */
  readonly frags?: true;
}

/**
 * libbpf's section names as of version 1.5. Older versions know fewer (1.1 has no tcx, netkit-dev or netfilter), so
 * whoever loads sets both types from here rather than leaving it to the installed library.
 */
export const sectionRules = [
  { name: 'socket', program: 'socket_filter' },
  { name: 'sk_reuseport/migrate', program: 'sk_reuseport', attach: 'sk_reuseport_select_or_migrate' },
  { name: 'sk_reuseport', program: 'sk_reuseport', attach: 'sk_reuseport_select' },

  { name: 'kprobe', program: 'kprobe', target: 'function' },
  { name: 'kretprobe', program: 'kprobe', target: 'function' },
  { name: 'uprobe', program: 'kprobe', target: 'binary-function' },
  { name: 'uprobe.s', program: 'kprobe', target: 'binary-function', sleepable: true },
  { name: 'uretprobe', program: 'kprobe', target: 'binary-function' },
  { name: 'uretprobe.s', program: 'kprobe', target: 'binary-function', sleepable: true },
  { name: 'kprobe.multi', program: 'kprobe', attach: 'trace_kprobe_multi', target: 'pattern' },
  { name: 'kretprobe.multi', program: 'kprobe', attach: 'trace_kprobe_multi', target: 'pattern' },
  { name: 'kprobe.session', program: 'kprobe', attach: 'trace_kprobe_session', target: 'pattern' },
  { name: 'uprobe.multi', program: 'kprobe', attach: 'trace_uprobe_multi', target: 'binary-function' },
  {
    name: 'uprobe.multi.s',
    program: 'kprobe',
    attach: 'trace_uprobe_multi',
    target: 'binary-function',
    sleepable: true,
  },
  { name: 'uretprobe.multi', program: 'kprobe', attach: 'trace_uprobe_multi', target: 'binary-function' },
  {
    name: 'uretprobe.multi.s',
    program: 'kprobe',
    attach: 'trace_uprobe_multi',
    target: 'binary-function',
    sleepable: true,
  },
  { name: 'uprobe.session', program: 'kprobe', attach: 'trace_uprobe_session', target: 'binary-function' },
  {
    name: 'uprobe.session.s',
    program: 'kprobe',
    attach: 'trace_uprobe_session',
    target: 'binary-function',
    sleepable: true,
  },
  { name: 'ksyscall', program: 'kprobe', target: 'syscall' },
  { name: 'kretsyscall', program: 'kprobe', target: 'syscall' },
  { name: 'usdt', program: 'kprobe', target: 'usdt' },
  { name: 'usdt.s', program: 'kprobe', target: 'usdt', sleepable: true },
  { name: 'tracepoint', program: 'tracepoint', target: 'tracepoint' },
  { name: 'tp', program: 'tracepoint', target: 'tracepoint' },
  { name: 'raw_tracepoint', program: 'raw_tracepoint', target: 'raw-tracepoint' },
  { name: 'raw_tp', program: 'raw_tracepoint', target: 'raw-tracepoint' },
  { name: 'raw_tracepoint.w', program: 'raw_tracepoint_writable', target: 'raw-tracepoint' },
  { name: 'raw_tp.w', program: 'raw_tracepoint_writable', target: 'raw-tracepoint' },
  { name: 'tp_btf', program: 'tracing', attach: 'trace_raw_tp', target: 'raw-tracepoint' },
  { name: 'fentry', program: 'tracing', attach: 'trace_fentry', target: 'function' },
  { name: 'fentry.s', program: 'tracing', attach: 'trace_fentry', target: 'function', sleepable: true },
  { name: 'fexit', program: 'tracing', attach: 'trace_fexit', target: 'function' },
  { name: 'fexit.s', program: 'tracing', attach: 'trace_fexit', target: 'function', sleepable: true },
  { name: 'fmod_ret', program: 'tracing', attach: 'modify_return', target: 'function' },
  { name: 'fmod_ret.s', program: 'tracing', attach: 'modify_return', target: 'function', sleepable: true },
  { name: 'freplace', program: 'ext', target: 'program-function' },
  { name: 'lsm', program: 'lsm', attach: 'lsm_mac', target: 'lsm-hook' },
  { name: 'lsm.s', program: 'lsm', attach: 'lsm_mac', target: 'lsm-hook', sleepable: true },
  { name: 'lsm_cgroup', program: 'lsm', attach: 'lsm_cgroup', target: 'lsm-hook' },
  { name: 'iter', program: 'tracing', attach: 'trace_iter', target: 'iterator' },
  { name: 'iter.s', program: 'tracing', attach: 'trace_iter', target: 'iterator', sleepable: true },
  { name: 'perf_event', program: 'perf_event' },
  { name: 'syscall', program: 'syscall', sleepable: true },
  { name: 'struct_ops', program: 'struct_ops', target: 'struct-member' },
  { name: 'struct_ops.s', program: 'struct_ops', target: 'struct-member', sleepable: true },

  { name: 'xdp', program: 'xdp', attach: 'xdp' },
  { name: 'xdp.frags', program: 'xdp', attach: 'xdp', frags: true },
  { name: 'xdp/devmap', program: 'xdp', attach: 'xdp_devmap' },
  { name: 'xdp.frags/devmap', program: 'xdp', attach: 'xdp_devmap', frags: true },
  { name: 'xdp/cpumap', program: 'xdp', attach: 'xdp_cpumap' },
  { name: 'xdp.frags/cpumap', program: 'xdp', attach: 'xdp_cpumap', frags: true },
  { name: 'tcx/ingress', program: 'sched_cls', attach: 'tcx_ingress' },
  { name: 'tcx/egress', program: 'sched_cls', attach: 'tcx_egress' },
  { name: 'tc/ingress', program: 'sched_cls', attach: 'tcx_ingress' },
  { name: 'tc/egress', program: 'sched_cls', attach: 'tcx_egress' },
  { name: 'tc', program: 'sched_cls' },
  { name: 'classifier', program: 'sched_cls' },
  { name: 'action', program: 'sched_act' },
  { name: 'netkit/primary', program: 'sched_cls', attach: 'netkit_primary' },
  { name: 'netkit/peer', program: 'sched_cls', attach: 'netkit_peer' },
  { name: 'netfilter', program: 'netfilter', attach: 'netfilter' },
  { name: 'flow_dissector', program: 'flow_dissector', attach: 'flow_dissector' },
  { name: 'lwt_in', program: 'lwt_in' },
  { name: 'lwt_out', program: 'lwt_out' },
  { name: 'lwt_xmit', program: 'lwt_xmit' },
  { name: 'lwt_seg6local', program: 'lwt_seg6local' },
  { name: 'lirc_mode2', program: 'lirc_mode2', attach: 'lirc_mode2' },

  { name: 'sockops', program: 'sock_ops', attach: 'cgroup_sock_ops' },
  { name: 'sk_skb', program: 'sk_skb' },
  { name: 'sk_skb/stream_parser', program: 'sk_skb', attach: 'sk_skb_stream_parser' },
  { name: 'sk_skb/stream_verdict', program: 'sk_skb', attach: 'sk_skb_stream_verdict' },
  { name: 'sk_skb/verdict', program: 'sk_skb', attach: 'sk_skb_verdict' },
  { name: 'sk_msg', program: 'sk_msg', attach: 'sk_msg_verdict' },
  { name: 'sk_lookup', program: 'sk_lookup', attach: 'sk_lookup' },

  { name: 'cgroup/skb', program: 'cgroup_skb' },
  { name: 'cgroup_skb/ingress', program: 'cgroup_skb', attach: 'cgroup_inet_ingress' },
  { name: 'cgroup_skb/egress', program: 'cgroup_skb', attach: 'cgroup_inet_egress' },
  { name: 'cgroup/sock', program: 'cgroup_sock', attach: 'cgroup_inet_sock_create' },
  { name: 'cgroup/sock_create', program: 'cgroup_sock', attach: 'cgroup_inet_sock_create' },
  { name: 'cgroup/sock_release', program: 'cgroup_sock', attach: 'cgroup_inet_sock_release' },
  { name: 'cgroup/post_bind4', program: 'cgroup_sock', attach: 'cgroup_inet4_post_bind' },
  { name: 'cgroup/post_bind6', program: 'cgroup_sock', attach: 'cgroup_inet6_post_bind' },
  { name: 'cgroup/bind4', program: 'cgroup_sock_addr', attach: 'cgroup_inet4_bind' },
  { name: 'cgroup/bind6', program: 'cgroup_sock_addr', attach: 'cgroup_inet6_bind' },
  { name: 'cgroup/connect4', program: 'cgroup_sock_addr', attach: 'cgroup_inet4_connect' },
  { name: 'cgroup/connect6', program: 'cgroup_sock_addr', attach: 'cgroup_inet6_connect' },
  { name: 'cgroup/connect_unix', program: 'cgroup_sock_addr', attach: 'cgroup_unix_connect' },
  { name: 'cgroup/sendmsg4', program: 'cgroup_sock_addr', attach: 'cgroup_udp4_sendmsg' },
  { name: 'cgroup/sendmsg6', program: 'cgroup_sock_addr', attach: 'cgroup_udp6_sendmsg' },
  { name: 'cgroup/sendmsg_unix', program: 'cgroup_sock_addr', attach: 'cgroup_unix_sendmsg' },
  { name: 'cgroup/recvmsg4', program: 'cgroup_sock_addr', attach: 'cgroup_udp4_recvmsg' },
  { name: 'cgroup/recvmsg6', program: 'cgroup_sock_addr', attach: 'cgroup_udp6_recvmsg' },
  { name: 'cgroup/recvmsg_unix', program: 'cgroup_sock_addr', attach: 'cgroup_unix_recvmsg' },
  { name: 'cgroup/getpeername4', program: 'cgroup_sock_addr', attach: 'cgroup_inet4_getpeername' },
  { name: 'cgroup/getpeername6', program: 'cgroup_sock_addr', attach: 'cgroup_inet6_getpeername' },
  { name: 'cgroup/getpeername_unix', program: 'cgroup_sock_addr', attach: 'cgroup_unix_getpeername' },
  { name: 'cgroup/getsockname4', program: 'cgroup_sock_addr', attach: 'cgroup_inet4_getsockname' },
  { name: 'cgroup/getsockname6', program: 'cgroup_sock_addr', attach: 'cgroup_inet6_getsockname' },
  { name: 'cgroup/getsockname_unix', program: 'cgroup_sock_addr', attach: 'cgroup_unix_getsockname' },
  { name: 'cgroup/sysctl', program: 'cgroup_sysctl', attach: 'cgroup_sysctl' },
  { name: 'cgroup/getsockopt', program: 'cgroup_sockopt', attach: 'cgroup_getsockopt' },
  { name: 'cgroup/setsockopt', program: 'cgroup_sockopt', attach: 'cgroup_setsockopt' },
  { name: 'cgroup/dev', program: 'cgroup_device', attach: 'cgroup_device' },
] as const satisfies readonly SectionRule[];

/** How a program's section name reads. */
export interface SectionMeaning {
  readonly rule: SectionRule;
  /** What stands behind the rule's name and its slash. */
  readonly target: string | undefined;
}

const byName: ReadonlyMap<string, SectionRule> = new Map(sectionRules.map((rule) => [rule.name, rule]));

/**
 * Reads the name of a program's section, without the `?` that switches a program off.
 * @returns `undefined` when libbpf would not know it either: such a program has no type until somebody gives it one.
 */
export function sectionMeaning(section: string): SectionMeaning | undefined {
  const exact = byName.get(section);
  if (exact) return { rule: exact, target: undefined };
  const slash = section.indexOf('/');
  if (slash < 0) return undefined;
  const rule = byName.get(section.slice(0, slash));
  if (rule?.target === undefined) return undefined;
  return { rule, target: section.slice(slash + 1) };
}
