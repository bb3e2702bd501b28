/** Where codecs write text: bytes that grow, so that a million values make no strings. */

export interface TextSinkOptions {
  /** Integers that JavaScript would round (more than 32 bits wide) go into double quotes, for readers of JSON that round them. */
  readonly wideAsText?: boolean;
}

const encoder = new TextEncoder();

/**
 * Bytes of UTF-8 text, written at `at`. Whoever writes by hand makes room first with `reserve` and then moves `at`; what
 * is written without room is lost.
 */
export class TextSink {
  /** Replaced when it grows, as `data` is: take it anew after each `reserve`. */
  bytes: Uint8Array;
  /** The same memory, for several bytes at once. */
  data: DataView;
  /** How many bytes are written. */
  at = 0;
  readonly wideAsText: boolean;

  /** @param capacity bytes to begin with. */
  constructor(capacity: number, options: TextSinkOptions = {}) {
    this.bytes = new Uint8Array(Math.max(capacity, 64));
    this.data = new DataView(this.bytes.buffer);
    this.wideAsText = options.wideAsText ?? false;
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.data = new DataView(grown.buffer);
  }

  /** What is written so far, shared: valid until the next write or `clear`. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  /** Starts anew and keeps the memory. */
  clear(): void {
    this.at = 0;
  }

  /** Appends text of characters below 128; makes its own room. */
  ascii(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let { at } = this;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.at = at;
  }

  /** Appends any text; makes its own room. */
  utf8(text: string): void {
    this.reserve(text.length * 3);
    this.at += encoder.encodeInto(text, this.bytes.subarray(this.at)).written;
  }

  /** Appends bytes as they are; makes its own room. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
}
