import { NetkitError } from '../base/errors.js';
import { mapTypes } from '../base/kernel-words.js';
import type { BtfArray, BtfComposite, BtfGraph } from './btf/types.js';

/** The kernel's word for a type of map, such as `lpm_trie`. */
export type MapTypeWord = (typeof mapTypes)[number];

/** What the members of a map's struct in the C source say (`__uint`, `__type`, `__array`, `__ulong`). */
export interface MapDefinition {
  readonly type: MapTypeWord;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly numaNode: number | undefined;
  readonly pinning: 'none' | 'by-name';
  /** BTF ids. */
  readonly keyType: number | undefined;
  readonly valueType: number | undefined;
  readonly inner: MapDefinition | undefined;
  /** Bytes from the start of the variable to the first of its `values`, where it has such a member. */
  readonly valuesOffset: number | undefined;
  readonly problem: string | undefined;
}

type Draft = { -readonly [Field in keyof MapDefinition]: MapDefinition[Field] };

const none: MapDefinition = {
  type: 'unspec',
  keySize: 0,
  valueSize: 0,
  maxEntries: 0,
  flags: 0,
  mapExtra: 0n,
  numaNode: undefined,
  pinning: 'none',
  keyType: undefined,
  valueType: undefined,
  inner: undefined,
  valuesOffset: undefined,
  problem: undefined,
};

const largest = 0xffff_ffff;
const descriptorSize = 4;
const mostFields = 64;

/** A definition of which nothing is known but why. */
export function undefinedMap(problem: string): MapDefinition {
  return { ...none, problem };
}

/**
 * Reads the type of a variable in `.maps`.
 *
 * What a newer or older loader might take is no damage: it becomes the definition's `problem`, and the rest is read.
 * @throws NetkitError `bad-object` when the definition contradicts itself
 */
export function readMapDefinition(btf: BtfGraph, typeId: number, name: string): MapDefinition {
  return readDefinition(btf, typeId, name, true);
}

function readDefinition(btf: BtfGraph, typeId: number, name: string, mayNest: boolean): MapDefinition {
  const struct = btf.resolve(typeId);
  if (struct.kind !== 'struct') throw bad(name, `its definition is a ${struct.kind}, not a struct`);
  // No loader knows nearly as many; many maps that share one enormous struct would take hours.
  if (struct.members.length > mostFields)
    throw bad(name, `its definition has ${struct.members.length} fields`);
  const draft: Draft = { ...none };
  for (const member of struct.members) readMember(draft, member, { btf, name, mayNest });
  return draft;
}

interface Context {
  readonly btf: BtfGraph;
  readonly name: string;
  /** The maps inside a map hold no maps themselves. */
  readonly mayNest: boolean;
}

function readMember(draft: Draft, member: BtfComposite['members'][number], context: Context): void {
  const small = (): number => Number(numberOf(member.name, member.type, context, BigInt(largest)));
  switch (member.name) {
    case 'type': {
      const number = small();
      draft.type = mapTypes[number] ?? 'unspec';
      if (number === 0 || mapTypes[number] === undefined)
        draft.problem = `its map type ${number} is not known`;
      break;
    }
    case 'max_entries':
      draft.maxEntries = small();
      break;
    case 'map_flags':
      draft.flags = small();
      break;
    case 'numa_node':
      draft.numaNode = small();
      break;
    case 'map_extra':
      draft.mapExtra = numberOf(member.name, member.type, context, 0xffff_ffff_ffff_ffffn);
      break;
    case 'key_size':
      draft.keySize = agreed(context.name, 'key', draft.keyType === undefined ? 0 : draft.keySize, small());
      break;
    case 'value_size':
      draft.valueSize = agreed(
        context.name,
        'value',
        draft.valueType === undefined ? 0 : draft.valueSize,
        small(),
      );
      break;
    case 'key':
      draft.keyType = pointedAt(member.name, member.type, context);
      draft.keySize = agreed(context.name, 'key', draft.keySize, sizeOf(context, draft.keyType, 'key'));
      break;
    case 'value':
      draft.valueType = pointedAt(member.name, member.type, context);
      draft.valueSize = agreed(
        context.name,
        'value',
        draft.valueSize,
        sizeOf(context, draft.valueType, 'value'),
      );
      break;
    case 'values':
      draft.valuesOffset = member.bitOffset / 8;
      draft.valueSize = agreed(context.name, 'value', draft.valueSize, descriptorSize);
      draft.inner = innerOf(member.type, context);
      break;
    case 'pinning':
      readPinning(draft, small());
      break;
    default:
      draft.problem = `its definition has a field that is not known: '${member.name}'`;
  }
}

function readPinning(draft: Draft, number: number): void {
  if (number === 1) draft.pinning = 'by-name';
  else if (number !== 0) draft.problem = `its pinning mode ${number} is not known`;
}

/** What `__uint(n)`, a pointer to an array of n, or `__ulong(n)`, an enum whose only value is n, stand for. */
function numberOf(field: string, typeId: number, { btf, name }: Context, most: bigint): bigint {
  const type = btf.resolve(typeId);
  if (type.kind === 'enum') {
    const [only] = type.values;
    if (only === undefined || type.values.length !== 1)
      throw bad(name, `its '${field}' is an enum of several values`);
    const value = BigInt.asUintN(type.size * 8, only.value);
    if (value > most) throw bad(name, `its '${field}' is ${value}, more than ${most}`);
    return value;
  }
  const array = type.kind === 'ptr' ? btf.resolve(type.target) : type;
  if (type.kind !== 'ptr' || array.kind !== 'array')
    throw bad(name, `its '${field}' is no number written with __uint`);
  return BigInt(array.length);
}

function pointedAt(field: string, typeId: number, { btf, name }: Context): number {
  const type = btf.resolve(typeId);
  if (type.kind !== 'ptr') throw bad(name, `its '${field}' is no type written with __type`);
  return type.target;
}

function sizeOf({ btf, name }: Context, typeId: number, what: string): number {
  try {
    return btf.sizeOf(typeId);
  } catch (error) {
    if (error instanceof NetkitError)
      throw bad(name, `its ${what} is of type ${btf.nameOf(typeId)}, which has no size`);
    throw error;
  }
}

function agreed(name: string, what: string, before: number, now: number): number {
  if (before !== 0 && before !== now)
    throw bad(name, `its ${what} is said to take both ${before} and ${now} bytes`);
  return now;
}

function innerOf(typeId: number, { btf, name, mayNest }: Context): MapDefinition | undefined {
  const array = btf.resolve(typeId);
  if (array.kind !== 'array') throw bad(name, "its 'values' is no array");
  const target = elementOf(btf, array);
  if (target?.kind === 'func_proto') return undefined;
  if (target?.kind !== 'struct') throw bad(name, "its 'values' holds neither maps nor programs");
  if (!mayNest) throw bad(name, 'it nests maps more than once');
  return readDefinition(btf, target.id, `${name} (inner map)`, false);
}

function elementOf(btf: BtfGraph, array: BtfArray) {
  const pointer = btf.resolve(array.element);
  return pointer.kind === 'ptr' ? btf.resolve(pointer.target) : undefined;
}

function bad(name: string, problem: string): NetkitError {
  return new NetkitError('bad-object', `the map '${name}' is declared wrongly: ${problem}`);
}
