/** Enums, bool, floats, pointers, and bit fields over all of them. */

import type { JsonValue } from '../../base/json.js';
import { suggestion } from '../../base/suggest.js';
import type { BtfEnum } from '../btf/types.js';
import { type Domain, type IntegerStorage, integerFrom, integerRange } from './integer.js';
import { bytesAt, type Form, hexOf, isHex, Misfit, shown, writeHex } from './value.js';

/** Enums of old compilers do not say that they are signed; a negative enumerator does. */
export function isSigned(type: BtfEnum): boolean {
  return type.signed || type.values.some(({ value }) => value < 0n);
}

/** Enumerators by name in and out; a number that none of them has stays a number. */
export function enumDomain(type: BtfEnum, bits: number): Domain {
  const signed = isSigned(type);
  const asStored = (value: bigint): bigint =>
    signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  const rawOf = new Map<string, bigint>();
  // Keyed as storage loads it: number up to 32 bits, bigint above.
  const nameOf = new Map<number | bigint, string>();
  for (const { name, value } of type.values) {
    const stored = asStored(value);
    const key = bits <= 32 ? Number(stored) : stored;
    rawOf.set(name, stored);
    if (!nameOf.has(key)) nameOf.set(key, name);
  }
  const what = type.name === '' ? 'enum' : `enum ${type.name}`;
  const { min } = integerRange(bits, true);
  const { max } = integerRange(bits, signed);
  // Compilers before clang 15 do not say that an enum is signed, so negative numbers are always accepted.
  const range = { word: what, min, max };
  return {
    fromRaw: (raw) => nameOf.get(raw) ?? raw,
    toRaw: (value) => {
      if (typeof value !== 'string') return integerFrom(value, range);
      const text = value.trim();
      const known = rawOf.get(text);
      if (known !== undefined) return known;
      if (/^[+-]?[0-9]/.test(text)) return integerFrom(text, range);
      throw new Misfit(
        `${shown(text)} is not in ${what} (${alternatives(type, ', ')})`,
        suggestion(text, rawOf.keys()),
      );
    },
    describe: () => (type.values.length === 0 ? what : alternatives(type, '|')),
  };
}

function alternatives(type: BtfEnum, separator: string): string {
  const names = type.values.slice(0, 8).map(({ name }) => name);
  if (type.values.length > 8) names.push('…');
  return names.join(separator);
}

/** `true` and `false`; 0 and 1 on input. */
export const boolDomain: Domain = {
  fromRaw: (raw) => Number(raw) !== 0,
  toRaw: (value) => {
    const text = typeof value === 'string' ? value.trim() : value;
    if (text === true || text === 'true' || text === 1 || text === 1n || text === '1') return 1n;
    if (text === false || text === 'false' || text === 0 || text === 0n || text === '0') return 0n;
    throw new Misfit(`${shown(value)} is not true or false`);
  },
  describe: () => 'true|false',
};

const floatText = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const floatWords: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** float and double; `undefined` for other sizes (`long double`). */
export function floatForm(size: number, littleEndian: boolean, typeName: string): Form | undefined {
  if (size !== 4 && size !== 8) return undefined;
  const word = size === 4 ? 'f32' : 'f64';
  const le = littleEndian;
  return {
    size,
    typeName,
    read: size === 4 ? (view, at) => view.getFloat32(at, le) : (view, at) => view.getFloat64(at, le),
    write: (view, at, value) => {
      if (typeof value === 'string' && isHex(value)) {
        writeHex(view, at, size, value, typeName);
        return;
      }
      const number = floatFrom(value);
      if (number === undefined) throw new Misfit(`${shown(value)} is not a number (${word})`);
      if (size === 4 && Number.isFinite(number) && !Number.isFinite(Math.fround(number))) {
        throw new Misfit(`${shown(value)} does not fit f32 (up to 3.4e38)`);
      }
      if (size === 4) view.setFloat32(at, number, le);
      else view.setFloat64(at, number, le);
    },
    describe: () => word,
  };
}

