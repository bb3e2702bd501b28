import { badBtf, Kind, recordWords } from './format.js';
import type { Layout } from './layout.js';
import type { BtfStrings } from './strings.js';
import type { TypeTable } from './table.js';
import type {
  BtfEnumerator,
  BtfMember,
  BtfModifier,
  BtfParameter,
  BtfSectionVariable,
  BtfType,
} from './types.js';

const linkages = ['static', 'global', 'extern'] as const;

const modifierNames: Readonly<Record<number, BtfModifier['kind']>> = {
  [Kind.typedef]: 'typedef',
  [Kind.volatile]: 'volatile',
  [Kind.const]: 'const',
  [Kind.restrict]: 'restrict',
  [Kind.typeTag]: 'type_tag',
};

const voidType: BtfType = { kind: 'void', id: 0, name: '' };

/** Turns checked records into objects. */
export class Decoder {
  readonly #table: TypeTable;
  readonly #strings: BtfStrings;
  readonly #layout: Layout;

  constructor(table: TypeTable, strings: BtfStrings, layout: Layout) {
    this.#table = table;
    this.#strings = strings;
    this.#layout = layout;
  }

  /** Decodes a type of this table (not of its base), or `void`. */
  decode(id: number): BtfType {
    if (id === 0) {
      return voidType;
    }
    const table = this.#table;
    const kind = table.kind(id);
    const name = this.#strings.at(table.word(id, 0));
    const word = table.word(id, 2);
    const modifier = modifierNames[kind];
    if (modifier !== undefined) {
      return { kind: modifier, id, name, target: word };
    }
    const flag = table.kindFlag(id);
    const tail = (index: number): number => table.word(id, recordWords + index);
    switch (kind) {
      case Kind.int:
        return { kind: 'int', id, name, size: word, ...intEncoding(tail(0)) };
      case Kind.float:
        return { kind: 'float', id, name, size: word };
      case Kind.ptr:
        return { kind: 'ptr', id, name, target: word };
      case Kind.array:
        return { kind: 'array', id, name, element: tail(0), index: tail(1), length: tail(2) };
      case Kind.struct:
      case Kind.union:
        return {
          kind: kind === Kind.struct ? 'struct' : 'union',
          id,
          name,
          size: word,
          members: this.#members(id),
        };
      case Kind.enum:
        return { kind: 'enum', id, name, size: word, signed: flag, values: this.#enumerators(id, flag) };
      case Kind.enum64:
        return { kind: 'enum', id, name, size: word, signed: flag, values: this.#wideEnumerators(id, flag) };
      case Kind.fwd:
        return { kind: 'fwd', id, name, of: flag ? 'union' : 'struct' };
      case Kind.func:
        return { kind: 'func', id, name, prototype: word, linkage: linkageOf(table.vlen(id)) };
      case Kind.funcProto:
        return this.#prototype(id, name, word);
      case Kind.variable:
        return { kind: 'var', id, name, type: word, linkage: linkageOf(tail(0)) };
      case Kind.datasec:
        return { kind: 'datasec', id, name, size: word, variables: this.#variables(id) };
      case Kind.declTag:
        return { kind: 'decl_tag', id, name, target: word, component: tail(0) | 0 };
      default:
        throw badBtf(`type ${id} is of kind ${kind}, which is not known`);
    }
  }

  /** Calls `make` with the words of each element that follows the record. */
  #each<Element>(
    id: number,
    words: number,
    make: (first: number, second: number, third: number) => Element,
  ): Element[] {
    const source = this.#table.words;
    const elements: Element[] = [];
    const start = this.#table.start(id) + recordWords;
    const end = start + this.#table.vlen(id) * words;
    for (let at = start; at < end; at += words) {
      elements.push(make(source[at] ?? 0, source[at + 1] ?? 0, words > 2 ? (source[at + 2] ?? 0) : 0));
    }
    return elements;
  }

  #members(id: number): BtfMember[] {
    const flag = this.#table.kindFlag(id);
    return this.#each(id, 3, (name, type, word) => ({
      name: this.#strings.at(name),
      type,
      ...this.#layout.memberBits(type, word, flag),
    }));
  }

  #enumerators(id: number, signed: boolean): BtfEnumerator[] {
    return this.#each(id, 2, (name, value) => ({
      name: this.#strings.at(name),
      value: BigInt(signed ? value | 0 : value),
    }));
  }

  #wideEnumerators(id: number, signed: boolean): BtfEnumerator[] {
    return this.#each(id, 3, (name, low, high) => {
      const value = (BigInt(high) << 32n) | BigInt(low);
      return { name: this.#strings.at(name), value: signed ? BigInt.asIntN(64, value) : value };
    });
  }

  #prototype(id: number, name: string, returns: number): BtfType {
    const parameters: BtfParameter[] = this.#each(id, 2, (parameter, type) => ({
      name: this.#strings.at(parameter),
      type,
    }));
    const variadic = parameters.at(-1)?.type === 0;
    if (variadic) {
      parameters.pop();
    }
    return { kind: 'func_proto', id, name, returns, parameters, variadic };
  }

  #variables(id: number): BtfSectionVariable[] {
    return this.#each(id, 3, (type, offset, size) => ({ type, offset, size }));
  }
}

function intEncoding(word: number): {
  bits: number;
  bitOffset: number;
  signed: boolean;
  char: boolean;
  bool: boolean;
} {
  const flags = (word >>> 24) & 0xf;
  return {
    bits: word & 0xff,
    bitOffset: (word >>> 16) & 0xff,
    signed: (flags & 1) !== 0,
    char: (flags & 2) !== 0,
    bool: (flags & 4) !== 0,
  };
}

function linkageOf(value: number): 'static' | 'global' | 'extern' {
  const linkage = linkages[value];
  if (linkage === undefined) {
    throw badBtf(`the linkage ${value} is not known`);
  }
  return linkage;
}
