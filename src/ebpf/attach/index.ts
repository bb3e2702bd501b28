/** Attaching: one options object per kind of hook, each with a constructor that says what it is and since when. */
import type { Link } from '../link.js';
import type { Program } from '../program.js';
import type { Attachment } from './attachment.js';
import { attachCgroup, attachLsmCgroup, type CgroupOptions, type LsmCgroupOptions } from './cgroup.js';
import { attachIterator, type IteratorOptions } from './iterator.js';
import { attachLirc, type LircOptions } from './lirc.js';
import { attachLwt, type LwtOptions } from './lwt.js';
import {
  attachKprobeMulti,
  attachUprobeMulti,
  type KprobeMultiOptions,
  type UprobeMultiOptions,
} from './multi.js';
import { attachNetfilter, type NetfilterOptions } from './netfilter.js';
import { attachNetns, type FlowDissectorOptions, type SkLookupOptions } from './netns.js';
import { attachPerfEvent, attachTracepoint, type PerfEventOptions, type TracepointOptions } from './perf.js';
import { attachKprobe, attachUprobe, type KprobeOptions, type UprobeOptions } from './probes.js';
import { attachSocket, type SocketOptions } from './sockets.js';
import { attachSockmap, type SockmapOptions } from './sockmap.js';
import { attachStructOps, type StructOpsOptions } from './struct-ops.js';
import { attachTc, type TcOptions } from './tc.js';
import { attachNetkitDev, attachTcx, type NetkitDevOptions, type TcxOptions } from './tcx.js';
import {
  attachFreplace,
  attachRawTracepoint,
  attachTracing,
  type FreplaceOptions,
  type RawTracepointOptions,
  type TracingOptions,
} from './tracing.js';
import { attachUsdt, type UsdtOptions } from './usdt.js';
import { attachXdp, type XdpOptions } from './xdp.js';
import { attachMapEntry, type CpumapEntryOptions, type DevmapEntryOptions } from './xdp-map.js';

export { type Attachment, HeldAttachment, type Holder } from './attachment.js';
export type { BinaryPlace } from './binary-place.js';
export { type CgroupOptions, cgroup, type LsmCgroupOptions, lsmCgroup } from './cgroup.js';
export {
  type CgroupWalk,
  type IteratorOptions,
  iterator,
  iteratorOutput,
  iteratorText,
} from './iterator.js';
export { type LircOptions, lirc } from './lirc.js';
export { type LwtOptions, type LwtPoint, lwt } from './lwt.js';
export {
  type KprobeMultiOptions,
  kprobeMulti,
  type UprobeMultiOptions,
  type UprobeMultiPlace,
  uprobeMulti,
} from './multi.js';
export { type NetfilterOptions, netfilter } from './netfilter.js';
export type { NetfilterFamily, NetfilterStage } from './netfilter-words.js';
export { type FlowDissectorOptions, flowDissector, type SkLookupOptions, skLookup } from './netns.js';
export { type PerfEventOptions, perfEvent, type TracepointOptions, tracepoint } from './perf.js';
export { type KprobeOptions, kprobe, ksyscall, type UprobeOptions, uprobe } from './probes.js';
export { reuseport, type SocketOptions, socketFilter } from './sockets.js';
export { type SockmapAttachType, type SockmapOptions, sockmap } from './sockmap.js';
export { type StructOpsOptions, structOps } from './struct-ops.js';
export { type TcOptions, tc, tcAction } from './tc.js';
export { type Direction, type NetkitDevOptions, netkitDev, type TcxOptions, tcx } from './tcx.js';
export {
  type FreplaceOptions,
  freplace,
  type RawTracepointOptions,
  rawTracepoint,
  type TracingOptions,
  tracing,
} from './tracing.js';
export { type UsdtOptions, usdt } from './usdt.js';
export { type XdpMode, type XdpOptions, xdp } from './xdp.js';
export { type CpumapEntryOptions, cpumapEntry, type DevmapEntryOptions, devmapEntry } from './xdp-map.js';

/** Where the kernel keeps the attachment as a link, whatever its version. */
export type LinkOptions =
  | XdpOptions
  | TcxOptions
  | NetkitDevOptions
  | NetfilterOptions
  | CgroupOptions
  | LsmCgroupOptions
  | SkLookupOptions
  | FlowDissectorOptions
  | TracingOptions
  | FreplaceOptions
  | RawTracepointOptions
  | IteratorOptions
  | KprobeMultiOptions
  | UprobeMultiOptions;

/** Where who keeps the attachment depends on the kernel's version, or where it never is a link. */
export type HeldOptions =
  | TracepointOptions
  | PerfEventOptions
  | KprobeOptions
  | UprobeOptions
  | UsdtOptions
  | SockmapOptions
  | StructOpsOptions
  | TcOptions
  | LwtOptions
  | LircOptions
  | DevmapEntryOptions
  | CpumapEntryOptions
  | SocketOptions;

/** Where to attach a program: one kind of options for each hook. */
export type AttachOptions = LinkOptions | HeldOptions;

/**
 * Attaches a program. The attachment ends with what comes back: pin a link to keep it; what is no link says who holds it.
 * @throws NetkitError `not-found` (interface, cgroup, function, event), `conflict` (the hook is taken), `unsupported`
 *   (driver or kernel), `not-permitted`
 */
export function attach(program: Program, options: LinkOptions): Link;
export function attach(program: Program, options: AttachOptions): Attachment;
export function attach(program: Program, options: AttachOptions): Attachment {
  switch (options.hook) {
    case 'xdp':
      return attachXdp(program, options);
    case 'tcx':
      return attachTcx(program, options);
    case 'netkit-dev':
      return attachNetkitDev(program, options);
    case 'netfilter':
      return attachNetfilter(program, options);
    case 'cgroup':
      return attachCgroup(program, options);
    case 'lsm_cgroup':
      return attachLsmCgroup(program, options);
    case 'sk_lookup':
    case 'flow_dissector':
      return attachNetns(program, options);
    case 'tracing':
      return attachTracing(program, options);
    case 'freplace':
      return attachFreplace(program, options);
    case 'raw_tracepoint':
      return attachRawTracepoint(program, options);
    case 'iter':
      return attachIterator(program, options);
    case 'kprobe.multi':
      return attachKprobeMulti(program, options);
    case 'uprobe.multi':
      return attachUprobeMulti(program, options);
    default:
      return attachHeld(program, options);
  }
}

function attachHeld(program: Program, options: HeldOptions): Attachment {
  switch (options.hook) {
    case 'tracepoint':
      return attachTracepoint(program, options);
    case 'perf_event':
      return attachPerfEvent(program, options);
    case 'kprobe':
      return attachKprobe(program, options);
    case 'uprobe':
      return attachUprobe(program, options);
    case 'usdt':
      return attachUsdt(program, options);
    case 'sockmap':
      return attachSockmap(program, options);
    case 'struct_ops':
      return attachStructOps(program, options);
    case 'tc':
    case 'action':
      return attachTc(program, options);
    case 'lwt':
      return attachLwt(program, options);
    case 'lirc_mode2':
      return attachLirc(program, options);
    case 'xdp/devmap':
    case 'xdp/cpumap':
      return attachMapEntry(program, options);
    case 'socket':
    case 'sk_reuseport':
      return attachSocket(program, options);
  }
}
