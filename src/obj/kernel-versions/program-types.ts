import type { ProgramTypeWord } from '../sections.js';
import type { LinuxVersion } from './version.js';

/**
 * The Linux version that brought each program type: the first release whose include/uapi/linux/bpf.h has it in
 * `enum bpf_prog_type`. Hooks of one type may have come later, see `attachTypeSince`.
 */
const versions: Readonly<Record<Exclude<ProgramTypeWord, 'unspec'>, LinuxVersion>> = {
  socket_filter: '3.19', // commit ddd872bc3098
  kprobe: '4.1', // 2541517c32be
  sched_cls: '4.1', // 96be4325f443
  sched_act: '4.1', // 94caee8c312d
  tracepoint: '4.7', // 98b5c2c65c29
  xdp: '4.8', // 6a773a15a1e8
  perf_event: '4.9', // 0515e5999a46
  cgroup_skb: '4.10', // 0e33661de493
  cgroup_sock: '4.10', // 610236587600
  lwt_in: '4.10', // 3a0af8fd61f9, with the next two
  lwt_out: '4.10',
  lwt_xmit: '4.10',
  sock_ops: '4.13', // 40304b2a1567
  sk_skb: '4.14', // b005fd189cec
  cgroup_device: '4.15', // ebc614f68736
  sk_msg: '4.17', // 4f738adba30a
  raw_tracepoint: '4.17', // c4f6699dfcb8
  cgroup_sock_addr: '4.17', // 4fbac77d2d09
  lwt_seg6local: '4.18', // 004d4b274e2a
  lirc_mode2: '4.18', // f4364dcfc86d
  sk_reuseport: '4.19', // 2dbb9b9e6df6
  flow_dissector: '4.20', // d58e468b1112
  cgroup_sysctl: '5.2', // 7b146cebe30c
  raw_tracepoint_writable: '5.2', // 9df1c28bb752
  cgroup_sockopt: '5.3', // 0d01da6afc54
  tracing: '5.5', // f1b9509c2fb0
  struct_ops: '5.6', // 27ae7997a661
  ext: '5.6', // be8704ff07d2
  lsm: '5.7', // fc611f47f218
  sk_lookup: '5.9', // e9ddbb7707ff
  syscall: '5.14', // 79a7f8bdb159
  netfilter: '6.4', // 84601d6ee68a
};

/** The program types of Linux, in the order of their numbers. */
export const knownProgramTypes: readonly Exclude<ProgramTypeWord, 'unspec'>[] =
  Object.keys(versions).filter(isKnown);

function isKnown(word: string): word is Exclude<ProgramTypeWord, 'unspec'> {
  return word in versions;
}

/** The Linux version that brought a program type; `undefined` for `unspec`. */
export function programTypeSince(type: ProgramTypeWord): LinuxVersion | undefined {
  return type === 'unspec' ? undefined : versions[type];
}
