/** Codecs of BTF types, and of bytes without a type. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { type JsonValue, toJson } from '../../base/json.js';
import { suggestion } from '../../base/suggest.js';
import type { BtfGraph } from '../btf/types.js';
import type { FieldOrder } from './bare.js';
import { columnsOf } from './columns.js';
import { Compiler } from './compile.js';
import { markGiven } from './given-bits.js';
import { prefixForm } from './named.js';
import { bytesForm } from './scalar.js';
import { skipSpace } from './text-form.js';
import type { TextSink } from './text-sink.js';
import type { TextSource } from './text-source.js';
import {
  type Codec,
  type CodecColumn,
  clear,
  type Form,
  isHex,
  Misfit,
  type Value,
  within,
  writeHex,
} from './value.js';

export type { FieldOrder } from './bare.js';
export type { Codec, Value } from './value.js';

/** How errors call the thing that a codec is for, and how memory is laid out. */
export interface CodecOptions {
  /** `key`, `value` or another word that starts every path in an error. */
  readonly role?: string;
  /** Byte order of the machine the bytes are for; this one's when left out, which is little-endian. */
  readonly littleEndian?: boolean;
}

/** How a BTF type is to be read. */
export interface BtfCodecOptions extends CodecOptions {
  /** The member's or variable's name, where it stands outside of the type: it may ask for an address form. */
  readonly name?: string;
  /** The type is the key of a longest-prefix-match map: `struct { __u32 prefixlen; address }`. */
  readonly prefix?: boolean;
  /** Byte orders by dotted member path (`tuple.port`) or member name; they go before typedefs and address names. */
  readonly fieldOrders?: Readonly<Record<string, FieldOrder>>;
}

/**
 * Compiles the codec of a BTF type: any type with a size, variables and data sections included.
 * @throws NetkitError `bad-value` for types that hold no values, end in a flexible array, or do not fit `options`;
 *   `bad-object` for damaged types.
 */
export function codecFor(btf: BtfGraph, typeId: number, options: BtfCodecOptions = {}): Codec {
  const orders = new Map(Object.entries(options.fieldOrders ?? {}));
  const littleEndian = options.littleEndian ?? hostIsLittleEndian;
  const compiler = new Compiler(btf, littleEndian, orders);
  let form = compiler.root(typeId, options.name ?? options.role ?? '');
  for (const name of orders.keys()) {
    if (!compiler.used.has(name)) {
      throw new NetkitError(
        'bad-value',
        `${form.typeName} has no integer member '${name}' to set a byte order for`,
        {
          hint: suggestion(name, compiler.orderable),
        },
      );
    }
  }
  if (options.prefix === true) {
    if (btf.resolve(typeId).kind !== 'struct' || form.size <= 4) {
      throw new NetkitError(
        'bad-value',
        `${form.typeName} is not a prefix key: that is a struct of a __u32 length and an address`,
      );
    }
    form = prefixForm(form.size, littleEndian, form.typeName, form);
  }
  return codecOf(form, options.role ?? options.name);
}

/**
 * The codec of `size` bytes without a type: `hex:0a000001` in and out, and nothing else in.
 * @param options `hint` goes with the error for any other text
 */
export function bytesCodec(
  size: number,
  options: Pick<CodecOptions, 'role'> & { readonly hint?: string } = {},
): Codec {
  return codecOf(bytesForm(size, counted(size, 'byte'), options.hint), options.role);
}

/** The bytes of a value given as text. @throws NetkitError `bad-value` */
export function encodeText(codec: Codec, text: string): Uint8Array {
  const bytes = new Uint8Array(codec.size);
  codec.encodeText(text, new DataView(bytes.buffer), 0);
  return bytes;
}

/** The text of a value given as bytes. @throws NetkitError `bad-value` when there are too few. */
export function decodeText(codec: Codec, bytes: Uint8Array): string {
  return codec.format(codec.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0));
}

/** Wraps a compiled form: bounds, zeroing, errors that start with the role. */
export function codecOf(form: Form, role?: string): Codec {
  return new FormCodec(form, role);
}

class FormCodec implements Codec {
  readonly size: number;
  readonly typeName: string;
  readonly jsonLimit: number;
  readonly #form: Form;
  readonly #role: string | undefined;
  #columns: readonly CodecColumn[] | undefined;

  constructor(form: Form, role: string | undefined) {
    this.size = form.size;
    this.typeName = form.typeName;
    this.jsonLimit = form.text.jsonLimit;
    this.#form = form;
    this.#role = role;
  }

  encode(value: Value, view: DataView, offset: number): void {
    this.#write(value, view, offset);
  }

  decode(view: DataView, offset: number): Value {
    if (view.byteLength - offset < this.size) this.#refuseShort(view, offset);
    return this.#form.read(view, offset);
  }

  parse(text: string): Value {
    const view = new DataView(new ArrayBuffer(this.size));
    this.#write(text, view, 0);
    return this.#form.read(view, 0);
  }

  format(value: Value): string {
    return typeof value === 'object' ? toJson(value) : Object.is(value, -0) ? '-0' : String(value);
  }

  describe(): string {
    return this.#form.describe();
  }

  encodeText(text: string, view: DataView, offset: number): void {
    this.#write(text, view, offset);
  }

  writeJson(view: DataView, offset: number, out: TextSink): void {
    out.at = this.#form.text.putJson(view, offset, out.data, out.at, out);
  }

  readJson(source: TextSource, view: DataView, offset: number): boolean {
    const { bytes, end } = source;
    clear(view, offset, this.size);
    const start = skipSpace(bytes, source.at, end);
    const next = this.#form.text.takeJson(bytes, start, end, view, offset, source);
    if (next < 0) return false;
    source.at = next;
    return true;
  }

  get columns(): readonly CodecColumn[] {
    this.#columns ??= columnsOf(this.#form, (error) => this.#named(error));
    return this.#columns;
  }

  markGiven(value: Value | undefined, mask: DataView, offset: number): void {
    markGiven(this.#form, value, mask, offset);
  }

  #write(value: JsonValue, view: DataView, offset: number): void {
    if (view.byteLength - offset < this.size) this.#refuseShort(view, offset);
    clear(view, offset, this.size);
    try {
      const text = typeof value === 'string' ? value.trim() : '';
      if (isHex(text) && !text.includes('/')) writeHex(view, offset, this.size, text, this.#owner());
      else this.#form.write(view, offset, value);
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** `the key (struct lpm_v4)` */
  #owner(): string {
    if (this.#role === undefined) return this.typeName;
    return this.#role === 'key' || this.#role === 'value'
      ? `the ${this.#role} (${this.typeName})`
      : `${this.#role} (${this.typeName})`;
  }

  #named(error: unknown): unknown {
    const misfit = within(error, '');
    if (!(misfit instanceof Misfit)) return error;
    const path = misfit.path === '' ? (this.#role ?? '') : `${this.#role ?? 'value'}${misfit.path}`;
    // A wrong width names its owner in the sentence.
    const named = path === '' || (misfit.path === '' && misfit.message.includes(this.#owner()));
    const message = named ? misfit.message : `${path}: ${misfit.message}`;
    return new NetkitError('bad-value', message, { hint: misfit.hint, details: path === '' ? {} : { path } });
  }

  #refuseShort(view: DataView, offset: number): never {
    const left = Math.max(0, view.byteLength - offset);
    throw new NetkitError('bad-value', `${counted(left, 'byte')} given, ${this.#owner()} has ${this.size}`);
  }
}
