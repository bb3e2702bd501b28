/** The text of floats, pointers and bytes without a type. */
import { utf8Bytes } from './csv-field.js';
import { putAscii, putBytes, putGroup, putHex, putHexByte, putUint32 } from './digits.js';
import type { StoreNumber } from './read-digits.js';
import {
  type BareText,
  notPlain,
  type Put,
  plainText,
  quotedText,
  type Take,
  type TextForm,
  takeBytes,
} from './text-form.js';

const quote = 0x22;
/** `-0.0000012345678901234567`, with one to spare. */
const floatLimit = 26;
const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** float and double: as JavaScript writes them; NaN and the infinities as words, which in JSON are strings. */
export function floatText(size: number, littleEndian: boolean): TextForm {
  const load =
    size === 4
      ? (view: DataView, offset: number) => view.getFloat32(offset, littleEndian)
      : (view: DataView, offset: number) => view.getFloat64(offset, littleEndian);
  const put: Put = (view, offset, data, at) => putFloat(data, at, load(view, offset));
  const store: StoreNumber =
    size === 4
      ? (view, offset, value) => view.setFloat32(offset, value, littleEndian)
      : (view, offset, value) => view.setFloat64(offset, value, littleEndian);
  const numbers = plainText({ limit: floatLimit, put, take: takeFloat(size, store) });
  const words = quotedText({ limit: floatLimit, put, take: takeFloatWord(store) });
  return {
    ...numbers,
    jsonLimit: words.jsonLimit,
    takeJson: (bytes, at, end, view, offset, source) =>
      (at < end && bytes[at] === quote ? words : numbers).takeJson(bytes, at, end, view, offset, source),
    takeCsv: (bytes, at, end, view, offset, source) => {
      const next = numbers.takeCsv(bytes, at, end, view, offset, source);
      return next < 0 ? words.takeCsv(bytes, at, end, view, offset, source) : next;
    },
    putJson: (view, offset, data, at, out) =>
      (Number.isFinite(load(view, offset)) ? put : words.putJson)(view, offset, data, at, out),
  };
}

function putFloat(data: DataView, at: number, value: number): number {
  if (value >= 0 && value <= 0xffff_ffff && Number.isInteger(value) && !Object.is(value, -0)) {
    return putUint32(data, at, value);
  }
  return putAscii(data, at, Object.is(value, -0) ? '-0' : String(value));
}

const floatWords = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => ({
  value,
  text: utf8Bytes(String(value)),
}));

function takeFloatWord(store: StoreNumber): Take {
  return (bytes, at, end, view, offset) => {
    for (const { value, text } of floatWords) {
      const next = takeBytes(bytes, at, end, text);
      if (next < 0) continue;
      store(view, offset, value);
      return next;
    }
    return notPlain;
  };
}

function takeFloat(size: number, store: StoreNumber): Take {
  return (bytes, at, end, view, offset) => {
    const limit = Math.min(end, at + floatLimit);
    let text = '';
    let place = at;
    for (; place < limit; place++) {
      const byte = bytes[place] ?? 0;
      const isDigit = byte >= 0x30 && byte <= 0x39;
      // - . e E +
      if (!isDigit && byte !== 0x2d && byte !== 0x2e && (byte | 0x20) !== 0x65 && byte !== 0x2b) break;
      text += String.fromCharCode(byte);
    }
    if (!jsonNumber.test(text)) return notPlain;
    const value = Number(text);
    if (!Number.isFinite(size === 4 ? Math.fround(value) : value)) return notPlain;
    store(view, offset, value);
    return place;
  };
}

const hexPrefix = utf8Bytes('hex:');

/** `hex:0a000001` */
export function hexText(size: number): TextForm {
  return quotedText(bareHex(size));
}

/** The same without quotes. */
export function bareHex(size: number): BareText {
  return {
    limit: hexPrefix.length + size * 2,
    put: (view, offset, data, at) => putHex(data, putBytes(data, at, hexPrefix), view, offset, size),
    take: (bytes, at, end, view, offset) => {
      const start = takeBytes(bytes, at, end, hexPrefix);
      return start < 0 ? notPlain : takeHexDigits(bytes, start, end, view, offset, size);
    },
  };
}

/** Two hex digits of either case a byte. */
function takeHexDigits(
  bytes: Uint8Array,
  at: number,
  end: number,
  view: DataView,
  offset: number,
  size: number,
): number {
  const last = at + size * 2;
  if (last > end) return notPlain;
  for (let index = 0; index < size; index++) {
    const value = hexByte(bytes, at + index * 2);
    if (value < 0) return notPlain;
    view.setUint8(offset + index, value);
  }
  return last;
}

/** What a byte is as a hex digit; 255 when it is none. */
const nibbles = new Uint8Array(256).fill(255);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  nibbles[digit.charCodeAt(0)] = value;
  nibbles[digit.toUpperCase().charCodeAt(0)] = value;
}

/** A byte as a hex digit, 0 to 15; 255 when it is none. */
export function hexDigit(byte: number | undefined): number {
  return nibbles[byte ?? 0] ?? 255;
}

/** Two hex digits; -1 when they are none. */
export function hexByte(bytes: Uint8Array, at: number): number {
  const high = hexDigit(bytes[at]);
  const low = hexDigit(bytes[at + 1]);
  return high > 15 || low > 15 ? -1 : (high << 4) | low;
}

/** `0x` */
const hexStart = 0x7830;
const nullPointer = utf8Bytes('0x0');

/** `0xffff888004a3c000`; only null is read. */
export function pointerText(littleEndian: boolean): TextForm {
  return quotedText({
    limit: 18,
    put: (view, offset, data, at) => {
      data.setUint16(at, hexStart, true);
      let place = at + 2;
      let started = false;
      for (let index = 0; index < 4; index++) {
        const group = view.getUint16(offset + (littleEndian ? 6 - index * 2 : index * 2), littleEndian);
        if (started) {
          place = putHexByte(data, putHexByte(data, place, group >>> 8), group & 0xff);
        } else if (group !== 0 || index === 3) {
          place = putGroup(data, place, group);
          started = true;
        }
      }
      return place;
    },
    take: (bytes, at, end) => takeBytes(bytes, at, end, nullPointer),
  });
}
