/** Enums and bool: integers that stand for words. */
import { counted } from '../../base/counted.js';
import { closest, suggestion } from '../../base/suggest.js';
import type { BtfEnum } from '../btf/types.js';
import { boolText, enumText } from './enum-text.js';
import { type Domain, integerFrom, integerRange } from './integer.js';
import { Misfit, shown } from './value.js';

/** Enums of old compilers do not say that they are signed; a negative enumerator does. */
export function isSigned(type: BtfEnum): boolean {
  return type.signed || type.values.some(({ value }) => value < 0n);
}

/** Enumerators by name in and out; a number that none of them has stays a number. */
export function enumDomain(type: BtfEnum, bits: number): Domain {
  const signed = isSigned(type);
  const asStored = (value: bigint): bigint =>
    signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  // A bit field may be too narrow for some. -1 of compilers that know no sign is all ones, and fits wherever that does.
  const wordBits = type.size > 4 ? 64 : 32;
  const fits = (value: bigint): boolean =>
    asStored(value) === value || (!signed && BigInt.asIntN(bits, value) === BigInt.asIntN(wordBits, value));
  const rawOf = new Map<string, bigint>();
  // Keyed as storage loads it: number up to 32 bits, bigint above.
  const nameOf = new Map<number | bigint, string>();
  for (const { name, value } of type.values) {
    if (!fits(value)) continue;
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
      const tooWide = type.values.find(({ name }) => name === text);
      if (tooWide !== undefined)
        throw new Misfit(`${text} (${tooWide.value}) does not fit ${counted(bits, 'bit')}`);
      const near = closest(text, rawOf.keys());
      throw new Misfit(
        `${shown(text)} is not in ${what} (${alternatives(type, ', ')})`,
        // The words there are the message has already, unless there are too many for it.
        near === undefined && type.values.length <= mostNamed ? undefined : suggestion(text, rawOf.keys()),
      );
    },
    describe: () => (type.values.length === 0 ? what : alternatives(type, '|')),
    text: (storage) => enumText(storage, signed, nameOf, rawOf),
  };
}

/** So many words are listed of an enum. */
const mostNamed = 8;

function alternatives(type: BtfEnum, separator: string): string {
  const names = type.values.slice(0, mostNamed).map(({ name }) => name);
  if (type.values.length > mostNamed) names.push('…');
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
  text: boolText,
};
