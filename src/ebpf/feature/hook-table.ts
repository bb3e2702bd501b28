/** Every family of hooks that libbpf's section names know, and how to find out whether a kernel has it. */
import type { PrivilegedTask } from '../../host/capabilities.js';
import type { AttachTypeWord, ProgramTypeWord } from '../../obj/sections.js';

/** What to do to find out. None attaches anything, and all that is made for it goes at once. */
export type HookProbe =
  /** Load two instructions of that type. */
  | {
      readonly way: 'load';
      readonly type: ProgramTypeWord;
      readonly attach?: AttachTypeWord;
      /** The type of the kernel's BTF that the program is to be attached to, and for a struct which of its members. */
      readonly target?: {
        readonly name: string;
        readonly kind: 'func' | 'typedef' | 'struct';
        readonly member?: string;
      };
      /** Without this file there is nothing to attach such a program to. */
      readonly file?: string;
      /** A program of this type cannot be loaded without a partner; whether it is barred shows before that. */
      readonly needsPartner?: true;
    }
  /** Ask which programs the loopback interface has there. */
  | { readonly way: 'query'; readonly attach: AttachTypeWord }
  /** Look for a struct that the kernel's BTF has only if the hook was compiled in. */
  | { readonly way: 'struct'; readonly name: string }
  /** Look for the enumerator of an attach type in the kernel's BTF. */
  | { readonly way: 'enumerator'; readonly name: string; readonly besides: string };

export interface HookRow {
  /** As in section names, but `netkit-dev` for the Linux device type `netkit`. */
  readonly name: string;
  /** The Linux version that brought it; for tc, the clsact qdisc. */
  readonly since: `${number}.${number}`;
  readonly task: Extract<PrivilegedTask, 'load' | 'load-tracing'>;
  readonly probe: HookProbe;
}

const net = 'load';
const tracing = 'load-tracing';
const perfDevices = '/sys/bus/event_source/devices';

