/** What the maps of an object look like to the compiler when its types are known. At run time they are all `BpfMap`s. */
import type { MapSignature, ObjectSignature, TypedCodec } from '../obj/object-types.js';
import type { KernelObject } from './kernel-object.js';
import type { BpfMap, EntryOptions, UpdateMode } from './map.js';
import type { Program } from './program.js';

/** What a `BpfMap` does with values of any type, which the typed ones do with theirs; and what would change their types. */
type UntypedOperation =
  | 'get'
  | 'lookup'
  | 'has'
  | 'mayHave'
  | 'set'
  | 'delete'
  | 'keys'
  | 'entries'
  | typeof Symbol.iterator
  | 'push'
  | 'pop'
  | 'peek'
  | 'setReference'
  | 'refersTo'
  | 'keyCodec'
  | 'valueCodec'
  | 'useTypes'
  | 'onHiddenTypes';

/** A map of a typed object: what maps of every type have in common. The operations are those of {@link BpfMap}. */
export interface TypedMap extends KernelObject, Omit<BpfMap, UntypedOperation | keyof KernelObject> {}

/** A map with keys. */
interface KeyedMap<M extends MapSignature> extends TypedMap {
  readonly keyCodec: TypedCodec<M['key'], M['keyInput']>;
  /** Of one CPU's value, where the map is per-CPU. */
  readonly valueCodec: TypedCodec<EachOf<M>['value'], EachOf<M>['valueInput']>;
}

/** What the value codec is for. */
type EachOf<M extends MapSignature> = M extends { readonly each: infer Each extends MapSignature } ? Each : M;

interface Readable<M extends MapSignature> {
  get(key: M['keyInput'], options?: EntryOptions): M['value'] | undefined;
  lookup(key: M['keyInput'], options?: EntryOptions): M['value'] | undefined;
  has(key: M['keyInput']): boolean;
}

interface Listed<M extends MapSignature> extends Iterable<[M['key'], M['value']]> {
  keys(): Generator<M['key']>;
  entries(): Generator<[M['key'], M['value']]>;
  [Symbol.iterator](): Generator<[M['key'], M['value']]>;
}

interface Writable<M extends MapSignature> {
  set(key: M['keyInput'], value: M['valueInput'], mode?: UpdateMode, options?: EntryOptions): void;
}

interface Deletable<M extends MapSignature> {
  delete(key: M['keyInput']): boolean;
}

/** A map whose entries come and go. */
export interface HashMap<M extends MapSignature>
  extends KeyedMap<M>,
    Readable<M>,
    Listed<M>,
    Writable<M>,
    Deletable<M> {}

/** A map whose entries are all there from the start: they are written, and not deleted. */
export interface ArrayMap<M extends MapSignature> extends KeyedMap<M>, Readable<M>, Listed<M>, Writable<M> {}

/** A map that user space reads. */
export interface ReadMap<M extends MapSignature> extends KeyedMap<M>, Readable<M>, Listed<M> {}

/** A map that programs write, and of which user space reads and deletes entries. */
export interface TraceMap<M extends MapSignature> extends ReadMap<M>, Deletable<M> {}

/** A map whose entries lie with sockets, processes, files or cgroups: the kernel lists none. */
export interface StorageMap<M extends MapSignature>
  extends KeyedMap<M>,
    Readable<M>,
    Writable<M>,
    Deletable<M> {}

/** A map into which things are put that the kernel does not show again. */
export interface SlotMap<M extends MapSignature> extends KeyedMap<M>, Writable<M>, Deletable<M> {}

/** A map whose entries refer to maps or programs. */
export interface ReferenceMap<M extends MapSignature, Target extends KernelObject> extends HashMap<M> {
  setReference(key: M['keyInput'], object: Target, mode?: UpdateMode): void;
}

/** A queue or stack. */
export interface QueueMap<M extends MapSignature> extends TypedMap {
  readonly valueCodec: TypedCodec<M['value'], M['valueInput']>;
  push(value: M['valueInput'], options?: { readonly evictOldest?: boolean | undefined }): void;
  pop(): M['value'] | undefined;
  peek(): M['value'] | undefined;
}

/** A bloom filter: what was pushed is there, and now and then something else seems to be. */
export interface FilterMap<M extends MapSignature> extends TypedMap {
  readonly valueCodec: TypedCodec<M['value'], M['valueInput']>;
  push(value: M['valueInput']): void;
  mayHave(value: M['valueInput']): boolean;
}

/** The signature of a per-CPU map as `get` and `set` see it: an array by CPU out, one value for all or an array in. */
export interface PerCpu<M extends MapSignature> extends MapSignature {
  readonly type: M['type'];
  readonly key: M['key'];
  readonly keyInput: M['keyInput'];
  readonly value: M['value'][];
  // An array is always one value a CPU, also where each of them is an array.
  readonly valueInput: Exclude<M['valueInput'], readonly unknown[]> | readonly M['valueInput'][];
  /** One CPU's. */
  readonly each: M;
}

/** The operations on a map, by its type. Maps of types that are not here have no entries, or such as only the kernel knows. */
export interface MapViews<M extends MapSignature> {
  readonly hash: HashMap<M>;
  readonly lru_hash: HashMap<M>;
  readonly percpu_hash: HashMap<PerCpu<M>>;
  readonly lru_percpu_hash: HashMap<PerCpu<M>>;
  readonly array: ArrayMap<M>;
  readonly percpu_array: ArrayMap<PerCpu<M>>;
  readonly globals: ArrayMap<M>;
  readonly constants: ReadMap<M>;
  readonly lpm_trie: HashMap<M>;
  readonly queue: QueueMap<M>;
  readonly stack: QueueMap<M>;
  readonly bloom_filter: FilterMap<M>;
  readonly array_of_maps: ReferenceMap<M, BpfMap | TypedMap>;
  readonly hash_of_maps: ReferenceMap<M, BpfMap | TypedMap>;
  readonly prog_array: ReferenceMap<M, Program>;
  readonly devmap: HashMap<M>;
  readonly devmap_hash: HashMap<M>;
  readonly cpumap: HashMap<M>;
  readonly sockmap: HashMap<M>;
  readonly sockhash: HashMap<M>;
  readonly reuseport_sockarray: HashMap<M>;
  readonly xskmap: SlotMap<M>;
  readonly perf_event_array: SlotMap<M>;
  readonly cgroup_array: SlotMap<M>;
  readonly stack_trace: TraceMap<M>;
  readonly cgroup_storage: ArrayMap<M>;
  readonly percpu_cgroup_storage: ArrayMap<PerCpu<M>>;
  readonly sk_storage: StorageMap<M>;
  readonly task_storage: StorageMap<M>;
  readonly inode_storage: StorageMap<M>;
  readonly cgrp_storage: StorageMap<M>;
}

/** A map with the signature `M`; a plain `BpfMap` where its type is not known. */
export type MapView<M extends MapSignature> = string extends M['type']
  ? BpfMap
  : M['type'] extends keyof MapViews<M>
    ? MapViews<M>[M['type']]
    : TypedMap;

/** A map of an object with the signature `S`. */
export type MapOf<S extends ObjectSignature, Name extends keyof S['maps']> = MapView<S['maps'][Name]>;
