/** The types that a new map is to have, and what of them the kernel will keep. */
import { NetkitError } from '../base/errors.js';
import type { MapBtf } from '../ebpf/map-create.js';
import { mapPlan } from '../ebpf/map-plans.js';
import { type MapTypes as BlobTypes, btfForMap } from '../obj/btf/map-types.js';
import { type Codec, codecFor, codecForWord } from '../obj/codec/index.js';
import type { MapPart, PartType } from '../obj/map-codecs.js';
import type { MapTypeWord } from '../obj/map-definition.js';
import { namedType, readTypeOptions, type TypeOptions } from './entry-types.js';
import type { MapShape } from './map-shape.js';

export interface NewMapTypes {
  /** Bytes; undefined where no type was named. */
  readonly keySize: number | undefined;
  readonly valueSize: number | undefined;
  /** What the kernel is given; undefined where it keeps no types. */
  btfFor(shape: MapShape): MapBtf | undefined;
  /** What a user has to know of types that were named and are not kept. */
  forgotten(kept: boolean): string | undefined;
}

interface NamedPart {
  readonly word: string;
  readonly codec: Codec;
  readonly type: PartType | undefined;
}

/** @throws NetkitError `usage`, `not-found`, `bad-value` for a type that keys of such a map cannot have */
export async function newMapTypes(type: MapTypeWord, options: TypeOptions): Promise<NewMapTypes> {
  const { spec } = await readTypeOptions(options);
  const read = (part: MapPart, word: string | undefined): NamedPart | undefined => {
    if (word === undefined) return undefined;
    const prefix = part === 'key' && type === 'lpm_trie';
    const named = namedType(word, spec);
    if (named === undefined) {
      const codec = codecForWord(word, { role: part });
      if (prefix && !/^(prefix[46]|bytes:\d+)$/.test(word)) throw notPrefix(word);
      return { word, codec, type: undefined };
    }
    return { word, codec: codecFor(named.btf, named.id, { role: part, prefix }), type: named };
  };
  const key = read('key', options.keyType);
  const value = read('value', options.valueType);
  const takesTypes = mapPlan(type).btf !== 'none';
  return {
    keySize: key?.codec.size,
    valueSize: value?.codec.size,
    btfFor: (shape) => (takesTypes ? blobOf(type, shape, key, value) : undefined),
    forgotten: (kept) => {
      const words = [key, value].flatMap((part) => {
        // Bytes are what is shown without a type.
        if (part === undefined || /^bytes:/.test(part.word)) return [];
        const word = /^[\w:]+$/.test(part.word) ? part.word : `'${part.word}'`;
        return [`--${part === key ? 'key' : 'value'}-type ${word}`];
      });
      if (kept || words.length === 0) return undefined;
      const why = takesTypes ? 'only for keys and values together, and not for bytes' : `for no ${type} map`;
      return `the kernel keeps types ${why}: commands on entries need ${words.join(' and ')}`;
    },
  };
}

function blobOf(
  type: MapTypeWord,
  { keySize, valueSize }: MapShape,
  key: NamedPart | undefined,
  value: NamedPart | undefined,
): MapBtf | undefined {
  if (value === undefined && valueSize > 0) return undefined;
  const types: BlobTypes = {
    key: key === undefined ? impliedKey(type, keySize) : given(key),
    value: given(value),
  };
  const blob = btfForMap(types);
  // The kernel takes both or none.
  if (blob === undefined || (keySize > 0 && blob.key === 0) || (valueSize > 0 && blob.value === 0))
    return undefined;
  return { blob: blob.bytes, keyTypeId: blob.key, valueTypeId: blob.value };
}

function given(part: NamedPart | undefined): BlobTypes['key'] {
  if (part === undefined) return undefined;
  return part.type ?? { word: part.word, size: part.codec.size };
}

/** Keys that need not be named: indices, and what local storage belongs to. */
function impliedKey(type: MapTypeWord, size: number): BlobTypes['key'] {
  if (size !== 4) return undefined;
  if (type === 'array' || type === 'percpu_array') return { word: 'u32' };
  return mapPlan(type).btf === 'needed' ? { word: 's32' } : undefined;
}

function notPrefix(word: string): NetkitError {
  return new NetkitError(
    'bad-value',
    `${word} is no type for the keys of an lpm_trie map: they are prefixes`,
    {
      hint: 'prefix4, prefix6, or a C struct of a __u32 length and an address',
    },
  );
}
