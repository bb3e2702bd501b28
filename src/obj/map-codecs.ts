/** How keys and values of a map are written and read, by its type, its widths and its BTF: the same before and after loading. */
import { counted } from '../base/counted.js';
import { NetkitError } from '../base/errors.js';
import type { BtfGraph } from './btf/types.js';
import { bytesCodec, type Codec, codecFor, codecForWord, type FieldOrder } from './codec/index.js';
import { descriptorCodec, redirectCodec, referenceCodec } from './map-reference-codecs.js';

export type MapPart = 'key' | 'value';

/** What the kernel and an object both tell of a map. */
export interface MapShape {
  /** The kernel's word, such as `lpm_trie`. */
  readonly type: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes, of one CPU's value where the map is per-CPU. */
  readonly valueSize: number;
}

/** The type of a key or value. */
export interface PartType {
  readonly btf: BtfGraph;
  readonly id: number;
}

/** Maps whose keys are the numbers from 0 to their size: a key outside of that is out of range, never absent. */
export const indexTypes: ReadonlySet<string> = new Set([
  'array',
  'percpu_array',
  'prog_array',
  'perf_event_array',
  'cgroup_array',
  'array_of_maps',
  'devmap',
  'cpumap',
  'xskmap',
  'sockmap',
  'reuseport_sockarray',
]);

/** Maps whose keys, where they have four bytes, are numbers, though no BTF says so. */
export const numberedTypes: ReadonlySet<string> = new Set([
  ...indexTypes,
  'stack_trace',
  'devmap_hash',
  'struct_ops',
]);

/** What the entries of a map refer to, by its type. */
export const referenceTypes: Readonly<Record<string, 'map' | 'program' | undefined>> = {
  array_of_maps: 'map',
  hash_of_maps: 'map',
  prog_array: 'program',
};

const indexBytes = 4;

/** Keys, and values, that are descriptors: how people name what they are of. */
export const openKeys: Readonly<Record<string, readonly [what: string, ...forms: string[]] | undefined>> = {
  sk_storage: ['a socket'],
  task_storage: ['a process', 'pid:N'],
  inode_storage: ['a file', 'its path'],
  cgrp_storage: ['a cgroup', 'the path of its folder'],
};
export const openValues: Readonly<Record<string, readonly [what: string, ...forms: string[]] | undefined>> = {
  perf_event_array: ['a perf event'],
  cgroup_array: ['a cgroup', 'the path of its folder'],
  xskmap: ['an AF_XDP socket'],
  sockmap: ['a socket'],
  sockhash: ['a socket'],
  reuseport_sockarray: ['a socket'],
};

/**
 * The codec of a map's keys, or of its values. What has no type, or one without a form of the map's width, is bytes;
 * the indices of arrays are numbers all the same.
 * @param fieldOrders byte orders of members that the type does not tell, by dotted path or name: `{ port: 'be16' }`
 * @throws NetkitError `bad-value` when the type has no such members, or another width than the map; nothing without
 *   `fieldOrders`
 */
export function mapCodec(
  part: MapPart,
  shape: MapShape,
  type?: PartType,
  fieldOrders?: Readonly<Record<string, FieldOrder>>,
): Codec {
  const target = referenceTypes[shape.type];
  if (part === 'value' && target !== undefined) return referenceCodec(target);
  const size = part === 'key' ? shape.keySize : shape.valueSize;
  const open = (part === 'key' ? openKeys : openValues)[shape.type];
  if (open !== undefined && (size === 4 || size === 8)) return descriptorCodec(size, open[0], open.slice(1));
  if (part === 'value' && isRedirect(shape.type) && size === 8) return redirectCodec(shape.type);
  const prefix = part === 'key' && shape.type === 'lpm_trie';
  if (fieldOrders !== undefined && type !== undefined) {
    const codec = codecFor(type.btf, type.id, { role: part, prefix, fieldOrders });
    if (codec.size === size) return codec;
    throw new NetkitError(
      'bad-value',
      `${codec.typeName} has ${counted(codec.size, 'byte')}, the ${part}s of this map have ${size}`,
    );
  }
  return typedCodec(part, size, prefix, type) ?? untypedCodec(part, shape, size);
}

function typedCodec(part: MapPart, size: number, prefix: boolean, type?: PartType): Codec | undefined {
  if (type === undefined) return undefined;
  try {
    const codec = codecFor(type.btf, type.id, { role: part, prefix });
    return codec.size === size ? codec : undefined;
  } catch (error) {
    // A type without a fixed form, such as one with a flexible tail, or one that damaged BTF made.
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}

/** Maps of what packets are redirected to. */
export function isRedirect(type: string): type is 'devmap' | 'devmap_hash' | 'cpumap' {
  return type === 'devmap' || type === 'devmap_hash' || type === 'cpumap';
}

function untypedCodec(part: MapPart, { type }: MapShape, size: number): Codec {
  const isNumber = part === 'key' ? numberedTypes.has(type) : isRedirect(type);
  return isNumber && size === indexBytes
    ? codecForWord('u32', { role: part })
    : bytesCodec(size, { role: part, hint: typeHint(part, size) });
}

/** Types that people mean most often, by their bytes. */
const usualWords: Readonly<Record<number, string>> = {
  1: 'u8',
  2: 'u16',
  4: 'u32',
  6: 'mac',
  8: 'u64',
  16: 'ipv6',
};

function typeHint(part: MapPart, size: number): string {
  const option = `--${part}-type ${usualWords[size] ?? "'struct …' --types OBJ"}`;
  return `no type of the ${part}s is known: give one, such as ${option}, or the bytes as hex:…`;
}
