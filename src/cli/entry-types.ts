/** Which types the keys and values of a map have: by the command line, the kernel's BTF, or the function's stored object. */
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { kernelBtf } from '../ebpf/kernel-btf.js';
import type { BpfMap, MapTypes } from '../ebpf/map.js';
import { missingFor } from '../host/capabilities.js';
import { type Codec, codecFor, codecForWord, typeWords } from '../obj/codec/index.js';
import { indexTypes, type MapPart, mapCodec, type PartType, referenceTypes } from '../obj/map-codecs.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { CommandContext } from './context.js';
import { type FieldOrders, ordersByPart, parseFieldOrders, type TypedPart } from './field-orders.js';
import { objectFile } from './object-file.js';
import { type PartTypes, storedTypes } from './stored-types.js';

/** What a command line says of types. */
export interface TypeOptions {
  readonly keyType?: string | undefined;
  readonly valueType?: string | undefined;
  /** An object file whose types may be named. */
  readonly types?: string | undefined;
  /** `port=be16` */
  readonly field?: readonly string[] | undefined;
}

const parts = ['key', 'value'] as const satisfies readonly MapPart[];

/** What was said, before the map is there to hold it against. @throws NetkitError `usage`, `not-found`, `bad-object` */
export async function readTypeOptions(options: TypeOptions): Promise<GivenTypes> {
  const fields = parseFieldOrders(options.field ?? []);
  const spec = options.types === undefined ? undefined : await readSpec(objectFile(options.types));
  return { key: options.keyType, value: options.valueType, spec, fields };
}

/** Reading an object takes a while to import, and most commands name no types. */
async function readSpec(path: string): Promise<ObjectSpec> {
  const { ObjectSpec } = await import('../obj/spec.js');
  return ObjectSpec.read(path);
}

export interface GivenTypes {
  readonly key: string | undefined;
  readonly value: string | undefined;
  readonly spec: ObjectSpec | undefined;
  readonly fields: FieldOrders;
}

/**
 * The codecs that are not simply those of the map's own BTF.
 * @throws NetkitError `usage`, `not-found`, `bad-value` when a type does not have the map's width
 */
export async function typesOf(
  context: CommandContext,
  reference: string,
  map: BpfMap,
  given: GivenTypes,
): Promise<MapTypes> {
  const words = { key: given.key, value: given.value };
  const named: PartTypes = Object.fromEntries(
    parts.flatMap((part) => {
      const type = words[part] === undefined ? undefined : namedType(words[part], given.spec);
      return type === undefined ? [] : [[part, type] as const];
    }),
  );
  const unknown = parts.some((part) => words[part] === undefined && lacksType(map, part));
  const stored = unknown ? await storedTypes(context, reference, map) : {};
  const typeOf = (part: MapPart): PartType | undefined => {
    if (words[part] !== undefined) return named[part];
    return lacksType(map, part) ? stored[part] : ownType(map, part);
  };
  const orders = ordersOf(given.fields, typeOf);
  const codecOf = (part: MapPart): Codec | undefined => {
    const word = words[part];
    const fieldOrders = orders[part];
    if (word !== undefined || Object.keys(fieldOrders).length > 0)
      return ofWidth(map, part, word, typeOf(part), fieldOrders);
    const type = stored[part];
    return type !== undefined && lacksType(map, part) ? mapCodec(part, map.info, type) : undefined;
  };
  return { key: codecOf('key'), value: codecOf('value') };
}

function ordersOf(
  fields: FieldOrders,
  typeOf: (part: MapPart) => PartType | undefined,
): Record<MapPart, FieldOrders> {
  if (Object.keys(fields).length === 0) return { key: {}, value: {} };
  const typed = parts.flatMap((part): TypedPart[] => {
    const type = typeOf(part);
    return type === undefined ? [] : [{ part, type }];
  });
  return ordersByPart(fields, typed);
}

/** Whether the kernel has no type of a part for this user, although it has bytes that only a type explains. */
function lacksType(map: BpfMap, part: MapPart): boolean {
  const { type, keySize, valueSize } = map.info;
  if ((part === 'key' ? keySize : valueSize) === 0) return false;
  if (part === 'key' ? indexTypes.has(type) : referenceTypes[type] !== undefined) return false;
  return kernelType(map, part) === undefined || missingFor('enumerate').length > 0;
}

/** Where the kernel has the type of a part. */
function kernelType(
  { info }: BpfMap,
  part: MapPart,
): { readonly btf: number; readonly id: number } | undefined {
  // A table of kernel callbacks has one of the kernel's own types.
  const own = part === 'value' && info.kernelValueTypeId !== 0;
  const btf = own ? info.kernelBtfId : info.btfId;
  const id = own ? info.kernelValueTypeId : part === 'key' ? info.keyTypeId : info.valueTypeId;
  return btf === 0 || id === 0 ? undefined : { btf, id };
}

function ownType(map: BpfMap, part: MapPart): PartType | undefined {
  const found = kernelType(map, part);
  return found === undefined ? undefined : { btf: kernelBtf(found.btf), id: found.id };
}

function ofWidth(
  { info }: BpfMap,
  part: MapPart,
  word: string | undefined,
  type: PartType | undefined,
  fieldOrders: FieldOrders,
): Codec {
  const size = part === 'key' ? info.keySize : info.valueSize;
  const prefix = part === 'key' && info.type === 'lpm_trie';
  const codec =
    type === undefined
      ? codecForWord(word ?? '', { role: part, size })
      : codecFor(type.btf, type.id, { role: part, prefix, fieldOrders });
  if (codec.size === size) return codec;
  throw new NetkitError(
    'bad-value',
    `${word ?? codec.typeName} has ${codec.size} bytes, the ${part}s of this map have ${size}`,
  );
}

/**
 * `struct x`, `union x`, `enum x` or a typedef of the object given by `--types`; undefined for a type word such as `u32`.
 * @throws NetkitError `usage` without an object, `not-found` when it has no such type
 */
export function namedType(word: string, spec: ObjectSpec | undefined): PartType | undefined {
  const named = /^(struct|union|enum) (\w+)$/.exec(word);
  if (
    named === null &&
    (spec === undefined || typeWords.some((known) => word.startsWith(known.split(':')[0] ?? '')))
  )
    return undefined;
  if (spec?.btf === undefined) {
    throw new NetkitError('usage', `'${word}' is a C type: name an object file that has it with --types OBJ`);
  }
  const [kind, name] =
    named === null
      ? (['typedef', word] as const)
      : ([named[1] as 'struct' | 'union' | 'enum', named[2] ?? ''] as const);
  const type = spec.btf.find(name, kind);
  if (type === undefined) {
    throw new NetkitError('not-found', `${spec.path ?? spec.name} has no type '${word}'`, {
      hint: suggestion(name, typeNames(spec, kind)),
    });
  }
  return { btf: spec.btf, id: type.id };
}

function typeNames(spec: ObjectSpec, kind: string): string[] {
  const { btf } = spec;
  if (btf === undefined) return [];
  return Array.from({ length: btf.count }, (_, id) => btf.type(id)).flatMap((type) =>
    type.kind === kind && type.name !== '' ? [type.name] : [],
  );
}
