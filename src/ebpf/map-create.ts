/** Making a map by hand, with what its type prescribes filled in. */
import { counted } from '../base/counted.js';
import { NetkitError } from '../base/errors.js';
import { mapTypes } from '../base/kernel-words.js';
import { atLeast, kernelRelease } from '../host/kernel.js';
import { pageSize } from '../host/page-size.js';
import { btfForMap } from '../obj/btf/map-types.js';
import { readBtf } from '../obj/btf/read.js';
import type { BtfGraph } from '../obj/btf/types.js';
import { mapCodec } from '../obj/map-codecs.js';
import type { MapTypeWord } from '../obj/map-definition.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { createMap, type MapAttributes } from '../sys/map-calls.js';
import { giveTypes } from './give-types.js';
import { runningBtf } from './kernel-btf.js';
import { type MapFlagWord, mapFlags } from './map-flags.js';
import type { MapInfo } from './map-info.js';
import type { MapObject, MapTypes } from './map-object.js';
import { byteCount, type MapPlan, mapPlan } from './map-plans.js';

/** The types of a map's keys and values, as the kernel is to keep them. */
export interface MapBtf {
  /** BTF of this machine's byte order that holds the types. */
  readonly blob: Uint8Array;
  /** 0, or left out, for none. */
  readonly keyTypeId?: number | undefined;
  /** 0, or left out, for none. */
  readonly valueTypeId?: number | undefined;
}

/** What a map is to be. */
export interface CreateMapOptions {
  readonly type: MapTypeWord;
  /** At most 15 bytes of letters, digits, `_` and `.` reach the kernel. */
  readonly name?: string | undefined;
  /** Bytes; left out where the type prescribes it or BTF tells. */
  readonly keySize?: number | undefined;
  /** Likewise. */
  readonly valueSize?: number | undefined;
  /** How many entries fit; of ring buffers the bytes, of an arena the pages. */
  readonly maxEntries?: number | undefined;
  readonly flags?: readonly MapFlagWord[] | undefined;
  readonly btf?: MapBtf | undefined;
  /** For a map of maps: one like those that will be in it. */
  readonly inner?: MapObject | undefined;
  /** The NUMA node to take the memory from. */
  readonly numaNode?: number | undefined;
  /** `map_extra`: how many hash functions a bloom filter has (1 to 15), or where an arena lies in user space. Kernel 5.16. */
  readonly extra?: bigint | undefined;
  /** For struct_ops: the kernel's struct, such as `tcp_congestion_ops`. */
  readonly struct?: string | undefined;
}

/** The types that were given, for the functions below. @internal @throws NetkitError `bad-object` */
export function typeGraph({ btf }: CreateMapOptions): BtfGraph | undefined {
  return btf === undefined ? undefined : readBtf(btf.blob);
}

/** @internal @throws NetkitError */
export function createMapFd(options: CreateMapOptions, graph: BtfGraph | undefined): Fd {
  const plan = mapPlan(options.type);
  const attributes = attributesOf(options, plan, graph);
  const usesBtf = options.btf !== undefined && plan.btf !== 'none';
  if (plan.btf === 'needed' && !usesBtf) {
    throw new NetkitError(
      'bad-value',
      `${article(options.type)} map needs BTF: types of its keys and values`,
    );
  }
  if (options.type === 'struct_ops') return createStructOps(options, attributes);
  if (!usesBtf || options.btf === undefined) return create(options, attributes);
  const { blob, keyTypeId = 0, valueTypeId = 0 } = options.btf;
  using fd = giveTypes(blob);
  const typed = { btf_fd: fd.value, btf_key_type_id: keyTypeId, btf_value_type_id: valueTypeId };
  return create(options, { ...attributes, ...typed });
}

/** The kernel wants BTF of the caller's beside its own, and looks at none of it. */
function createStructOps(options: CreateMapOptions, attributes: MapAttributes): Fd {
  const made = btfForMap({ value: { word: 'u32' } });
  if (made === undefined) return create(options, attributes);
  using fd = giveTypes(made.bytes);
  return create(options, { ...attributes, btf_fd: fd.value });
}

/** The codecs of the types that were given: reading them back from the kernel would need CAP_SYS_ADMIN. @internal */
export function typesOf({ btf }: CreateMapOptions, info: MapInfo, graph: BtfGraph | undefined): MapTypes {
  if (btf === undefined || graph === undefined) return {};
  const codec = (part: 'key' | 'value', id: number | undefined) =>
    id === undefined || id === 0 ? undefined : mapCodec(part, info, { btf: graph, id });
  return { key: codec('key', btf.keyTypeId), value: codec('value', btf.valueTypeId) };
}

