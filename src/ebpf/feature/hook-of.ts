/** Which hook of the table a program is for. */
import type { AttachTypeWord } from '../../obj/sections.js';
import type { HookName } from './hooks.js';

const byAttachType: Partial<Readonly<Record<AttachTypeWord, HookName>>> = {
  xdp: 'xdp',
  xdp_devmap: 'xdp/devmap',
  xdp_cpumap: 'xdp/cpumap',
  tcx_ingress: 'tcx/ingress',
  tcx_egress: 'tcx/egress',
  netkit_primary: 'netkit-dev',
  netkit_peer: 'netkit-dev',
  netfilter: 'netfilter',
  flow_dissector: 'flow_dissector',
  sk_lookup: 'sk_lookup',
  lirc_mode2: 'lirc_mode2',
  cgroup_unix_connect: 'cgroup/connect_unix',
  cgroup_unix_sendmsg: 'cgroup/connect_unix',
  cgroup_unix_recvmsg: 'cgroup/connect_unix',
  cgroup_unix_getpeername: 'cgroup/connect_unix',
  cgroup_unix_getsockname: 'cgroup/connect_unix',
  trace_raw_tp: 'tp_btf',
  trace_fentry: 'fentry',
  trace_fexit: 'fexit',
  modify_return: 'fmod_ret',
  trace_iter: 'iter',
  lsm_mac: 'lsm',
  lsm_cgroup: 'lsm_cgroup',
  trace_kprobe_multi: 'kprobe.multi',
  trace_kprobe_session: 'kprobe.session',
  trace_uprobe_multi: 'uprobe.multi',
  trace_uprobe_session: 'uprobe.session',
};

/** By the first word of the section, without what marks it sleepable. */
const bySection: Readonly<Record<string, HookName>> = {
  kprobe: 'kprobe',
  kretprobe: 'kprobe',
  ksyscall: 'kprobe',
  kretsyscall: 'kprobe',
  uprobe: 'uprobe',
  uretprobe: 'uprobe',
  usdt: 'uprobe',
  tracepoint: 'tracepoint',
  tp: 'tracepoint',
  raw_tracepoint: 'raw_tracepoint',
  raw_tp: 'raw_tracepoint',
  'raw_tracepoint.w': 'raw_tracepoint.w',
  'raw_tp.w': 'raw_tracepoint.w',
  perf_event: 'perf_event',
  freplace: 'freplace',
  struct_ops: 'struct_ops',
};

/** @param section the first word of the program's section. @returns undefined where the program's type says it all */
export function hookOf(attach: AttachTypeWord | undefined, section: string): HookName | undefined {
  return (attach === undefined ? undefined : byAttachType[attach]) ?? bySection[section.replace(/\.s$/, '')];
}
