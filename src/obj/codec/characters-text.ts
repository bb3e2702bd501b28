/** The text of character arrays. */
import { utf8Bytes } from './csv-field.js';
import { bareHex } from './scalar-text.js';
import { endOfField, notPlain, type TextForm } from './text-form.js';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const hexPrefix = utf8Bytes('hex:');

/**
 * Bytes of the text in an array that holds printable ASCII and zeros behind it; -1 for every other array, and for text
 * that starts like raw bytes.
 */
export function plainLength(view: DataView, offset: number, size: number): number {
  let length = 0;
  for (; length < size; length++) {
    const byte = view.getUint8(offset + length);
    if (byte === 0) break;
    if (byte < 0x20 || byte > 0x7e) return -1;
  }
  for (let at = length + 1; at < size; at++) if (view.getUint8(offset + at) !== 0) return -1;
  return startsWithHex(view, offset, length) ? -1 : length;
}

/**
 * @param textLength bytes of the text in any array, -1 when it holds none and is shown as `hex:…`.
 * @param isText UTF-8 that may be shown as it is?
 */
export function charactersText(
  size: number,
  textLength: (view: DataView, offset: number) => number,
  isText: (bytes: Uint8Array) => boolean,
): TextForm {
  const lengthOf = (view: DataView, offset: number): number => {
    const length = plainLength(view, offset, size);
    return length < 0 ? textLength(view, offset) : length;
  };

  /** Whether the text that was just put there is what it seems to be. */
  const isTaken = (view: DataView, offset: number, length: number, wide: boolean): boolean =>
    wide
      ? isText(new Uint8Array(view.buffer, view.byteOffset + offset, length))
      : !startsWithHex(view, offset, length);

  const { put: putRaw, take: takeRaw } = bareHex(size);

  return {
    jsonLimit: size * 2 + 6,
    putJson: (view, offset, data, at, out) => {
      const length = lengthOf(view, offset);
      let place = at;
      data.setUint8(place++, quote);
      if (length < 0) {
        place = putRaw(view, offset, data, place, out);
      }
      for (let index = 0; index < length; index++) {
        const byte = view.getUint8(offset + index);
        if (byte === quote || byte === backslash) data.setUint8(place++, backslash);
        data.setUint8(place++, byte);
      }
      data.setUint8(place, quote);
      return place + 1;
    },
    takeJson: (bytes, at, end, view, offset, source) => {
      if (at >= end || bytes[at] !== quote) return notPlain;
      const raw = takeRaw(bytes, at + 1, end, view, offset, source);
      if (raw > 0) return raw < end && bytes[raw] === quote ? raw + 1 : notPlain;
      let wide = false;
      let length = 0;
      for (let place = at + 1; place < end; place++) {
        let byte = bytes[place] ?? 0;
        if (byte === quote) return isTaken(view, offset, length, wide) ? place + 1 : notPlain;
        if (byte === backslash) {
          place++;
          byte = place < end ? (bytes[place] ?? 0) : 0;
          if (byte !== quote && byte !== backslash) return notPlain;
        }
        if (byte < 0x20 || length === size) return notPlain;
        if (byte > 0x7f) wide = true;
        view.setUint8(offset + length, byte);
        length++;
      }
      return notPlain;
    },
    csvLimit: size * 2 + 4,
    putCsv: (view, offset, data, at, out) => {
      const length = lengthOf(view, offset);
      if (length < 0) return putRaw(view, offset, data, at, out);
      const quoted = fieldNeedsQuotes(view, offset, length);
      let place = at;
      if (quoted) data.setUint8(place++, quote);
      for (let index = 0; index < length; index++) {
        const byte = view.getUint8(offset + index);
        if (byte === quote) data.setUint8(place++, quote);
        data.setUint8(place++, byte);
      }
      if (quoted) data.setUint8(place++, quote);
      return place;
    },
    takeCsv: (bytes, at, end, view, offset, source) => {
      const raw = takeRaw(bytes, at, end, view, offset, source);
      if (raw > 0) return endOfField(bytes, raw, end);
      let wide = false;
      let length = 0;
      let place = at;
      let closed = false;
      const quoted = at < end && bytes[at] === quote;
      if (quoted) place++;
      for (; place < end; place++) {
        const byte = bytes[place] ?? 0;
        if (byte === quote) {
          if (!quoted) return notPlain;
          place++;
          closed = place >= end || bytes[place] !== quote;
          if (closed) break;
        } else if (byte < 0x20 || (byte === comma && !quoted)) break;
        if (length === size) return notPlain;
        if (byte > 0x7f) wide = true;
        view.setUint8(offset + length, byte);
        length++;
      }
      const isWhole = quoted ? closed : place > at;
      if (!isWhole || endOfField(bytes, place, end) < 0) return notPlain;
      return isTaken(view, offset, length, wide) ? place : notPlain;
    },
  };
}

/** Is this text raw bytes (`hex:…`), spaces before it aside? */
function startsWithHex(view: DataView, offset: number, length: number): boolean {
  let at = 0;
  while (at < length && view.getUint8(offset + at) === 0x20) at++;
  if (length - at < hexPrefix.length) return false;
  for (let index = 0; index < hexPrefix.length; index++) {
    if (view.getUint8(offset + at + index) !== hexPrefix[index]) return false;
  }
  return true;
}

/** As `needsQuotes` has it. */
function fieldNeedsQuotes(view: DataView, offset: number, length: number): boolean {
  if (length === 0 || view.getUint8(offset) === 0x20 || view.getUint8(offset + length - 1) === 0x20)
    return true;
  for (let index = 0; index < length; index++) {
    const byte = view.getUint8(offset + index);
    if (byte === comma || byte === quote) return true;
  }
  return false;
}
