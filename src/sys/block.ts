import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { addressOf } from './call.js';

/** Where a member lies: byte offset and size in bytes. */
export type Field = readonly [offset: number, size: number];

/** The layout of one C struct; made by scripts/gen-uapi.ts. */
export interface Layout<F extends string> {
  readonly size: number;
  readonly fields: Readonly<Record<F, Field>>;
}

/** A C struct in memory, written and read by member name, zero at first. Bit fields share their storage unit's name. */
export class Block<F extends string> {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: Layout<F>;
  /** Buffers whose addresses are in the struct, by member: they live as long as it does. */
  readonly #referenced: Partial<Record<F, Uint8Array>> = {};

  constructor(layout: Layout<F>, values: Partial<Record<F, number | bigint>> = {}) {
    this.#layout = layout;
    this.bytes = new Uint8Array(layout.size);
    this.#view = new DataView(this.bytes.buffer);
    for (const name in values) {
      const value = values[name];
      if (value !== undefined) this.set(name, value);
    }
  }

  set(name: F, value: number | bigint): this {
    const [offset, size] = this.#layout.fields[name];
    if (size === 8) this.#view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), littleEndian);
    else if (size === 4) this.#view.setUint32(offset, Number(value) >>> 0, littleEndian);
    else if (size === 2) this.#view.setUint16(offset, Number(value), littleEndian);
    else this.#view.setUint8(offset, Number(value));
    return this;
  }

  /** Stores the address of `bytes` and keeps them alive. */
  point(name: F, bytes: Uint8Array): this {
    this.#referenced[name] = bytes;
    return this.set(name, addressOf(bytes));
  }

  /** A member of up to 32 bits, unsigned. */
  get(name: F): number {
    const [offset, size] = this.#layout.fields[name];
    if (size === 4) return this.#view.getUint32(offset, littleEndian);
    if (size === 2) return this.#view.getUint16(offset, littleEndian);
    if (size === 1) return this.#view.getUint8(offset);
    throw new TypeError(`member ${name} has ${size} bytes: read it with big() or bytesOf()`);
  }

  /** A 64-bit member, unsigned. */
  big(name: F): bigint {
    return this.#view.getBigUint64(this.#layout.fields[name][0], littleEndian);
  }

  bytesOf(name: F): Uint8Array {
    const [offset, size] = this.#layout.fields[name];
    return this.bytes.subarray(offset, offset + size);
  }

  /** A character array up to its first NUL. */
  text(name: F): string {
    const bytes = this.bytesOf(name);
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
  }
}
