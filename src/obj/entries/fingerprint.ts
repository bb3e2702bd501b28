import { randomFillSync } from 'node:crypto';

/**
 * Seeded 64-bit fingerprints of byte strings of one length: a Feistel network of four rounds over blocks of eight bytes,
 * chained. Up to eight bytes it is a bijection, so that different strings have different fingerprints. Of longer ones two
 * have the same with a probability of 2^-64; the seed keeps others from preparing such pairs, but this is no
 * cryptographic hash.
 */
export class Fingerprints {
  /** The halves of the last one, as signed integers. */
  low = 0;
  high = 0;
  readonly #a: number;
  readonly #b: number;
  readonly #c: number;
  readonly #d: number;

  /** @param seed four words; random when left out */
  constructor(seed: Int32Array = randomFillSync(new Int32Array(4))) {
    const [a = 0, b = 0, c = 0, d = 0] = seed;
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /** Sets `low` and `high` to the fingerprint of `size` bytes. */
  of(bytes: Uint8Array, offset: number, size: number): void {
    let low = 0;
    let high = 0;
    const end = offset + size;
    let at = offset;
    do {
      const left = end - at;
      if (left >= 8) {
        low ^= wordAt(bytes, at);
        high ^= wordAt(bytes, at + 4);
      } else if (left >= 4) {
        low ^= wordAt(bytes, at);
        high ^= restAt(bytes, at + 4, end);
      } else {
        low ^= restAt(bytes, at, end);
      }
      low ^= mixed(high ^ this.#a);
      high ^= mixed(low ^ this.#b);
      low ^= mixed(high ^ this.#c);
      high ^= mixed(low ^ this.#d);
      at += 8;
    } while (at < end);
    this.low = low;
    this.high = high;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Fewer than four bytes. */
function restAt(bytes: Uint8Array, start: number, end: number): number {
  let word = 0;
  for (let at = end - 1; at >= start; at--) word = (word << 8) | (bytes[at] ?? 0);
  return word;
}

/** The finish of MurmurHash3, in which every bit of the input reaches every bit of the output. */
function mixed(input: number): number {
  let word = Math.imul(input ^ (input >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
