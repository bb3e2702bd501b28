/** From a BTF type to the values that its codec gives and takes. The property tests hold the two against each other. */
import { counted } from '../../base/counted.js';
import type { BtfArray, BtfComposite, BtfEnum, BtfGraph, BtfInt, BtfMember, BtfType } from '../btf/types.js';
import { type Bare, bareType, type FieldOrder } from '../codec/bare.js';
import { integerWord } from '../codec/integer.js';
import { addressKind, saysIpv6 } from '../codec/named.js';
import type { CompositeValue, Part, ValueType } from './value-type.js';

const orderSizes: Readonly<Record<FieldOrder, number>> = { be16: 2, be32: 4, be64: 8 };
const integerSizes: ReadonlySet<number> = new Set([1, 2, 4, 8, 16]);

/** Reads types of one graph: those that have a codec, which is what keeps damaged ones away from here. */
export class ValueTypeReader {
  readonly #btf: BtfGraph;
  /** A struct gives the same values wherever it stands, so each is read once. */
  readonly #composites = new Map<number, CompositeValue>();
  readonly #enums = new Map<string, ValueType>();

  constructor(btf: BtfGraph) {
    this.#btf = btf;
  }

  /** @param name the member's or variable's, which may ask for an address form. */
  read(typeId: number, name: string): ValueType {
    return this.#read(typeId, name);
  }

  /** The key of a longest-prefix-match map: a struct of a length and an address. */
  readPrefix(typeId: number): ValueType | undefined {
    const type = this.#btf.resolve(typeId);
    if (type.kind !== 'struct') return undefined;
    const whole = this.#composite(type, bareType(this.#btf, typeId));
    return { kind: 'prefix', typeName: this.#btf.nameOf(typeId), width: type.size - 4, whole };
  }

  #read(typeId: number, name: string): ValueType {
    const bare = bareType(this.#btf, typeId);
    const { type } = bare;
    const typeName = this.#btf.nameOf(typeId);
    switch (type.kind) {
      case 'var':
        return this.#read(type.type, name || type.name);
      case 'int':
        return integerValue(type, typeName, bare, name);
      case 'enum':
        return this.#enum(type, bare, type.size * 8);
      case 'float':
        return type.size === 4 || type.size === 8
          ? { kind: 'float', typeName, size: type.size }
          : { kind: 'bytes', typeName, size: type.size };
      case 'ptr':
        return { kind: 'pointer', typeName };
      case 'array':
        return this.#array(type, typeName, bare, name);
      case 'struct':
      case 'union':
        return addressStruct(type, typeName) ?? this.#composite(type, bare);
      default:
        throw new Error(`${type.kind} has no values`);
    }
  }

  #enum(type: BtfEnum, bare: Bare, bits: number): ValueType {
    const key = `${type.id} ${bits}`;
    const known = this.#enums.get(key);
    if (known !== undefined) return known;
    const enumerators = [...new Set(type.values.map(({ name }) => name))];
    const value: ValueType = {
      kind: 'enum',
      typeName: this.#tagged(type, bare),
      bits,
      name: nameOf(type, bare),
      enumerators,
    };
    this.#enums.set(key, value);
    return value;
  }

