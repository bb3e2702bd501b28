import { NetkitError } from './errors.js';

/** How to read bytes, and what to call them in an error. */
export interface ByteReaderOptions {
  /** Little endian unless told otherwise. */
  readonly littleEndian?: boolean | undefined;
  /** What is being read, as it stands in the error message: `BTF`, `ELF file`. */
  readonly what?: string | undefined;
}

const utf8 = new TextDecoder('utf-8');

/**
 * A cursor over bytes that cannot leave them: whatever lies beyond the end, and offsets that are no whole numbers, are
 * NetkitError `bad-object`. It copies nothing; slices share memory with the bytes it was made from.
 */
export class ByteReader {
  readonly littleEndian: boolean;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #position = 0;

  constructor(bytes: Uint8Array, options: ByteReaderOptions = {}) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.littleEndian = options.littleEndian ?? true;
    this.#what = options.what ?? 'object';
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Offset of the next byte to be read. */
  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** Moves the cursor; the very end is allowed. @returns this reader */
  seek(position: number): this {
    this.#check(position, 0);
    this.#position = position;
    return this;
  }

  skip(count: number): this {
    this.#take(count);
    return this;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.littleEndian);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.littleEndian);
  }

  /**
   * An unsigned 64-bit offset, size or count as a number.
   * @throws NetkitError `bad-object` above 2^53 - 1, which no file reaches
   */
  size64(): number {
    const start = this.#position;
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.error(`the number ${value} at offset ${start} is no possible size`);
    }
    return Number(value);
  }

  /** The next `count` bytes, sharing memory. */
  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** Text up to a NUL byte, which is consumed. Bytes that are no UTF-8 become U+FFFD. */
  cString(): string {
    const end = this.#bytes.indexOf(0, this.#position);
    if (end < 0) {
      throw this.error(`the text at offset ${this.#position} has no end`);
    }
    const text = utf8.decode(this.#bytes.subarray(this.#position, end));
    this.#position = end + 1;
    return text;
  }

  /** A second cursor over the same bytes, starting at an absolute offset. */
  at(offset: number): ByteReader {
    return this.#sibling(this.#bytes).seek(offset);
  }

  /** A reader confined to `length` bytes from an absolute offset. */
  slice(offset: number, length: number): ByteReader {
    this.#check(offset, length);
    return this.#sibling(this.#bytes.subarray(offset, offset + length));
  }

  /** An error about these bytes, for checks that only the caller can make. */
  error(problem: string): NetkitError {
    return new NetkitError('bad-object', `${this.#what}: ${problem}`);
  }

  #sibling(bytes: Uint8Array): ByteReader {
    return new ByteReader(bytes, { littleEndian: this.littleEndian, what: this.#what });
  }

  #take(count: number): number {
    const start = this.#position;
    this.#check(start, count);
    this.#position = start + count;
    return start;
  }

  #check(offset: number, count: number): void {
    const inside =
      Number.isSafeInteger(offset) &&
      Number.isSafeInteger(count) &&
      offset >= 0 &&
      count >= 0 &&
      count <= this.#bytes.length - offset;
    if (!inside) {
      throw this.error(
        `${count} bytes at offset ${offset} are wanted, but there are only ${this.#bytes.length} bytes`,
      );
    }
  }
}
