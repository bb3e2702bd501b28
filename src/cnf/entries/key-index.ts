/** Where a key stands among many that lie side by side: exact, and quick for hundreds of thousands. */
const smallest = 16;

export class KeyIndex {
  readonly #keySize: number;
  /** Nobody can prepare keys that all want one slot. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32) | 0;
  /** Side by side; those behind `#count` are nobody's yet. */
  #keys: Uint8Array;
  #count = 0;
  /** Index and one; 0 is free. */
  #slots: Int32Array;
  #mask: number;

  /**
   * @param keys all of them, each once
   * @param count how many
   */
  static over(keySize: number, keys: Uint8Array, count: number): KeyIndex {
    const index = new KeyIndex(keySize, count);
    index.#keys = keys;
    for (; index.#count < count; index.#count++) {
      const slot = index.#probe(keys, index.#count * keySize);
      index.#slots[slot] = index.#count + 1;
    }
    return index;
  }

  /** @param expected how many keys there may be, without making room later */
  constructor(keySize: number, expected = 0) {
    this.#keySize = keySize;
    this.#keys = new Uint8Array(0);
    let slots = smallest;
    while (slots < expected * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The keys, side by side. */
  get keys(): Uint8Array {
    return this.#keys.subarray(0, this.#count * this.#keySize);
  }

  /** @returns the index of the key that stands at an offset, -1 when it is not there */
  find(keys: Uint8Array, offset: number): number {
    return (this.#slots[this.#probe(keys, offset)] ?? 0) - 1;
  }

  /** Adds a key, copied, unless it is there. @returns the index that it had before, -1 when it is new */
  add(keys: Uint8Array, offset: number): number {
    const slot = this.#probe(keys, offset);
    const found = (this.#slots[slot] ?? 0) - 1;
    if (found >= 0) return found;
    const size = this.#keySize;
    if ((this.#count + 1) * size > this.#keys.length) {
      const room = new Uint8Array(Math.max(64, (this.#count + 1) * 2) * size);
      room.set(this.keys);
      this.#keys = room;
    }
    const at = this.#count * size;
    for (let index = 0; index < size; index++) this.#keys[at + index] = keys[offset + index] ?? 0;
    this.#slots[slot] = ++this.#count;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    return -1;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    this.#mask = this.#slots.length - 1;
    for (let index = 0; index < this.#count; index++)
      this.#slots[this.#probe(this.#keys, index * this.#keySize)] = index + 1;
  }

  /** The slot that has the key, or where it would go. */
  #probe(keys: Uint8Array, offset: number): number {
    const size = this.#keySize;
    let slot = hashOf(keys, offset, size, this.#seed) & this.#mask;
    for (;;) {
      const index = this.#slots[slot] ?? 0;
      if (index === 0 || this.#isSame((index - 1) * size, keys, offset)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #isSame(at: number, keys: Uint8Array, offset: number): boolean {
    const own = this.#keys;
    for (let byte = 0; byte < this.#keySize; byte++) if (own[at + byte] !== keys[offset + byte]) return false;
    return true;
  }
}

/** MurmurHash3 of 32 bits. */
function hashOf(bytes: Uint8Array, offset: number, size: number, seed: number): number {
  let hash = seed;
  const end = offset + size;
  let at = offset;
  for (; at + 4 <= end; at += 4) {
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    hash = mixed(hash, low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24));
  }
  for (; at < end; at++) hash = mixed(hash, bytes[at] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mixed(hash: number, given: number): number {
  let word = Math.imul(given, 0xcc9e2d51);
  word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
  const next = hash ^ word;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}