export const hookTable = [
  { name: 'xdp', since: '4.8', task: net, probe: { way: 'load', type: 'xdp', attach: 'xdp' } },
  { name: 'xdp/devmap', since: '5.8', task: net, probe: { way: 'load', type: 'xdp', attach: 'xdp_devmap' } },
  { name: 'xdp/cpumap', since: '5.9', task: net, probe: { way: 'load', type: 'xdp', attach: 'xdp_cpumap' } },
  { name: 'tcx/ingress', since: '6.6', task: net, probe: { way: 'query', attach: 'tcx_ingress' } },
  { name: 'tcx/egress', since: '6.6', task: net, probe: { way: 'query', attach: 'tcx_egress' } },
  { name: 'tc/ingress', since: '4.5', task: net, probe: { way: 'load', type: 'sched_cls' } },
  { name: 'tc/egress', since: '4.5', task: net, probe: { way: 'load', type: 'sched_cls' } },
  { name: 'action', since: '4.1', task: net, probe: { way: 'load', type: 'sched_act' } },
  { name: 'netkit-dev', since: '6.7', task: net, probe: { way: 'query', attach: 'netkit_primary' } },
  {
    name: 'netfilter',
    since: '6.4',
    task: net,
    probe: { way: 'load', type: 'netfilter', attach: 'netfilter' },
  },
  { name: 'lwt_in', since: '4.10', task: net, probe: { way: 'load', type: 'lwt_in' } },
  { name: 'lwt_out', since: '4.10', task: net, probe: { way: 'load', type: 'lwt_out' } },
  { name: 'lwt_xmit', since: '4.10', task: net, probe: { way: 'load', type: 'lwt_xmit' } },
  { name: 'lwt_seg6local', since: '4.18', task: net, probe: { way: 'load', type: 'lwt_seg6local' } },
  {
    name: 'flow_dissector',
    since: '4.20',
    task: net,
    probe: { way: 'load', type: 'flow_dissector', attach: 'flow_dissector' },
  },
  {
    name: 'sk_lookup',
    since: '5.9',
    task: net,
    probe: { way: 'load', type: 'sk_lookup', attach: 'sk_lookup' },
  },
  { name: 'socket', since: '3.19', task: net, probe: { way: 'load', type: 'socket_filter' } },
  {
    name: 'sk_reuseport',
    since: '4.19',
    task: net,
    probe: { way: 'load', type: 'sk_reuseport', attach: 'sk_reuseport_select' },
  },
  { name: 'sk_msg', since: '4.17', task: net, probe: { way: 'load', type: 'sk_msg' } },
  { name: 'sk_skb', since: '4.14', task: net, probe: { way: 'load', type: 'sk_skb' } },
  {
    name: 'sockops',
    since: '4.13',
    task: net,
    probe: { way: 'load', type: 'sock_ops', attach: 'cgroup_sock_ops' },
  },
  {
    name: 'cgroup/skb',
    since: '4.10',
    task: net,
    probe: { way: 'load', type: 'cgroup_skb', attach: 'cgroup_inet_ingress' },
  },
  {
    name: 'cgroup/sock',
    since: '4.10',
    task: net,
    probe: { way: 'load', type: 'cgroup_sock', attach: 'cgroup_inet_sock_create' },
  },
  {
    name: 'cgroup/connect',
    since: '4.17',
    task: net,
    probe: { way: 'load', type: 'cgroup_sock_addr', attach: 'cgroup_inet4_connect' },
  },
  {
    name: 'cgroup/connect_unix',
    since: '6.7',
    task: net,
    probe: { way: 'load', type: 'cgroup_sock_addr', attach: 'cgroup_unix_connect' },
  },
  {
    name: 'cgroup/sockopt',
    since: '5.3',
    task: net,
    probe: { way: 'load', type: 'cgroup_sockopt', attach: 'cgroup_setsockopt' },
  },
  {
    name: 'cgroup/sysctl',
    since: '5.2',
    task: net,
    probe: { way: 'load', type: 'cgroup_sysctl', attach: 'cgroup_sysctl' },
  },
  {
    name: 'cgroup/dev',
    since: '4.15',
    task: net,
    probe: { way: 'load', type: 'cgroup_device', attach: 'cgroup_device' },
  },
  {
    name: 'tracepoint',
    since: '4.7',
    task: tracing,
    probe: { way: 'load', type: 'tracepoint', file: `${perfDevices}/tracepoint/type` },
  },
  { name: 'raw_tracepoint', since: '4.17', task: tracing, probe: { way: 'load', type: 'raw_tracepoint' } },
  {
    name: 'raw_tracepoint.w',
    since: '5.2',
    task: tracing,
    probe: { way: 'load', type: 'raw_tracepoint_writable' },
  },
  {
    name: 'tp_btf',
    since: '5.5',
    task: tracing,
    probe: {
      way: 'load',
      type: 'tracing',
      attach: 'trace_raw_tp',
      target: { name: 'btf_trace_sched_switch', kind: 'typedef' },
    },
  },
  {
    name: 'kprobe',
    since: '4.1',
    task: tracing,
    probe: { way: 'load', type: 'kprobe', file: `${perfDevices}/kprobe/type` },
  },
  {
    name: 'kprobe.multi',
    since: '5.18',
    task: tracing,
    probe: { way: 'struct', name: 'bpf_kprobe_multi_link' },
  },
  {
    name: 'kprobe.session',
    since: '6.10',
    task: tracing,
    probe: { way: 'enumerator', name: 'BPF_TRACE_KPROBE_SESSION', besides: 'bpf_kprobe_multi_link' },
  },
  {
    name: 'uprobe',
    since: '4.1',
    task: tracing,
    probe: { way: 'load', type: 'kprobe', file: `${perfDevices}/uprobe/type` },
  },
  {
    name: 'uprobe.multi',
    since: '6.6',
    task: tracing,
    probe: { way: 'struct', name: 'bpf_uprobe_multi_link' },
  },
  {
    name: 'uprobe.session',
    since: '6.13',
    task: tracing,
    probe: { way: 'enumerator', name: 'BPF_TRACE_UPROBE_SESSION', besides: 'bpf_uprobe_multi_link' },
  },
  { name: 'perf_event', since: '4.9', task: tracing, probe: { way: 'load', type: 'perf_event' } },
  {
    name: 'fentry',
    since: '5.5',
    task: tracing,
    probe: {
      way: 'load',
      type: 'tracing',
      attach: 'trace_fentry',
      target: { name: 'bpf_fentry_test1', kind: 'func' },
    },
  },
  {
    name: 'fexit',
    since: '5.5',
    task: tracing,
    probe: {
      way: 'load',
      type: 'tracing',
      attach: 'trace_fexit',
      target: { name: 'bpf_fentry_test1', kind: 'func' },
    },
  },
  {
    name: 'fmod_ret',
    since: '5.7',
    task: tracing,
    probe: {
      way: 'load',
      type: 'tracing',
      attach: 'modify_return',
      // Every kernel lets programs change what its security modules say; its own test functions, only some.
      target: { name: 'security_task_getpgid', kind: 'func' },
    },
  },
  { name: 'freplace', since: '5.6', task: tracing, probe: { way: 'load', type: 'ext', needsPartner: true } },
  {
    name: 'lsm',
    since: '5.7',
    task: tracing,
    probe: {
      way: 'load',
      type: 'lsm',
      attach: 'lsm_mac',
      target: { name: 'bpf_lsm_file_open', kind: 'func' },
    },
  },
  {
    name: 'lsm_cgroup',
    since: '6.0',
    task: tracing,
    probe: {
      way: 'load',
      type: 'lsm',
      attach: 'lsm_cgroup',
      target: { name: 'bpf_lsm_socket_bind', kind: 'func' },
    },
  },
  {
    name: 'iter',
    since: '5.8',
    task: tracing,
    probe: {
      way: 'load',
      type: 'tracing',
      attach: 'trace_iter',
      target: { name: 'bpf_iter_task', kind: 'func' },
    },
  },
  {
    name: 'struct_ops',
    since: '5.6',
    task: tracing,
    probe: {
      way: 'load',
      type: 'struct_ops',
      target: { name: 'tcp_congestion_ops', kind: 'struct', member: 'ssthresh' },
    },
  },
  {
    name: 'lirc_mode2',
    since: '4.18',
    task: net,
    probe: { way: 'load', type: 'lirc_mode2', attach: 'lirc_mode2' },
  },
] as const satisfies readonly HookRow[];

/** The name of a family of hooks. */
export type HookName = (typeof hookTable)[number]['name'];
