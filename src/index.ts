/** The public API of netkit: objects as data, loading, attaching, maps. What a name promises stands in its doc comment. */
export { type ErrorCode, type ErrorContext, NetkitError } from './base/errors.js';
export { Scope } from './base/scope.js';
export { type BuildResult, type BuiltObject, type CompileOptions, compile } from './build/clang.js';
export type { Diagnostic, Note, Place } from './build/diagnostics.js';
export { type TypesModule, typesModule } from './build/types-module.js';
export { type VmlinuxOptions, vmlinuxHeader } from './build/vmlinux.js';
export {
  type AttachOptions,
  type Direction,
  type TcxOptions,
  tcx,
  type XdpMode,
  type XdpOptions,
  xdp,
} from './ebpf/attach.js';
export type { EventBatch, EventOptions } from './ebpf/event-batch.js';
export { type BatchesOptions, EventBuffer } from './ebpf/event-buffer.js';
export { type Availability, type HookName, hookAvailable } from './ebpf/feature.js';
export { KernelObject } from './ebpf/kernel-object.js';
export { Link, type LinkInfo } from './ebpf/link.js';
export { type LoadOptions, load } from './ebpf/load.js';
export { LoadedObject } from './ebpf/loaded-object.js';
export {
  BpfMap,
  type CreateMapOptions,
  type EntryOptions,
  type MapBtf,
  type MapFlagWord,
  type MapInfo,
  type MapTypes,
  PartialWrite,
  type ReadOptions,
  type UpdateMode,
  type WriteOptions,
} from './ebpf/map.js';
export { type MapChange, MapChanges } from './ebpf/map-changes.js';
export { PerfBuffer, type PerfBufferOptions } from './ebpf/perf-buffer.js';
export { Program, type ProgramInfo } from './ebpf/program.js';
export { RingBuffer, type RingBufferOptions } from './ebpf/ring-buffer.js';
export {
  addFilter,
  deleteEmptyQdisc,
  deleteFilter,
  filterProgramId,
  replaceFilter,
  type TcFilter,
} from './ebpf/tc-filter.js';
export type { TestRunOptions, TestRunResult } from './ebpf/test-run.js';
export type {
  ArrayMap,
  FilterMap,
  HashMap,
  MapOf,
  MapView,
  PerCpu,
  QueueMap,
  ReadMap,
  ReferenceMap,
  SlotMap,
  StorageMap,
  TypedMap,
} from './ebpf/typed.js';
export { UserRing } from './ebpf/user-ring.js';
export { type SourcePlace, VerifierError } from './ebpf/verifier-error.js';
export { findInterface, type Interface } from './host/interfaces.js';
export { Netns, openNetns, withNetns } from './host/netns.js';
export type { BtfGraph, BtfType } from './obj/btf/types.js';
export {
  type BtfCodecOptions,
  type Codec,
  type CodecOptions,
  codecFor,
  codecForWord,
  type FieldOrder,
  type Value,
  type WordCodecOptions,
} from './obj/codec/index.js';
export type { EntryBatch, EntryShape } from './obj/entries/batch.js';
export type { Globals } from './obj/globals.js';
export type {
  Cookie,
  Descriptor,
  GlobalSignature,
  Hex,
  HexPrefix,
  Ipv4,
  Ipv6,
  Mac,
  MapSignature,
  ObjectSignature,
  ObjectTypes,
  Pointer,
  Prefix4,
  Prefix6,
  ProcessId,
  Reference,
  TypedCodec,
  UntypedObject,
} from './obj/object-types.js';
export { type Capture, type CapturedPacket, readPcap, writePcap } from './obj/pcap.js';
export type { AttachTypeWord, ProgramTypeWord, SectionTarget } from './obj/sections.js';
export {
  type ExternSpec,
  type GlobalSpec,
  type MapSpec,
  type MapTypeWord,
  ObjectSpec,
  type ParseOptions,
  type ProgramSpec,
  type SourceLine,
  type SubprogramSpec,
  type TypedOptions,
} from './obj/spec.js';
