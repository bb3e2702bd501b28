import { hostIsLittleEndian } from '../../base/byte-order.js';
import { headerSize, Kind, magic, version } from './format.js';
import type { BtfMember, BtfType } from './types.js';

/** Gives a type of the graph that is copied the id that it has in the blob. */
export type NewId = (id: number) => number;

const linkages = { static: 0, global: 1, extern: 2 } as const;

const modifierKinds = {
  typedef: Kind.typedef,
  const: Kind.const,
  volatile: Kind.volatile,
  restrict: Kind.restrict,
  type_tag: Kind.typeTag,
} as const;

/** Makes a self-standing BTF blob, in this machine's byte order, of decoded types. */
export class BtfWriter {
  readonly #words: number[] = [];
  readonly #strings: Uint8Array[] = [];
  readonly #offsets = new Map<string, number>();
  #stringEnd = 0;
  #nextId = 1;

  constructor() {
    this.#string('');
  }

  /** The id of the type that is added next. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Adds a copy of a type; `newId` is asked for each type that it refers to, which need not be there yet. @returns its id */
  add(type: BtfType, newId: NewId): number {
    switch (type.kind) {
      case 'int': {
        const flags = (type.signed ? 1 : 0) | (type.char ? 2 : 0) | (type.bool ? 4 : 0);
        return this.#record(Kind.int, type.name, type.size, [
          (flags << 24) | (type.bitOffset << 16) | type.bits,
        ]);
      }
      case 'float':
        return this.#record(Kind.float, type.name, type.size);
      case 'ptr':
        return this.#record(Kind.ptr, '', newId(type.target));
      case 'array':
        return this.#record(Kind.array, '', 0, [newId(type.element), newId(type.index), type.length]);
      case 'struct':
      case 'union':
        return this.#composite(type, newId);
      case 'enum':
        return this.#enum(type);
      case 'fwd':
        return this.#record(Kind.fwd, type.name, 0, [], 0, type.of === 'union');
      case 'func':
        return this.#record(Kind.func, type.name, newId(type.prototype), [], linkages[type.linkage]);
      case 'func_proto':
        return this.#prototype(type, newId);
      case 'var':
        return this.#record(Kind.variable, type.name, newId(type.type), [linkages[type.linkage]]);
      case 'datasec': {
        const tail = type.variables.flatMap((each) => [newId(each.type), each.offset, each.size]);
        return this.#record(Kind.datasec, type.name, type.size, tail, type.variables.length);
      }
      case 'decl_tag':
        return this.#record(Kind.declTag, type.name, newId(type.target), [type.component]);
      case 'void':
        return 0;
      default:
        return this.#record(modifierKinds[type.kind], type.name, newId(type.target));
    }
  }

  bytes(): Uint8Array {
    const typeLength = this.#words.length * 4;
    const blob = new Uint8Array(headerSize + typeLength + this.#stringEnd);
    const view = new DataView(blob.buffer);
    view.setUint16(0, magic, hostIsLittleEndian);
    view.setUint8(2, version);
    const header = [headerSize, 0, typeLength, typeLength, this.#stringEnd];
    for (const [index, word] of header.entries()) view.setUint32(4 + index * 4, word, hostIsLittleEndian);
    for (const [index, word] of this.#words.entries()) {
      view.setUint32(headerSize + index * 4, word >>> 0, hostIsLittleEndian);
    }
    let at = headerSize + typeLength;
    for (const text of this.#strings) {
      blob.set(text, at);
      at += text.length;
    }
    return blob;
  }

  #composite(type: Extract<BtfType, { kind: 'struct' | 'union' }>, newId: NewId): number {
    const hasBitFields = type.members.some(({ bitSize }) => bitSize !== 0);
    const place = ({ bitOffset, bitSize }: BtfMember): number =>
      hasBitFields ? (bitSize << 24) | bitOffset : bitOffset;
    const tail = type.members.flatMap((each) => [this.#string(each.name), newId(each.type), place(each)]);
    const kind = type.kind === 'struct' ? Kind.struct : Kind.union;
    return this.#record(kind, type.name, type.size, tail, type.members.length, hasBitFields);
  }

  #enum(type: Extract<BtfType, { kind: 'enum' }>): number {
    const [min, max] = type.signed ? [-(2n ** 31n), 2n ** 31n - 1n] : [0n, 2n ** 32n - 1n];
    // Older kernels know no enum64, so it stays away where the values allow.
    const isWide = type.values.some(({ value }) => value < min || value > max);
    const tail = type.values.flatMap(({ name, value }) => {
      const low = Number(BigInt.asUintN(32, value));
      return isWide
        ? [this.#string(name), low, Number(BigInt.asUintN(32, value >> 32n))]
        : [this.#string(name), low];
    });
    const kind = isWide ? Kind.enum64 : Kind.enum;
    return this.#record(kind, type.name, type.size, tail, type.values.length, type.signed);
  }

  #prototype(type: Extract<BtfType, { kind: 'func_proto' }>, newId: NewId): number {
    const tail = type.parameters.flatMap(({ name, type: id }) => [this.#string(name), newId(id)]);
    if (type.variadic) tail.push(0, 0);
    return this.#record(Kind.funcProto, '', newId(type.returns), tail, tail.length / 2);
  }

  #record(
    kind: number,
    name: string,
    sizeOrType: number,
    tail: readonly number[] = [],
    length = 0,
    flag = false,
  ): number {
    const info = ((flag ? 1 : 0) << 31) | (kind << 24) | length;
    this.#words.push(this.#string(name), info, sizeOrType, ...tail);
    return this.#nextId++;
  }

  /** @returns the offset of the text among the strings */
  #string(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(`${text}\0`, 'utf8');
    const offset = this.#stringEnd;
    this.#strings.push(bytes);
    this.#offsets.set(text, offset);
    this.#stringEnd += bytes.length;
    return offset;
  }
}
