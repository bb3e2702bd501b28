/** Entries side by side that grow as they come. */
export class EntryList {
  count = 0;
  keys: Uint8Array;
  values: Uint8Array;
  /** Of an entry that is there already, what it is now. */
  old: Uint8Array;
  readonly #keySize: number;
  readonly #valueStride: number;
  #room: number;

  constructor(keySize: number, valueStride: number, expected = 0) {
    this.#keySize = keySize;
    this.#valueStride = valueStride;
    this.#room = expected;
    this.keys = new Uint8Array(expected * keySize);
    this.values = new Uint8Array(expected * valueStride);
    this.old = new Uint8Array(0);
  }

  /** Adds an entry whose key and value stand at indices of bytes that lie side by side; of no value zeros. */
  add(keys: Uint8Array, key: number, values?: Uint8Array, value = 0, old?: Uint8Array, oldAt = 0): void {
    if (this.count === this.#room) this.#grow();
    const at = this.count++;
    const [keySize, stride] = [this.#keySize, this.#valueStride];
    this.keys.set(keys.subarray(key * keySize, (key + 1) * keySize), at * keySize);
    if (values !== undefined)
      this.values.set(values.subarray(value * stride, (value + 1) * stride), at * stride);
    if (old === undefined) return;
    if (this.old.length < this.values.length) this.old = grown(this.old, this.values.length);
    this.old.set(old.subarray(oldAt * stride, (oldAt + 1) * stride), at * stride);
  }

  #grow(): void {
    this.#room = Math.max(64, this.#room * 2);
    this.keys = grown(this.keys, this.#room * this.#keySize);
    this.values = grown(this.values, this.#room * this.#valueStride);
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const more = new Uint8Array(length);
  more.set(bytes);
  return more;
}
