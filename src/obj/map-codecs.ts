/** How keys and values of a map are written and read, by its type, its widths and its BTF: the same before and after loading. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import type { BtfGraph } from './btf/types.js';
import { bytesCodec, type Codec, codecFor, codecForWord, type Value } from './codec/index.js';

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

/** Maps whose entries are all there from the start, under the keys 0, 1, 2 and so on. */
export const arrayTypes: ReadonlySet<string> = new Set([
  'array',
  'percpu_array',
  'prog_array',
  'perf_event_array',
  'array_of_maps',
  'cgroup_array',
]);

/** What the entries of a map refer to, by its type. */
export const referenceTypes: Readonly<Record<string, 'map' | 'program' | undefined>> = {
  array_of_maps: 'map',
  hash_of_maps: 'map',
  prog_array: 'program',
};

const indexBytes = 4;
const descriptorBytes = 4;

/**
 * The codec of a map's keys, or of its values. What has no type, or one without a form of the map's width, is bytes;
 * the indices of arrays are numbers all the same.
 */
export function mapCodec(part: MapPart, shape: MapShape, type?: PartType): Codec {
  const target = referenceTypes[shape.type];
  if (part === 'value' && target !== undefined) return referenceCodec(target);
  const size = part === 'key' ? shape.keySize : shape.valueSize;
  return typedCodec(part, shape, size, type) ?? untypedCodec(part, shape, size);
}

function typedCodec(part: MapPart, shape: MapShape, size: number, type?: PartType): Codec | undefined {
  if (type === undefined) return undefined;
  try {
    const prefix = part === 'key' && shape.type === 'lpm_trie';
    const codec = codecFor(type.btf, type.id, { role: part, prefix });
    return codec.size === size ? codec : undefined;
  } catch (error) {
    // A type without a fixed form, such as one with a flexible tail, or one that damaged BTF made.
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}

function untypedCodec(part: MapPart, { type }: MapShape, size: number): Codec {
  const isIndex = part === 'key' && size === indexBytes && arrayTypes.has(type);
  return isIndex ? codecForWord('u32', { role: part }) : bytesCodec(size, { role: part });
}

/**
 * Values of maps of maps and of program arrays. The kernel takes a descriptor and gives an id back: `id:12` comes out,
 * and only a number, which is a descriptor of this process, goes in.
 */
function referenceCodec(to: 'map' | 'program'): Codec {
  const write = (value: Value, view: DataView, offset: number): void => {
    if (typeof value !== 'number') {
      throw new NetkitError('bad-value', `the value is a ${to}: write it with setReference`);
    }
    view.setUint32(offset, value, hostIsLittleEndian);
  };
  return {
    size: descriptorBytes,
    typeName: `reference to a ${to}`,
    encode: write,
    decode: (view, offset) => `id:${view.getUint32(offset, hostIsLittleEndian)}`,
    parse: (text) => text,
    format: (value) => String(value),
    describe: () => `a ${to}: FUNCTION/${to.toUpperCase()}, id:N, name:TEXT or a pin`,
    encodeText: write,
  };
}
