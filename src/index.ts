/** The public API of netkit: objects as data, loading, attaching, maps. What a name promises stands in its doc comment. */
export { type ErrorCode, NetkitError } from './base/errors.js';
export { Scope } from './base/scope.js';
export { compile } from './build/clang.js';
export { vmlinuxHeader } from './build/vmlinux.js';
export {
  type AttachOptions,
  type TcxOptions,
  tcx,
  type XdpMode,
  type XdpOptions,
  xdp,
} from './ebpf/attach.js';
export { hookAvailable } from './ebpf/feature.js';
export { KernelObject } from './ebpf/kernel-object.js';
export { Link, type LinkInfo } from './ebpf/link.js';
export { type LoadOptions, load } from './ebpf/load.js';
export { LoadedObject } from './ebpf/loaded-object.js';
export { BpfMap, type MapInfo, type MapTypes, type UpdateMode } from './ebpf/map.js';
export { Program, type ProgramInfo } from './ebpf/program.js';
export { addFilter, deleteFilter, filterProgramId, replaceFilter, type TcFilter } from './ebpf/tc-filter.js';
export type { TestRunOptions, TestRunResult } from './ebpf/test-run.js';
export { VerifierError } from './ebpf/verifier-error.js';
export { Netns, openNetns, withNetns } from './host/netns.js';
export { type Codec, codecFor, codecForWord, type Value } from './obj/codec/index.js';
export { readPcap, writePcap } from './obj/pcap.js';
export { type GlobalSpec, type MapSpec, ObjectSpec, type ProgramSpec } from './obj/spec.js';
