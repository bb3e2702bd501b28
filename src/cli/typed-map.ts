/** Maps as the map commands work with them: opened by reference, typed by BTF or by `--key-type` and `--value-type`. */
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { openMap, splitReference } from '../cnf/reference.js';
import { pinName } from '../ebpf/kernel-object.js';
import type { BpfMap, MapTypes } from '../ebpf/map.js';
import { sumOverCpus } from '../ebpf/per-cpu.js';
import { missingFor } from '../host/capabilities.js';
import { type Codec, codecFor, codecForWord, typeWords, type Value } from '../obj/codec/index.js';
import { type MapPart, mapCodec } from '../obj/map-codecs.js';
import { listedMapName } from '../obj/maps.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { CommandContext } from './context.js';
import { objectFile } from './object-file.js';
import { openReference } from './open-reference.js';

export interface TypeOptions {
  readonly keyType?: string | undefined;
  readonly valueType?: string | undefined;
  /** An object file whose types may be named. */
  readonly types?: string | undefined;
}

/** @throws NetkitError `not-found`, `usage`, `bad-value` when a type does not have the map's width */
export async function openTypedMap(
  context: CommandContext,
  reference: string,
  options: TypeOptions,
): Promise<BpfMap> {
  const spec = options.types === undefined ? undefined : await readSpec(objectFile(options.types));
  const map = await openReference(context, reference, openMap);
  try {
    if (!mayReadBtf()) {
      const types = await storedTypes(context, reference);
      map.onHiddenTypes(() => types);
    }
    const { keySize, valueSize, type } = map.info;
    map.useTypes({
      key: codecOf('key', options.keyType, keySize, spec, type === 'lpm_trie'),
      value: codecOf('value', options.valueType, valueSize, spec, false),
    });
    return map;
  } catch (error) {
    map[Symbol.dispose]();
    throw error;
  }
}

/** Reading an object takes a while to import, and most commands name no types. */
async function readSpec(path: string): Promise<ObjectSpec> {
  const { ObjectSpec } = await import('../obj/spec.js');
  return ObjectSpec.read(path);
}

function mayReadBtf(): boolean {
  return missingFor('enumerate').length === 0;
}

/** The types of a function's map by the object that netkit keeps: for users who may not read the kernel's BTF. */
async function storedTypes(context: CommandContext, reference: string): Promise<MapTypes | undefined> {
  if (reference.startsWith('/') || reference.includes(':')) return undefined;
  const { functionName, name } = splitReference(reference);
  const { StateStore } = await import('../cnf/store.js');
  const store = new StateStore(context.paths.stateDir);
  const state = store.read(functionName);
  if (state === undefined || name === undefined) return undefined;
  const { btf, maps } = await readSpec(store.objectPath(state.object.file));
  const map = maps.find((each) => {
    const listed = listedMapName(each, functionName);
    return listed === name || pinName(listed) === name;
  });
  if (btf === undefined || map === undefined) return undefined;
  const typed = (part: MapPart, id: number | undefined): Codec | undefined =>
    id === undefined ? undefined : mapCodec(part, map, { btf, id });
  return { key: typed('key', map.keyType), value: typed('value', map.valueType) };
}

function codecOf(
  role: 'key' | 'value',
  word: string | undefined,
  size: number,
  spec: ObjectSpec | undefined,
  prefix: boolean,
): Codec | undefined {
  if (word === undefined) return undefined;
  const codec = cType(word, spec, role, prefix) ?? codecForWord(word, { role, size });
  if (codec.size === size) return codec;
  throw new NetkitError(
    'bad-value',
    `${word} has ${codec.size} bytes, the ${role}s of this map have ${size}`,
  );
}

/** `struct x`, `union x`, `enum x` or a typedef of the object given by `--types`. */
function cType(word: string, spec: ObjectSpec | undefined, role: string, prefix: boolean): Codec | undefined {
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
  return codecFor(spec.btf, type.id, { role, prefix });
}

function typeNames(spec: ObjectSpec, kind: string): string[] {
  const { btf } = spec;
  if (btf === undefined) return [];
  return Array.from({ length: btf.count }, (_, id) => btf.type(id)).flatMap((type) =>
    type.kind === kind && type.name !== '' ? [type.name] : [],
  );
}

/** Reads a key by the map's type. @throws NetkitError `bad-value`, `usage` for a map without keys */
export function parseKey(map: BpfMap, text: string): Value {
  if (map.info.keySize > 0) return map.keyCodec.parse(text);
  throw new NetkitError('usage', `the map '${map.info.name}' has no keys: it is a ${map.info.type}`);
}

/** How documents name a map: by the reference where that has a name, which the kernel may have cut. */
export function mapNameOf(map: BpfMap, reference: string): { id: number; name: string } {
  const isReference = !reference.startsWith('/') && !reference.includes(':');
  return {
    id: map.info.id,
    name: (isReference ? splitReference(reference).name : undefined) ?? map.info.name,
  };
}

export interface ShownValue {
  /** Null where it has no sum, or each CPU's was asked for. */
  readonly value: Value | null;
  readonly perCpu: { readonly cpu: number; readonly value: Value }[] | null;
}

/** A value as documents show it. Of a per-CPU map the sum, or each CPU's where it was asked for or there is no sum. */
export function shownValue(map: BpfMap, value: Value, perCpu: boolean): ShownValue {
  if (!map.perCpu || !Array.isArray(value)) return { value, perCpu: null };
  const sum = perCpu ? undefined : sumOverCpus(value);
  if (sum !== undefined) return { value: sum, perCpu: null };
  return { value: null, perCpu: value.map((each, cpu) => ({ cpu, value: each })) };
}
