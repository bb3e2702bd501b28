/** What the codecs are made of: values, the compiled form of one type, and the error that finds its own path. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import type { JsonValue } from '../../base/json.js';

/**
 * A decoded value. Integers of up to 32 bits (bit fields by their own width) are numbers, wider ones bigints; enums
 * their enumerator's name, or the number where none has it; addresses, prefixes, MACs and character arrays strings;
 * pointers `'0x…'`; structs and unions objects by member name.
 */
export type Value = number | bigint | boolean | string | Value[] | { [member: string]: Value };

/** Reads and writes values of one type. Compiled once; nothing is looked up per value. */
export interface Codec {
  /** Bytes. */
  readonly size: number;
  /** The C spelling of the type, or the word it was made from. */
  readonly typeName: string;
  /**
   * Writes all `size` bytes at `offset`. Text is accepted wherever a value is (`'0x10'`, `'10.0.0.1'`, `'a=1,b=2'`),
   * struct members left out and padding become zero.
   * @throws NetkitError `bad-value`
   */
  encode(value: Value, view: DataView, offset: number): void;
  /** @throws NetkitError `bad-value` when fewer than `size` bytes follow `offset`. */
  decode(view: DataView, offset: number): Value;
  /**
   * Reads the text form of a value.
   * @throws NetkitError `bad-value`
   */
  parse(text: string): Value;
  /** The text form on one line, which `parse` reads back. */
  format(value: Value): string;
  /** The form that `parse` expects, for people: `10.0.0.0/8`, `{"action": pass|drop, "limit": u32}`. */
  describe(): string;
  /**
   * `encode(parse(text))` in one step; the only way in for raw `hex:` bytes, padding and pointers included.
   * @throws NetkitError `bad-value`
   */
  encodeText(text: string, view: DataView, offset: number): void;
}

/** One compiled type, without bounds checks and the root's name: `codec.ts` adds these around the outermost. */
export interface Form {
  /** Bytes; for a bit field those that it touches. */
  readonly size: number;
  readonly typeName: string;
  readonly read: (view: DataView, offset: number) => Value;
  /**
   * Writes a value or its text. The bytes are zero before, so that forms write only what is given.
   * @throws Misfit
   */
  readonly write: (view: DataView, offset: number, value: JsonValue) => void;
  readonly describe: () => string;
}

/** A value that does not fit; `path` (`.limits[2].rate`) grows while the error leaves the enclosing types. */
export class Misfit extends NetkitError {
  readonly path: string;

  constructor(message: string, hint?: string, path = '') {
    super('bad-value', message, { hint });
    this.path = path;
  }
}

/** What to throw in place of `error` after it left the member or element called `segment`. */
export function within(error: unknown, segment: string): unknown {
  if (error instanceof Misfit) return new Misfit(error.message, error.hint, segment + error.path);
  if (error instanceof NetkitError && error.code === 'bad-value')
    return new Misfit(error.message, error.hint, segment);
  return error;
}

/** A given value on one short line, for messages. */
export function shown(value: JsonValue): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value).slice(1, -1), "'");
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return shorten(String(value), '');
}

function shorten(text: string, quote: string): string {
  return `${quote}${text.length > 60 ? `${text.slice(0, 60)}…` : text}${quote}`;
}

/** Writes zeros. */
export function clear(view: DataView, offset: number, size: number): void {
  const end = offset + size;
  let at = offset;
  for (; at + 4 <= end; at += 4) view.setUint32(at, 0);
  for (; at < end; at++) view.setUint8(at, 0);
}

/** The bytes of a view, shared and not copied. */
export function bytesAt(view: DataView, offset: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, size);
}

/** `0a000001`. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Is this text raw bytes (`hex:…`), which every type accepts? */
export function isHex(text: string): boolean {
  return text.startsWith('hex:');
}

/**
 * Writes `hex:0a000001`, which must have exactly `size` bytes; `owner` says whose they are.
 * @throws Misfit
 */
export function writeHex(view: DataView, offset: number, size: number, text: string, owner: string): void {
  const digits = text.startsWith('hex:') ? text.slice(4) : text;
  if (!/^[0-9a-fA-F]*$/.test(digits))
    throw new Misfit(`${shown(text)} is not hex: only the digits 0-9 and a-f belong there`);
  if (digits.length % 2 !== 0) throw new Misfit(`${shown(text)} has an odd number of hex digits`);
  if (digits.length !== size * 2) {
    throw new Misfit(
      `${shown(text).slice(1, -1)} has ${counted(digits.length / 2, 'byte')}, ${owner} has ${size}`,
    );
  }
  bytesAt(view, offset, size).set(Buffer.from(digits, 'hex'));
}
