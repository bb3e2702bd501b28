/** Where codecs read text from: bytes and a place in them. */

/** UTF-8 text from `at` to `end`. */
export class TextSource {
  readonly bytes: Uint8Array;
  /** The same memory, for several bytes at once. */
  readonly data: DataView;
  /** The next byte to be read. */
  at = 0;
  /** Nothing is read from here on. */
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
  }
}
