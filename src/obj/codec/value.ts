/** What the codecs are made of: values, the compiled form of one type, and the error that finds its own path. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import type { JsonValue } from '../../base/json.js';
import type { TextForm } from './text-form.js';
import type { TextSink } from './text-sink.js';
import type { TextSource } from './text-source.js';

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
  /** Most bytes that `writeJson` appends. */
  readonly jsonLimit: number;
  /**
   * Appends the JSON text of the value straight from its bytes: what `toJson(decode(view, offset))` gives. The view has
   * `size` bytes at `offset` and the sink room for `jsonLimit`; neither is checked. Never throws, whatever the bytes.
   */
  writeJson(view: DataView, offset: number, out: TextSink): void;
  /**
   * Reads JSON text at `source.at` straight into the bytes, in the form that `writeJson` gives, with or without white
   * space in it. True: `source.at` is behind the value. False: take the slow way, `parseJson` and `encode`, which either
   * accepts the text or knows what is wrong; bytes and `source.at` are then unspecified. What is accepted gives the bytes
   * that the slow way gives.
   */
  readJson(source: TextSource, view: DataView, offset: number): boolean;
  /** How the value is spread over columns of CSV: one a leaf member; arrays, and what has no members, are one leaf. */
  readonly columns: readonly CodecColumn[];
  /**
   * Sets, in a mask of `size` bytes at `offset`, the bits that a value gives: of a struct those of the members that it
   * names, never padding. Arrays and unions are given as a whole.
   * @param value one that was encoded before; undefined for all members
   */
  markGiven(value: Value | undefined, mask: DataView, offset: number): void;
}

/** One leaf of a value in CSV. */
export interface CodecColumn {
  /** `saddr`, `limits.rate`; empty where the value as a whole is one leaf. */
  readonly path: string;
  /** Most bytes that `writeCsv` appends. */
  readonly csvLimit: number;
  /** Appends the field of the value that starts at `offset`, in double quotes where RFC 4180 wants them. As `writeJson` otherwise. */
  writeCsv(view: DataView, offset: number, out: TextSink): void;
  /**
   * Reads a field up to `,`, a line end or the end of the source, in the form that `writeCsv` gives, into the value that
   * starts at `offset`, whose bytes are zero before. True: `source.at` is behind the field. False: take the slow way,
   * `encodeText` with the field's text; `source.at` is then unspecified.
   */
  readCsv(source: TextSource, view: DataView, offset: number): boolean;
  /**
   * The slow way: the text of the field, its quotes taken off. Writes the bytes of this leaf alone.
   * @throws NetkitError `bad-value`, naming the member
   */
  encodeText(text: string, view: DataView, offset: number): void;
  /** Sets the bits of this leaf in a mask of the value that starts at `offset`. */
  markGiven(mask: DataView, offset: number): void;
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
  /** The same straight from and to text. */
  readonly text: TextForm;
  /** How `DataView` reads it, where that alone is what `read` does. */
  readonly access?: Access | undefined;
  /** The members of a struct or union that are shown, in the order of their text; undefined for everything else. */
  readonly shown?: readonly ShownMember[];
  /** All members that can be written, the smaller alternatives of unions included. */
  readonly slots?: readonly WritableSlot[];
  /** A bit field: what is beside it in its bytes belongs to others. */
  readonly isBits?: boolean;
  /** What an array is made of. */
  readonly elements?: { readonly form: Form; readonly count: number };
}

/** A `DataView` method that reads one number. */
export interface Access {
  readonly get:
    | 'getInt8'
    | 'getUint8'
    | 'getInt16'
    | 'getUint16'
    | 'getInt32'
    | 'getUint32'
    | 'getBigInt64'
    | 'getBigUint64'
    | 'getFloat32'
    | 'getFloat64';
  readonly littleEndian: boolean;
}

/** A member that `read` gives. */
export interface ShownMember {
  readonly name: string;
  /** Bytes from the start of the type. */
  readonly offset: number;
  readonly form: Form;
}

/** A member that `write` takes. */
export interface WritableSlot extends ShownMember {
  /** The unions that it is in, the outermost first. */
  readonly choices: readonly { readonly union: number }[];
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