  /** As one who declares it would write it: without qualifiers, and by the typedef only where there is no tag. */
  #tagged(type: BtfComposite | BtfEnum, bare: Bare): string {
    return (type.name === '' ? bare.typedefs.at(-1) : undefined) ?? this.#btf.nameOf(type.id);
  }

  #array(type: BtfArray, typeName: string, bare: Bare, name: string): ValueType {
    const element = bareType(this.#btf, type.element).type;
    const names = [name, ...bare.typedefs];
    if (element.kind === 'int' && element.size === 1 && !element.bool) {
      if (element.char || element.name === 'char') return { kind: 'text', typeName, size: type.length };
      const kind = addressAmong(names, type.length);
      if (kind !== undefined) return { kind, typeName };
    }
    const words = element.kind === 'int' && element.size === 4 && !element.signed && type.length === 4;
    if (words && names.some(saysIpv6)) return { kind: 'ipv6', typeName };
    const value = this.#read(type.element, name);
    // Elements without bytes hold nothing.
    const length = this.#btf.sizeOf(type.element) === 0 ? 0 : type.length;
    return { kind: 'array', typeName, element: value, length };
  }

  #composite(type: BtfComposite, bare: Bare): CompositeValue {
    const known = this.#composites.get(type.id);
    if (known !== undefined) return known;
    const value: CompositeValue = {
      kind: 'composite',
      typeName: this.#tagged(type, bare),
      name: nameOf(type, bare),
      size: type.size,
      parts: this.#parts(type, true),
    };
    this.#composites.set(type.id, value);
    return value;
  }

  #parts(type: BtfComposite, shown: boolean): readonly Part[] {
    if (type.kind === 'struct') return type.members.flatMap((member) => this.#member(member, shown));
    const largest = this.#largest(type);
    const alternatives = type.members.map((member) => this.#member(member, shown && member === largest));
    return [{ kind: 'alternatives', alternatives: alternatives.filter((parts) => parts.length > 0) }];
  }

  #member(member: BtfMember, shown: boolean): readonly Part[] {
    const bare = bareType(this.#btf, member.type);
    const { type } = bare;
    if (member.name === '') {
      return type.kind === 'struct' || type.kind === 'union' ? this.#parts(type, shown) : [];
    }
    return [{ kind: 'member', name: member.name, type: this.#memberType(member, bare), shown }];
  }

  #memberType(member: BtfMember, bare: Bare): ValueType {
    const { type } = bare;
    const typeName = this.#btf.nameOf(member.type);
    if (member.bitSize !== 0 && type.kind === 'int') return bitsValue(type, member.bitSize, typeName);
    if (member.bitSize !== 0 && type.kind === 'enum') return this.#enum(type, bare, member.bitSize);
    return this.#read(member.type, member.name);
  }

  /** The member that a union shows: the largest, the first of equals. */
  #largest(type: BtfComposite): BtfMember | undefined {
    const bits = (member: BtfMember): number => member.bitSize || this.#btf.sizeOf(member.type) * 8;
    return type.members.reduce<BtfMember | undefined>(
      (best, member) => (best === undefined || bits(member) > bits(best) ? member : best),
      undefined,
    );
  }
}

function integerValue(type: BtfInt, typeName: string, bare: Bare, name: string): ValueType {
  const { size, bits, signed } = type;
  if (bits !== size * 8) return bitsValue(type, bits, typeName);
  if (type.bool) return { kind: 'bool', typeName };
  const names = [name, ...bare.typedefs];
  if (size === 4 && !signed && addressAmong(names, 4) === 'ipv4') return { kind: 'ipv4', typeName };
  if (!integerSizes.has(size)) return { kind: 'bytes', typeName, size };
  const isNetworkOrder = bare.order !== undefined && orderSizes[bare.order] === size;
  const word = isNetworkOrder ? bare.order : integerWord(bits, signed);
  return { kind: 'integer', typeName, bits, word };
}

function bitsValue(type: BtfInt, width: number, typeName: string): ValueType {
  if (type.bool) return { kind: 'bool', typeName };
  return { kind: 'integer', typeName, bits: width, word: counted(width, type.signed ? 'signed bit' : 'bit') };
}

function addressAmong(names: readonly string[], size: number): ReturnType<typeof addressKind> {
  for (const name of names) {
    const kind = addressKind(name, size);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

function addressStruct(type: BtfComposite, typeName: string): ValueType | undefined {
  if (type.name === 'in6_addr' && type.size === 16) return { kind: 'ipv6', typeName };
  if (type.name === 'in_addr' && type.size === 4) return { kind: 'ipv4', typeName };
  return undefined;
}

function nameOf(type: BtfType, bare: Bare): string {
  return type.name || (bare.typedefs.at(-1) ?? '');
}
