/** BTF for a map's keys and values, from types of objects or from type words. */
import { NetkitError } from '../../base/errors.js';
import { type BtfReference, BtfSubset } from './subset.js';
import type { BtfType } from './types.js';

/** A word such as `u32` or `prefix4`, with the width that `string` needs. */
export interface WordType {
  readonly word: string;
  /** Bytes; what `string` without a width of its own takes. */
  readonly size?: number | undefined;
}

export interface MapTypes {
  readonly key?: BtfReference | WordType | undefined;
  readonly value?: BtfReference | WordType | undefined;
}

/** A self-standing blob and the two types in it; 0 is a part without a type. */
export interface MapTypesBlob {
  readonly bytes: Uint8Array;
  readonly key: number;
  readonly value: number;
}

/**
 * One blob with the types of keys and values, made so that `codecFor` gives the form that the word has. Undefined when
 * neither has a type. `bytes:N` has none: BTF cannot say it. `prefix4` and `prefix6` are structs, which become prefixes
 * as keys of a prefix map.
 * @throws NetkitError `usage` for a word that is not known
 */
export function btfForMap({ key, value }: MapTypes): MapTypesBlob | undefined {
  const subset = new BtfSubset();
  const words = new WordTypes(subset);
  const idOf = (type: BtfReference | WordType | undefined): number =>
    type === undefined ? 0 : 'word' in type ? words.add(type) : subset.add(type);
  const ids = { key: idOf(key), value: idOf(value) };
  return ids.key === 0 && ids.value === 0 ? undefined : { bytes: subset.bytes(), ...ids };
}

type Integer = readonly [typedef: string, name: string, size: number, signed: boolean];

/** As C programs on Linux have them. */
const integers: Readonly<Record<string, Integer>> = {
  u8: ['__u8', 'unsigned char', 1, false],
  u16: ['__u16', 'unsigned short', 2, false],
  u32: ['__u32', 'unsigned int', 4, false],
  u64: ['__u64', 'unsigned long long', 8, false],
  s8: ['__s8', 'signed char', 1, true],
  s16: ['__s16', 'short', 2, true],
  s32: ['__s32', 'int', 4, true],
  s64: ['__s64', 'long long', 8, true],
};

/** Made types, each once. */
class WordTypes {
  readonly #subset: BtfSubset;
  readonly #made = new Map<string, number>();

  constructor(subset: BtfSubset) {
    this.#subset = subset;
  }

  /** @returns the id, 0 where there is no such type */
  add({ word, size }: WordType): number {
    const [, kind = word, width] = /^(string|bytes):([1-9][0-9]{0,8})$/.exec(word) ?? [];
    if (kind === 'bytes') return 0;
    if (kind === 'string') return this.#array('char', Number(width ?? size ?? 0));
    if (Object.hasOwn(integers, word)) return this.#integer(word);
    switch (word) {
      case 'be16':
      case 'be32':
      case 'be64':
        return this.#typedef(`__${word}`, this.#integer(word.replace('be', 'u')));
      // The names are what asks for the forms: see src/obj/codec/named.ts.
      case 'ipv4':
        return this.#typedef('ipv4_addr', this.#typedef('__be32', this.#integer('u32')));
      case 'ipv6':
        return this.#typedef('ipv6_addr', this.#array('u8', 16));
      case 'mac':
        return this.#typedef('mac_addr', this.#array('u8', 6));
      case 'prefix4':
        return this.#prefix('prefix_v4', 'ipv4', 8);
      case 'prefix6':
        return this.#prefix('prefix_v6', 'ipv6', 20);
      default:
        throw new NetkitError('usage', `'${word}' is not a type`);
    }
  }

  #once(key: string, type: () => BtfType): number {
    let id = this.#made.get(key);
    if (id === undefined) {
      id = this.#subset.addMade(type());
      this.#made.set(key, id);
    }
    return id;
  }

  #integer(word: string): number {
    const [typedef, name, size, signed] = integers[word] ?? ['char', 'char', 1, true];
    const id = this.#once(`int ${name}`, () => ({
      kind: 'int',
      id: 0,
      name,
      size,
      bits: size * 8,
      bitOffset: 0,
      signed,
      char: false,
      bool: false,
    }));
    return typedef === name ? id : this.#typedef(typedef, id);
  }

  #typedef(name: string, target: number): number {
    return this.#once(name, () => ({ kind: 'typedef', id: 0, name, target }));
  }

  #array(elementWord: string, length: number): number {
    const element = this.#integer(elementWord);
    const index = this.#integer('u32');
    return this.#once(`${elementWord}[${length}]`, () => ({
      kind: 'array',
      id: 0,
      name: '',
      element,
      index,
      length,
    }));
  }

  #prefix(name: string, addressWord: string, size: number): number {
    const length = this.#integer('u32');
    const address = this.add({ word: addressWord });
    return this.#once(name, () => ({
      kind: 'struct',
      id: 0,
      name,
      size,
      members: [
        { name: 'prefixlen', type: length, bitOffset: 0, bitSize: 0 },
        { name: 'addr', type: address, bitOffset: 32, bitSize: 0 },
      ],
    }));
  }
}
