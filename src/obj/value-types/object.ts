/** The values of everything in an object that has values: keys and values of its maps, its global variables. */
import { NetkitError } from '../../base/errors.js';
import type { BtfGraph } from '../btf/types.js';
import { codecFor } from '../codec/index.js';
import type { GlobalSpec } from '../globals.js';
import {
  isRedirect,
  type MapPart,
  numberedTypes,
  openKeys,
  openValues,
  referenceTypes,
} from '../map-codecs.js';
import type { MapDefinition } from '../map-definition.js';
import type { MapSpec } from '../maps.js';
import type { ProgramSpec } from '../programs.js';
import { ValueTypeReader } from './read.js';
import type { ValueType } from './value-type.js';

/** What is read of an `ObjectSpec`. */
export interface ObjectParts {
  readonly btf: BtfGraph | undefined;
  readonly programs: readonly ProgramSpec[];
  readonly maps: readonly MapSpec[];
  readonly globals: Iterable<GlobalSpec>;
}

/** The entries of a map. */
export interface EntryValues {
  /** The kernel's word, such as `lpm_trie`; `globals` and `constants` for sections of global variables. */
  readonly type: string;
  /** Absent where the map has no keys. */
  readonly key: ValueType | undefined;
  /** Absent where the map has no values. Of one CPU, where the map is per-CPU. */
  readonly value: ValueType | undefined;
  readonly maxEntries: number;
  /** Of the maps in a map of maps. */
  readonly inner: EntryValues | undefined;
}

export interface ObjectValues {
  /** Names of the programs, each once. */
  readonly programs: readonly string[];
  readonly maps: ReadonlyMap<string, EntryValues>;
  /** Variables whose types have values. */
  readonly globals: ReadonlyMap<string, { readonly spec: GlobalSpec; readonly value: ValueType }>;
}

const indexBytes = 4;

/** @throws NetkitError `bad-object` for damaged types */
export function objectValues(object: ObjectParts): ObjectValues {
  const reader =
    object.btf === undefined ? undefined : { btf: object.btf, types: new ValueTypeReader(object.btf) };
  const globals = new Map<string, { spec: GlobalSpec; value: ValueType }>();
  const maps = new Map<string, EntryValues>();
  if (reader !== undefined) {
    for (const spec of object.globals) {
      if (hasCodec(reader.btf, spec.type, { name: spec.name }, undefined))
        globals.set(spec.name, { spec, value: unqualified(reader.types.read(spec.type, spec.name), spec) });
    }
  }
  for (const map of object.maps) {
    if (maps.has(map.name)) continue;
    maps.set(
      map.name,
      map.kind === 'data' ? sectionValues(map, object.globals, globals) : entryValues(map, reader),
    );
  }
  return { programs: [...new Set(object.programs.map(({ name }) => name))], maps, globals };
}

/** Variables that are set when loading are `const volatile` all, which says nothing. Structs and enums are declared without. */
function unqualified(value: ValueType, { typeName }: GlobalSpec): ValueType {
  return value.kind === 'composite' || value.kind === 'enum' ? value : { ...value, typeName };
}

interface Reader {
  readonly btf: BtfGraph;
  readonly types: ValueTypeReader;
}

function entryValues(map: MapDefinition, reader: Reader | undefined): EntryValues {
  // What a table of callbacks is made of, the kernel knows.
  const isTable = map.type === 'struct_ops';
  return {
    type: map.type,
    key: isTable ? undefined : partValue('key', map, reader),
    value: isTable ? undefined : partValue('value', map, reader),
    maxEntries: map.maxEntries,
    inner: map.inner === undefined ? undefined : entryValues(map.inner, reader),
  };
}

/** As `mapCodec` decides. */
function partValue(part: MapPart, map: MapDefinition, reader: Reader | undefined): ValueType | undefined {
  const to = referenceTypes[map.type];
  if (part === 'value' && to !== undefined) return { kind: 'reference', typeName: `a ${to}`, to };
  const [size, id] = part === 'key' ? [map.keySize, map.keyType] : [map.valueSize, map.valueType];
  if (size === 0) return undefined;
  const open = (part === 'key' ? openKeys : openValues)[map.type];
  if (open !== undefined && (size === 4 || size === 8)) return descriptorValue(size, open);
  const redirects = part === 'value' && isRedirect(map.type);
  if (redirects && size === 8) return redirectValue(map.type);
  if (reader !== undefined && id !== undefined) {
    const prefix = part === 'key' && map.type === 'lpm_trie';
    if (hasCodec(reader.btf, id, { role: part, prefix }, size))
      return prefix ? reader.types.readPrefix(id) : reader.types.read(id, part);
  }
  const isNumber = part === 'key' ? numberedTypes.has(map.type) : redirects;
  return isNumber && size === indexBytes ? number : { kind: 'bytes', typeName: 'bytes', size };
}

const number: ValueType = { kind: 'integer', typeName: '__u32', bits: 32, word: 'u32' };

function descriptorValue(size: number, [what, form]: readonly [string, ...string[]]): ValueType {
  const as = form === undefined ? undefined : form.startsWith('pid:') ? 'pid' : 'path';
  return { kind: 'descriptor', typeName: what, size, as };
}

/** As the kernel defines `struct bpf_devmap_val` and `struct bpf_cpumap_val`. */
function redirectValue(type: string): ValueType {
  const [name, first] = type === 'cpumap' ? ['bpf_cpumap_val', 'qsize'] : ['bpf_devmap_val', 'ifindex'];
  const parts = [first, 'prog'].map(
    (each) => ({ kind: 'member', name: each, type: number, shown: true }) as const,
  );
  return { kind: 'composite', typeName: `struct ${name}`, name, size: 8, parts };
}

function hasCodec(
  btf: BtfGraph,
  id: number,
  options: NonNullable<Parameters<typeof codecFor>[2]>,
  size: number | undefined,
): boolean {
  try {
    const codec = codecFor(btf, id, options);
    return size === undefined || codec.size === size;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}

/** A section of variables is an array map of one entry, an object by variable. */
function sectionValues(
  map: MapSpec,
  all: Iterable<GlobalSpec>,
  readable: ReadonlyMap<string, { readonly value: ValueType }>,
): EntryValues {
  const own = [...all].filter(({ section }) => section === map.name);
  const parts = own.flatMap(({ name }) => {
    const value = readable.get(name)?.value;
    return value === undefined ? [] : [{ kind: 'member', name, type: value, shown: true } as const];
  });
  // One variable without a codec leaves the whole section without.
  const isTyped = own.length > 0 && parts.length === own.length;
  return {
    type: map.name.startsWith('.rodata') ? 'constants' : 'globals',
    key: number,
    value: isTyped
      ? {
          kind: 'composite',
          typeName: `section ${map.name}`,
          name: `section${map.name}`,
          size: map.valueSize,
          parts,
        }
      : { kind: 'bytes', typeName: 'bytes', size: map.valueSize },
    maxEntries: 1,
    inner: undefined,
  };
}
