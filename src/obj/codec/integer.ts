/** Integers: text, ranges, and their plain storage of 1, 2, 4, 8 or 16 bytes in either byte order. */
import type { JsonValue } from '../../base/json.js';
import { integerText, wholeIntegerText } from './integer-text.js';
import type { StoreHalves, StoreNumber } from './read-digits.js';
import type { TextForm } from './text-form.js';
import { type Form, isHex, Misfit, shown, type Value, writeHex } from './value.js';

/** The set of values of an integer type. */
export interface IntegerRange {
  /** How messages call it: `u8`, `be16`, `5 bits`. */
  readonly word: string;
  readonly min: bigint;
  readonly max: bigint;
}

/** `u8`, `s32`, … */
export function integerWord(bits: number, signed: boolean): string {
  return `${signed ? 's' : 'u'}${bits}`;
}

/** The range of an integer of `bits` bits. */
export function integerRange(bits: number, signed: boolean, word = integerWord(bits, signed)): IntegerRange {
  const span = 1n << BigInt(bits);
  return signed ? { word, min: -span / 2n, max: span / 2n - 1n } : { word, min: 0n, max: span - 1n };
}

/**
 * A given value as an integer in range: a number, a bigint, or the text of one (decimal or `0x…`).
 * @throws Misfit
 */
export function integerFrom(value: JsonValue, range: IntegerRange): bigint {
  const integer = exactInteger(value);
  if (integer === undefined)
    throw new Misfit(`${shown(value)} is not an integer (${range.word})${whyNot(value)}`);
  if (integer < range.min || integer > range.max) {
    const given = typeof value === 'string' ? shown(value.trim()).slice(1, -1) : shown(value);
    throw new Misfit(`${given} does not fit ${range.word} (${range.min} to ${range.max})`);
  }
  return integer;
}

const integerForms = /^([+-]?)(0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)$/;
/** More than 128 bits in any notation; keeps BigInt() cheap on hostile text. */
const textLimit = 60;

function exactInteger(value: JsonValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const match = text.length > textLimit ? null : integerForms.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] ?? '');
  return match[1] === '-' ? -magnitude : magnitude;
}

function whyNot(value: JsonValue): string {
  if (typeof value === 'number' && Number.isInteger(value))
    return ': beyond 2^53 write all its digits, or a bigint';
  if (typeof value === 'string' && /^\s*[+-]?0[0-9]+\s*$/.test(value))
    return ': a leading zero could mean octal';
  return '';
}

/** An integer of up to 32 bits. */
export interface NarrowStorage {
  readonly load: (view: DataView, offset: number) => number;
  readonly store: StoreNumber;
}

/** An integer of 33 to 64 bits as two numbers; `high` extends the sign to its 32 bits. */
export interface HalvesStorage {
  readonly low: (view: DataView, offset: number) => number;
  readonly high: (view: DataView, offset: number) => number;
  readonly store: StoreHalves;
}

/** Loads and stores an integer at a byte offset. Loads are exact: number up to 32 bits, bigint above. */
export interface IntegerStorage {
  /** Bits. */
  readonly width: number;
  readonly load: (view: DataView, offset: number) => number | bigint;
  readonly store: (view: DataView, offset: number, value: bigint) => void;
  /** The same without bigint, up to 32 bits. */
  readonly narrow?: NarrowStorage;
  /** The same without bigint, from 33 to 64 bits. */
  readonly halves?: HalvesStorage;
}

/** The storage of a whole integer of 1, 2, 4, 8 or 16 bytes; `undefined` for other sizes. */
export function integerStorage(
  size: number,
  signed: boolean,
  littleEndian: boolean,
): IntegerStorage | undefined {
  const le = littleEndian;
  switch (size) {
    case 1:
      return narrowStorage(8, {
        load: signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at),
        store: (view, at, value) => view.setUint8(at, value),
      });
    case 2:
      return narrowStorage(16, {
        load: signed ? (view, at) => view.getInt16(at, le) : (view, at) => view.getUint16(at, le),
        store: (view, at, value) => view.setUint16(at, value, le),
      });
    case 4:
      return narrowStorage(32, {
        load: signed ? (view, at) => view.getInt32(at, le) : (view, at) => view.getUint32(at, le),
        store: (view, at, value) => view.setUint32(at, value, le),
      });
    case 8: {
      const low = le ? 0 : 4;
      const high = 4 - low;
      return {
        width: 64,
        load: signed ? (view, at) => view.getBigInt64(at, le) : (view, at) => view.getBigUint64(at, le),
        store: (view, at, value) => view.setBigUint64(at, value, le),
        halves: {
          low: (view, at) => view.getUint32(at + low, le),
          high: (view, at) => view.getUint32(at + high, le),
          store: (view, at, upper, lower) => {
            view.setUint32(at + low, lower, le);
            view.setUint32(at + high, upper, le);
          },
        },
      };
    }
    case 16:
      return hugeStorage(signed, le);
    default:
      return undefined;
  }
}

