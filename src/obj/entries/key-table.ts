/** Which keys there are, and what their values were, in a few bytes each: for files and maps too large to be remembered. */
import { Fingerprints } from './fingerprint.js';
import { KeySlots } from './key-slots.js';

export interface KeyTableOptions {
  /** Keep a fingerprint of each key's value too, for `put` and `compare`. */
  readonly payload?: boolean;
  /** Four words, for tests that must repeat; random when left out. */
  readonly seed?: Int32Array;
}

/** What `compare` finds. */
export type Comparison = 'absent' | 'same' | 'different';

/**
 * A set of keys by their 64-bit fingerprints, with a seed of its own for each table: about 11 bytes a key (12.5 at most),
 * 21 (22.6) with the values' fingerprints. Keys of up to eight bytes are never mistaken for one another, and values of
 * up to eight bytes neither. Of n longer keys, two different ones are taken for the same with a probability of about
 * n² / 2^65: one in 370,000 for ten million keys; a changed longer value is taken for the same once in 2^64.
 */
export class KeyTable {
  readonly #keySize: number;
  readonly #slots: KeySlots;
  readonly #keys: Fingerprints;
  readonly #values: Fingerprints;
  #seen = 0;

  /** @param keySize bytes of every key */
  constructor(keySize: number, options: KeyTableOptions = {}) {
    this.#keySize = keySize;
    this.#slots = new KeySlots({ payload: options.payload ?? false });
    this.#keys = new Fingerprints(options.seed);
    this.#values = new Fingerprints(options.seed?.map((word) => ~word));
  }

  /** How many keys there are. */
  get size(): number {
    return this.#slots.size;
  }

  /** How many of them were marked as seen. */
  get seen(): number {
    return this.#seen;
  }

  /** Bytes of memory that the table takes. */
  get bytes(): number {
    return this.#slots.bytes;
  }

  /** Adds the key at `offset`. @returns false when it was there already */
  add(keys: Uint8Array, offset: number): boolean {
    this.#keys.of(keys, offset, this.#keySize);
    return this.#slots.add(this.#keys.low, this.#keys.high) >= 0;
  }

  has(keys: Uint8Array, offset: number): boolean {
    return this.#find(keys, offset) >= 0;
  }

  /**
   * Adds a key with its value, in a table with payload; of a key that was there the value is replaced.
   * @returns false when the key was there already
   */
  put(keys: Uint8Array, offset: number, values: Uint8Array, valueOffset: number, valueSize: number): boolean {
    this.#keys.of(keys, offset, this.#keySize);
    const added = this.#slots.add(this.#keys.low, this.#keys.high);
    this.#values.of(values, valueOffset, valueSize);
    this.#slots.setPayload(added < 0 ? -1 - added : added, this.#values.low, this.#values.high);
    return added >= 0;
  }

  /** Compares with the value that `put` was given for the key, and marks the key as seen. */
  compare(
    keys: Uint8Array,
    offset: number,
    values: Uint8Array,
    valueOffset: number,
    valueSize: number,
  ): Comparison {
    const slot = this.#find(keys, offset);
    if (slot < 0) return 'absent';
    if (this.#slots.mark(slot)) this.#seen++;
    this.#values.of(values, valueOffset, valueSize);
    return this.#slots.hasPayload(slot, this.#values.low, this.#values.high) ? 'same' : 'different';
  }

  /** Was this key marked as seen? False for a key that is not there. */
  isSeen(keys: Uint8Array, offset: number): boolean {
    const slot = this.#find(keys, offset);
    return slot >= 0 && this.#slots.isMarked(slot);
  }

  #find(keys: Uint8Array, offset: number): number {
    this.#keys.of(keys, offset, this.#keySize);
    return this.#slots.find(this.#keys.low, this.#keys.high);
  }
}
