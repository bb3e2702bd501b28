/** Floats, pointers and bytes without a type. */
import { counted } from '../../base/counted.js';
import type { JsonValue } from '../../base/json.js';
import { floatText, hexText, pointerText } from './scalar-text.js';
import { bytesAt, type Form, hexOf, isHex, Misfit, shown, writeHex } from './value.js';

const floatForms = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
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
    text: floatText(size, le),
    access: { get: size === 4 ? 'getFloat32' : 'getFloat64', littleEndian: le },
  };
}

function floatFrom(value: JsonValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return finite(Number(value));
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return floatWords.get(text) ?? (floatForms.test(text) ? finite(Number(text)) : undefined);
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
    text: pointerText(littleEndian),
  };
}

/**
 * Bytes without a type, as `hex:…`. Digits alone are refused: whether `10` is ten or sixteen only a type tells.
 * @param hint where else a type can come from
 */
export function bytesForm(size: number, typeName: string, hint?: string): Form {
  return {
    size,
    typeName,
    read: (view, at) => `hex:${hexOf(bytesAt(view, at, size))}`,
    write: (view, at, value) => {
      const text = typeof value === 'string' ? value.trim() : '';
      if (!isHex(text)) {
        throw new Misfit(`${shown(value)} is not hex:… (${counted(size, 'byte')})`, hint);
      }
      writeHex(view, at, size, text, typeName);
    },
    describe: () => `hex:… (${counted(size, 'byte')})`,
    text: hexText(size),
  };
}
