/** Character arrays. */
import { charactersText, plainLength } from './characters-text.js';
import { bytesAt, type Form, hexOf, isHex, Misfit, shown, writeHex } from './value.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** Control characters (a terminal would obey them) and line separators (a value is one line). */
const unprintable = /[\p{Cc}\u2028\u2029]/u;

/**
 * Character arrays: text up to the first NUL. Bytes that are not printable UTF-8, or that go on after the NUL, or a
 * text that itself starts with `hex:`, are shown as `hex:…` of the whole array.
 */
export function charactersForm(size: number, typeName: string): Form {
  return {
    size,
    typeName,
    read: (view, offset) => {
      const length = plainLength(view, offset, size);
      if (length >= 0) return asciiText(view, offset, length);
      const text = textOf(bytesAt(view, offset, size));
      return text ?? `hex:${hexOf(bytesAt(view, offset, size))}`;
    },
    write: (view, offset, value) => {
      if (typeof value !== 'string') throw new Misfit(`${shown(value)} is not text (${typeName})`);
      if (isHex(value)) {
        writeHex(view, offset, size, value, typeName);
        return;
      }
      if (value.includes('\0') || /\p{Cs}/u.test(value)) {
        throw new Misfit(`${shown(value)} holds characters that text cannot have; write it as hex:…`);
      }
      const bytes = encoder.encode(value);
      if (bytes.length > size) {
        throw new Misfit(`${shown(value)} has ${bytes.length} bytes, ${typeName} takes at most ${size}`);
      }
      bytesAt(view, offset, size).set(bytes);
    },
    describe: () => `text (${size} bytes)`,
    text: charactersText(
      size,
      (view, offset) => {
        const bytes = bytesAt(view, offset, size);
        if (textOf(bytes) === undefined) return -1;
        const end = bytes.indexOf(0);
        return end < 0 ? size : end;
      },
      (bytes) => textOf(bytes) !== undefined,
    ),
  };
}

function asciiText(view: DataView, offset: number, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += String.fromCharCode(view.getUint8(offset + index));
  return text;
}

/** The text up to the first NUL; undefined when what is there is none. */
function textOf(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  if (end >= 0 && !bytes.subarray(end).every((byte) => byte === 0)) return undefined;
  const text = utf8(end < 0 ? bytes : bytes.subarray(0, end));
  return text === undefined || unprintable.test(text) || isHex(text.trim()) ? undefined : text;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