function floatFrom(value: JsonValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return finite(Number(value));
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return floatWords.get(text) ?? (floatText.test(text) ? finite(Number(text)) : undefined);
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** Kernel addresses are shown and never written: null and raw `hex:` are all that goes in. */
export function pointerForm(littleEndian: boolean, typeName: string): Form {
  return {
    size: 8,
    typeName,
    read: (view, at) => `0x${view.getBigUint64(at, littleEndian).toString(16)}`,
    write: (view, at, value) => {
      if (typeof value === 'string' && isHex(value)) writeHex(view, at, 8, value, typeName);
      else if (value !== 0 && value !== 0n && value !== '0' && value !== '0x0') {
        throw new Misfit(`a pointer (${typeName}) is shown, not written: leave it out or give 0x0`);
      }
    },
    describe: () => 'pointer',
  };
}

/** Bytes without a type, as `hex:…`; on input also plain digits, in pairs with spaces or colons between if wanted. */
export function bytesForm(size: number, typeName: string): Form {
  return {
    size,
    typeName,
    read: (view, at) => `hex:${hexOf(bytesAt(view, at, size))}`,
    write: (view, at, value) => {
      if (typeof value !== 'string')
        throw new Misfit(`${shown(value)} is not hex text, such as hex:0a000001`);
      const text = value.trim();
      const pairs = /^[0-9a-fA-F]{2}([ :][0-9a-fA-F]{2})+$/.test(text) ? text.replaceAll(/[ :]/g, '') : text;
      writeHex(view, at, size, pairs, typeName);
    },
    describe: () => `hex:… (${size} bytes)`,
  };
}

/**
 * The storage of `width` bits that start `start` (0 to 7) bits into the byte at the offset. As in BTF, bits count from
 * the least significant one of the first byte where memory is little-endian, from the most significant one otherwise.
 * @param width 1 to 128.
 */
export function bitStorage(
  start: number,
  width: number,
  signed: boolean,
  littleEndian: boolean,
): IntegerStorage {
  const span = (start + width + 7) >> 3;
  const shift = littleEndian ? start : span * 8 - start - width;
  const store = wideBitStore(span, shift, width, littleEndian);
  if (span <= 4) {
    const left = 32 - width;
    return {
      load: (view, offset) => {
        let bits = 0;
        for (let index = 0; index < span; index++) {
          bits |= view.getUint8(offset + index) << (littleEndian ? index * 8 : (span - 1 - index) * 8);
        }
        const top = (bits >>> shift) << left;
        return signed ? top >> left : top >>> left;
      },
      store,
    };
  }
  const toWidth = signed ? BigInt.asIntN : BigInt.asUintN;
  const load = (view: DataView, offset: number): bigint =>
    toWidth(width, wideBits(view, offset, span, littleEndian) >> BigInt(shift));
  return { load: width <= 32 ? (view, offset) => Number(load(view, offset)) : load, store };
}

function wideBits(view: DataView, offset: number, span: number, littleEndian: boolean): bigint {
  let bits = 0n;
  for (let index = 0; index < span; index++) {
    bits = (bits << 8n) | BigInt(view.getUint8(offset + (littleEndian ? span - 1 - index : index)));
  }
  return bits;
}

/** Neighbours in the same bytes keep their bits. */
function wideBitStore(
  span: number,
  shift: number,
  width: number,
  littleEndian: boolean,
): IntegerStorage['store'] {
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(shift);
  return (view, offset, value) => {
    const placed = BigInt.asUintN(width, value) << BigInt(shift);
    let bits = (wideBits(view, offset, span, littleEndian) & ~mask) | placed;
    for (let index = 0; index < span; index++) {
      view.setUint8(offset + (littleEndian ? index : span - 1 - index), Number(bits & 0xffn));
      bits >>= 8n;
    }
  };
}
