import { badBtf } from './format.js';

/** Characters that would act on a terminal or break a line of generated code; no compiler writes them into a name. Tabs stay: source lines have them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/gu;

/** Bytes of a string that are decoded: strings may overlap, so their number times their length has no other bound. */
const longest = 4096;
/** Bytes of a name that its hash covers. */
const hashed = 256;

/** A BTF string section, with the base's section before it when the BTF is split. Decoded strings are kept. */
export class BtfStrings {
  /** Bytes, the base's included: string offsets are below this. */
  readonly end: number;
  readonly #start: number;
  readonly #base: BtfStrings | undefined;
  readonly #bytes: Uint8Array;
  readonly #text: Buffer;
  readonly #decoded = new Map<number, string>();

  constructor(bytes: Uint8Array, base?: BtfStrings) {
    this.#bytes = bytes;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#base = base;
    this.#start = base?.end ?? 0;
    this.end = this.#start + bytes.length;
  }

  /**
   * The string at an offset: at most 4096 bytes of it, control characters replaced by U+FFFD.
   * @throws NetkitError `bad-object` beyond the section
   */
  at(offset: number): string {
    if (offset < this.#start && this.#base !== undefined) {
      return this.#base.at(offset);
    }
    const known = this.#decoded.get(offset);
    if (known !== undefined) {
      return known;
    }
    const from = offset - this.#start;
    if (offset >= this.end || from < 0) {
      throw badBtf(`there is no string at offset ${offset}`);
    }
    const window = this.#text.subarray(from, from + longest);
    const end = window.indexOf(0);
    const text = window.toString('utf8', 0, end < 0 ? longest : end).replace(control, '\ufffd');
    this.#decoded.set(offset, text);
    return text;
  }

  /** Whether the string at an offset below `end` is the empty one. */
  isEmptyAt(offset: number): boolean {
    if (offset < this.#start && this.#base !== undefined) {
      return this.#base.isEmptyAt(offset);
    }
    return (this.#bytes[offset - this.#start] ?? 0) === 0;
  }

  /** FNV-1a over the first bytes of the string at an offset, so that an index needs no decoded strings. */
  hashAt(offset: number): number {
    if (offset < this.#start && this.#base !== undefined) {
      return this.#base.hashAt(offset);
    }
    const bytes = this.#bytes;
    let hash = 0x811c9dc5;
    const start = offset - this.#start;
    for (let at = start; at < start + hashed; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0) {
        break;
      }
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    return hash >>> 0;
  }

  static hashOf(text: string): number {
    return new BtfStrings(Buffer.from(`${text}\0`, 'utf8')).hashAt(0);
  }
}
