import { attachTypes } from '../../base/kernel-words.js';
import type { AttachTypeWord } from '../sections.js';
import type { LinuxVersion } from './version.js';

/**
 * The attach types that came with each release, as `enum bpf_attach_type` of its include/uapi/linux/bpf.h lists them. New
 * ones are always added at the end, so the last of each release says it all.
 */
const lastOfRelease: readonly (readonly [version: LinuxVersion, last: AttachTypeWord])[] = [
  ['4.10', 'cgroup_inet_sock_create'],
  ['4.13', 'cgroup_sock_ops'],
  ['4.14', 'sk_skb_stream_verdict'],
  ['4.15', 'cgroup_device'],
  ['4.17', 'cgroup_inet6_post_bind'],
  ['4.18', 'lirc_mode2'],
  ['4.20', 'flow_dissector'],
  ['5.2', 'cgroup_udp6_recvmsg'],
  ['5.3', 'cgroup_setsockopt'],
  ['5.5', 'trace_fexit'],
  ['5.7', 'lsm_mac'],
  ['5.8', 'xdp_devmap'],
  ['5.9', 'xdp'],
  ['5.13', 'sk_skb_verdict'],
  ['5.14', 'sk_reuseport_select_or_migrate'],
  ['5.15', 'perf_event'],
  ['5.18', 'trace_kprobe_multi'],
  ['6.0', 'lsm_cgroup'],
  ['6.4', 'netfilter'],
  ['6.6', 'trace_uprobe_multi'],
  ['6.7', 'netkit_peer'],
  ['6.10', 'trace_kprobe_session'],
  ['6.13', 'trace_uprobe_session'],
];

/** The Linux version that brought an attach type; `undefined` for one that is newer than this table. */
export function attachTypeSince(type: AttachTypeWord): LinuxVersion | undefined {
  const number = attachTypes.indexOf(type);
  return lastOfRelease.find(([, last]) => number <= attachTypes.indexOf(last))?.[0];
}
