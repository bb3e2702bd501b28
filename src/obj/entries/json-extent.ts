/** How far a JSON value goes, found without reading it, in pieces as they come. */

/** Deeper is refused by `parseJson`, which then says so. */
const depthLimit = 130;

const quote = 0x22;
const backslash = 0x5c;

/** What ends a number or a word. */
const delimiter = new Uint8Array(256);
for (const character of ',]}: \n\r\t"[{') delimiter[character.charCodeAt(0)] = 1;

/**
 * Finds the end of one value. What is wrong in a way that leaves no doubt (a bracket that closes another kind, a bare
 * line end in a string) ends it too: reading that much of the text then finds the error.
 */
export class JsonExtent {
  /** Bytes from the beginning of the value that were looked at. */
  #seen = 0;
  /** Kinds of the open brackets: true for an object. */
  readonly #open: boolean[] = [];
  #inString = false;
  #escaped = false;
  #inWord = false;

  /** Begins anew, with another value. */
  reset(): void {
    this.#seen = 0;
    this.#open.length = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#inWord = false;
  }

  /** Is a value under way whose end did not come yet? */
  get isUnderWay(): boolean {
    return this.#seen > 0;
  }

  /** The place behind the value that begins at `start`, or -1: call again with more bytes, `start` being where that value is then. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let at = start + this.#seen;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#inString) {
        if (this.#step(byte)) return at + 1;
      } else if (this.#inWord) {
        if (delimiter[byte] !== 1) continue;
        return at;
      } else if (byte === quote) {
        this.#inString = true;
      } else if (byte === 0x7b || byte === 0x5b) {
        this.#open.push(byte === 0x7b);
        if (this.#open.length > depthLimit) return at + 1;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (this.#open.pop() !== (byte === 0x7d) || this.#open.length === 0) return at + 1;
      } else if (this.#open.length === 0) {
        if (delimiter[byte] === 1) return at + 1;
        this.#inWord = true;
      }
    }
    this.#seen = at - start;
    return -1;
  }

  /** A byte within a string. @returns whether the value ends with it */
  #step(byte: number): boolean {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) {
      this.#inString = false;
      return this.#open.length === 0;
    }
    return byte < 0x20;
  }
}
