/** The public API of netkit: objects as data, loading, attaching, maps. What a name promises stands in its doc comment. */
export { type ErrorCode, type ErrorContext, NetkitError } from './base/errors.js';
export { Scope } from './base/scope.js';
export { type BuildResult, type BuiltObject, type CompileOptions, compile } from './build/clang.js';
export type { Diagnostic, Note, Place } from './build/diagnostics.js';
export { type TypesModule, typesModule } from './build/types-module.js';
export { type VmlinuxOptions, vmlinuxHeader } from './build/vmlinux.js';
export {
  type Attachment,
  type AttachOptions,
  type BinaryPlace,
  type CgroupOptions,
  type CgroupWalk,
  type CpumapEntryOptions,
  cgroup,
  cpumapEntry,
  type DevmapEntryOptions,
  type Direction,
  devmapEntry,
  type FlowDissectorOptions,
  type FreplaceOptions,
  flowDissector,
  freplace,
  HeldAttachment,
  type HeldOptions,
  type Holder,
  type IteratorOptions,
  iterator,
  iteratorOutput,
  iteratorText,
  type KprobeMultiOptions,
  type KprobeOptions,
  kprobe,
  kprobeMulti,
  ksyscall,
  type LinkOptions,
  type LircOptions,
  type LsmCgroupOptions,
  type LwtOptions,
  type LwtPoint,
  lirc,
  lsmCgroup,
  lwt,
  type NetfilterFamily,
  type NetfilterOptions,
  type NetfilterStage,
  type NetkitDevOptions,
  netfilter,
  netkitDev,
  type PerfEventOptions,
  perfEvent,
  type RawTracepointOptions,
  rawTracepoint,
  reuseport,
  type SkLookupOptions,
  type SocketOptions,
  type SockmapAttachType,
  type SockmapOptions,
  type StructOpsOptions,
  skLookup,
  socketFilter,
  sockmap,
  structOps,
  type TcOptions,
  type TcxOptions,
  type TracepointOptions,
  type TracingOptions,
  tc,
  tcAction,
  tcx,
  tracepoint,
  tracing,
  type UprobeMultiOptions,
  type UprobeMultiPlace,
  type UprobeOptions,
  type UsdtOptions,
  uprobe,
  uprobeMulti,
  usdt,
  type XdpMode,
  type XdpOptions,
  xdp,
} from './ebpf/attach/index.js';
export type { Slot } from './ebpf/dispatcher/build.js';
export {
  type Chain,
  type ChainMember,
  type ChainMode,
  type LoneProgram,
  type MemberProgram,
  readChain,
  type XdpOccupant,
} from './ebpf/dispatcher/chain.js';
export {
  type Changed,
  type ChangeOptions,
  changeChain,
  type Edit,
  type Present,
  type Wanted,
} from './ebpf/dispatcher/change.js';
export { adding, loadedMember, type Placing, placing, removing, replacing } from './ebpf/dispatcher/edits.js';
export { loadMember, type MemberSource } from './ebpf/dispatcher/member.js';
export type { ChainPlace } from './ebpf/dispatcher/place.js';
export type { EventBatch, EventOptions } from './ebpf/event-batch.js';
export { type BatchesOptions, EventBuffer } from './ebpf/event-buffer.js';
export {
  type InterfaceAbilities,
  interfaceAbilities,
  type XdpAbilities,
} from './ebpf/feature/interfaces.js';
export { type MapType, mapTypeAvailable } from './ebpf/feature/map-types.js';
export { type ProgramType, programTypeAvailable } from './ebpf/feature/program-types.js';
export { type Availability, type HookName, hookAvailable } from './ebpf/feature.js';
export { KernelObject } from './ebpf/kernel-object.js';
export { Link, type LinkInfo } from './ebpf/link.js';
export type { LinkDetails, PerfDetails } from './ebpf/link-details.js';
export { type LoadOptions, type LoadTarget, load } from './ebpf/load.js';
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
export {
  type Anchor,
  type Order,
  type OrderEntry,
  type OrderPlace,
  type Position,
  type PositionChooser,
  queryOrder,
} from './ebpf/order.js';
export { PerfBuffer, type PerfBufferOptions } from './ebpf/perf-buffer.js';
export {
  type CounterReading,
  type Measurement,
  type PassedOver,
  type Profile,
  type ProfileOptions,
  profile,
  type Tier,
} from './ebpf/profile/index.js';
export { Program, type ProgramInfo } from './ebpf/program.js';
export { type ProgramListing, programListing } from './ebpf/program-listing.js';
export type { ProgramRunOptions, ProgramRunResult } from './ebpf/program-run.js';
export { type StreamLine, type StreamName, streamLines } from './ebpf/program-streams.js';
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
export { traceLines } from './ebpf/trace-pipe.js';
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
export { type Verification, verify } from './ebpf/verify.js';
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
export type { ListedFunction, ListedInstruction } from './obj/instructions/listing.js';
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
export { type ObjectRequirements, type Requirement, requirementsOf } from './obj/requirements.js';
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
export type {
  ExplainedRegister,
  Explanation,
  RefusalRule,
  RelatedPlace,
} from './obj/verifier/explanation.js';
export type { VerifierStatistics } from './obj/verifier/statistics.js';
export type { XdpVerdict } from './obj/xdp-dispatcher/actions.js';