function attributesOf(options: CreateMapOptions, plan: MapPlan, graph: BtfGraph | undefined): MapAttributes {
  const { type, btf, inner, numaNode, extra } = options;
  const struct = type === 'struct_ops' ? structOf(options.struct) : undefined;
  const keySize = sizeOf('key', options.keySize, plan.keySize, typeSize(graph, btf?.keyTypeId), type);
  const valueSize = sizeOf(
    'value',
    options.valueSize,
    struct?.size ?? plan.valueSize,
    typeSize(graph, btf?.valueTypeId),
    type,
  );
  const maxEntries = options.maxEntries ?? plan.maxEntries;
  if (maxEntries === undefined)
    throw new NetkitError('bad-value', `${article(type)} map needs maxEntries: ${plan.entriesAre}`);
  if (plan.maxEntries === 0 && maxEntries !== 0)
    throw new NetkitError(
      'bad-value',
      `${article(type)} map has no size: its entries come and go with what they belong to`,
    );
  if (plan.inner && inner === undefined)
    throw new NetkitError(
      'bad-value',
      `${article(type)} map needs an inner map: one like those that will be in it`,
    );
  if (!plan.inner && inner !== undefined)
    throw new NetkitError('bad-value', `${article(type)} map has no inner maps`);
  const flags = [...(options.flags ?? []), ...plan.flags].reduce((all, word) => all | mapFlags[word], 0);
  return {
    map_type: mapTypes.indexOf(type),
    key_size: keySize,
    value_size: valueSize,
    max_entries: maxEntries,
    map_flags: numaNode === undefined ? flags : flags | mapFlags.numa_node,
    numa_node: numaNode ?? 0,
    inner_map_fd: inner?.fd.value ?? 0,
    map_extra: extra ?? 0n,
    btf_vmlinux_value_type_id: struct?.id ?? 0,
  };
}

function sizeOf(
  part: 'key' | 'value',
  given: number | undefined,
  fixed: number | readonly number[] | undefined,
  typed: number | undefined,
  type: string,
): number {
  const size = given ?? typed ?? (typeof fixed === 'number' ? fixed : fixed?.[0]);
  if (size === undefined)
    throw new NetkitError('bad-value', `${article(type)} map needs ${part}Size, or BTF with a type for it`);
  if (given !== undefined && typed !== undefined && given !== typed)
    throw new NetkitError('bad-value', `${part}Size is ${given}, but the type has ${counted(typed, 'byte')}`);
  const allowed = typeof fixed === 'number' ? [fixed] : fixed;
  if (allowed !== undefined && !allowed.includes(size)) {
    const wanted = allowed.join(' or ');
    throw new NetkitError(
      'bad-value',
      `the ${part}s of ${article(type)} map have ${wanted} bytes, not ${size}`,
    );
  }
  return size;
}

function typeSize(graph: BtfGraph | undefined, id: number | undefined): number | undefined {
  return graph === undefined || id === undefined || id === 0 ? undefined : graph.sizeOf(id);
}

function structOf(name: string | undefined): { readonly id: number; readonly size: number } {
  if (name === undefined)
    throw new NetkitError(
      'bad-value',
      'a struct_ops map needs the kernel struct that its programs are members of',
    );
  const btf = runningBtf();
  const type = btf?.find(`bpf_struct_ops_${name}`, 'struct');
  if (btf === undefined || type === undefined)
    throw new NetkitError('unsupported', `this kernel takes no programs as members of a struct ${name}`);
  return { id: type.id, size: btf.sizeOf(type.id) };
}

function create(options: CreateMapOptions, attributes: MapAttributes): Fd {
  const { type, name = '' } = options;
  if (!/^[\w.]{0,15}$/.test(name))
    throw new NetkitError(
      'bad-value',
      `'${name}' is no name for a map: at most 15 letters, digits, '_' and '.'`,
    );
  try {
    return createMap(attributes, name);
  } catch (error) {
    throw explainCreate(error, type);
  }
}

/** Whether the kernel makes any map of the type; undefined for those that one cannot just be made of. */
function isMade(type: MapTypeWord): boolean | undefined {
  const { keySize, valueSize, maxEntries, flags, inner, btf, entriesAre } = mapPlan(type);
  if (inner || btf === 'needed' || maxEntries === 0 || type === 'struct_ops') return undefined;
  const first = (sizes: typeof keySize): number => (typeof sizes === 'object' ? sizes[0] : sizes) ?? 8;
  try {
    using _map = createMap(
      {
        map_type: mapTypes.indexOf(type),
        key_size: first(keySize),
        value_size: first(valueSize),
        max_entries: entriesAre === byteCount ? pageSize() : 1,
        map_flags: flags.reduce((all, word) => all | mapFlags[word], 0),
      },
      '',
    );
    return true;
  } catch {
    return false;
  }
}

function explainCreate(error: unknown, type: MapTypeWord): unknown {
  const [major, minor] = mapPlan(type).since;
  const context = { cause: error, details: { type } };
  if (isErrno(error, 'EINVAL', 'EOPNOTSUPP', 'ENOTSUPP') && !atLeast(major, minor)) {
    const since = `they came with Linux ${major}.${minor}, this is ${kernelRelease()}`;
    return new NetkitError('unsupported', `this kernel has no ${type} maps: ${since}`, context);
  }
  if (isErrno(error, 'EINVAL', 'ENOTSUPP', 'EOPNOTSUPP')) {
    const made = isMade(type);
    if (made === false)
      return new NetkitError('unsupported', `this kernel was built without ${type} maps`, context);
    const orNot = made === undefined ? ', or it was built without them' : '';
    const message = `the kernel makes no such ${type} map: a size or flag does not fit${orNot}`;
    return new NetkitError('bad-value', message, context);
  }
  if (isErrno(error, 'EPERM'))
    return new NetkitError(
      'not-permitted',
      `making ${article(type)} map is not allowed for this user`,
      context,
    );
  if (isErrno(error, 'E2BIG', 'ENOMEM'))
    return new NetkitError('failed', `there is no memory for ${article(type)} map of that size`, context);
  return error;
}

function article(type: string): string {
  return `${/^[ai]/.test(type) ? 'an' : 'a'} ${type}`;
}