function narrowStorage(width: number, narrow: NarrowStorage): IntegerStorage {
  const { load, store } = narrow;
  return { width, load, store: (view, at, value) => store(view, at, Number(value)), narrow };
}

function hugeStorage(signed: boolean, le: boolean): IntegerStorage {
  const low = le ? 0 : 8;
  const high = 8 - low;
  return {
    width: 128,
    load: (view, at) => {
      const top = signed ? view.getBigInt64(at + high, le) : view.getBigUint64(at + high, le);
      return (top << 64n) | view.getBigUint64(at + low, le);
    },
    store: (view, at, value) => {
      view.setBigUint64(at + low, BigInt.asUintN(64, value), le);
      view.setBigUint64(at + high, BigInt.asUintN(64, value >> 64n), le);
    },
  };
}

/**
 * The form of a plain integer.
 * @param size 1, 2, 4, 8 or 16 bytes.
 */
export function integerForm(
  size: number,
  signed: boolean,
  littleEndian: boolean,
  typeName: string,
  word = integerWord(size * 8, signed),
): Form | undefined {
  const storage = integerStorage(size, signed, littleEndian);
  if (storage === undefined) return undefined;
  const range = integerRange(size * 8, signed, word);
  const { load, store } = storage;
  const slow = (view: DataView, offset: number, value: JsonValue): void => {
    if (typeof value === 'string' && isHex(value)) writeHex(view, offset, size, value, typeName);
    else store(view, offset, integerFrom(value, range));
  };
  return {
    size,
    typeName,
    read: load,
    write: fastWrite(size, signed, littleEndian, slow),
    describe: () => word,
    text: wholeIntegerText(storage, size, signed, littleEndian),
    access: accessOf(size, signed, littleEndian),
  };
}

function accessOf(size: number, signed: boolean, littleEndian: boolean): Form['access'] {
  const names = signed
    ? (['getInt8', 'getInt16', 'getInt32', 'getBigInt64'] as const)
    : (['getUint8', 'getUint16', 'getUint32', 'getBigUint64'] as const);
  const get = names[[1, 2, 4, 8].indexOf(size)];
  return get === undefined ? undefined : { get, littleEndian };
}

/** Writes a value of the expected JavaScript type and range at once, anything else (text, errors) by `slow`. */
function fastWrite(size: number, signed: boolean, le: boolean, slow: Form['write']): Form['write'] {
  const min = signed ? -(2 ** (size * 8 - 1)) : 0;
  const max = signed ? -min - 1 : 2 ** (size * 8) - 1;
  const fits = (value: JsonValue): value is number =>
    typeof value === 'number' && value >= min && value <= max && Number.isInteger(value);
  switch (size) {
    case 1:
      return (view, at, value) => (fits(value) ? view.setUint8(at, value) : slow(view, at, value));
    case 2:
      return (view, at, value) => (fits(value) ? view.setUint16(at, value, le) : slow(view, at, value));
    case 4:
      return (view, at, value) => (fits(value) ? view.setUint32(at, value, le) : slow(view, at, value));
    case 8:
      return (view, at, value) => {
        if (typeof value !== 'bigint') slow(view, at, value);
        else if ((signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) === value)
          view.setBigUint64(at, BigInt.asUintN(64, value), le);
        else slow(view, at, value);
      };
    default:
      return slow;
  }
}

/** An integer that stands for something else (enum, bool), over any storage. */
export function mappedForm(
  parts: {
    readonly size: number;
    readonly typeName: string;
    readonly storage: IntegerStorage;
    /** Raw bytes make no sense for a bit field. */
    readonly wholeBytes: boolean;
  },
  domain: Domain,
): Form {
  const { size, typeName, storage, wholeBytes } = parts;
  const { toRaw, fromRaw } = domain;
  return {
    size,
    typeName,
    read: (view, offset) => fromRaw(storage.load(view, offset)),
    write: (view, offset, value) => {
      if (wholeBytes && typeof value === 'string' && isHex(value))
        writeHex(view, offset, size, value, typeName);
      else storage.store(view, offset, toRaw(value));
    },
    describe: domain.describe,
    text: domain.text(storage),
    isBits: !wholeBytes,
  };
}

/** What the bits of an integer mean. */
export interface Domain {
  readonly fromRaw: (raw: number | bigint) => Value;
  /** @throws Misfit */
  readonly toRaw: (value: JsonValue) => bigint;
  readonly describe: () => string;
  readonly text: (storage: IntegerStorage) => TextForm;
}

/** The integers themselves. */
export function integerDomain(range: IntegerRange): Domain {
  return {
    fromRaw: (raw) => raw,
    toRaw: (value) => integerFrom(value, range),
    describe: () => range.word,
    text: (storage) => integerText(storage, range.min < 0n),
  };
}
