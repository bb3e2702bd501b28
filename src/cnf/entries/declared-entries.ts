/** The entries that a manifest gives a map: keys, values, and which bits of each value it gives. */
import { textOfBytes } from '../../base/raw-bytes.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { KeyIndex } from './key-index.js';

/** Never changed once it is made. */
export interface DeclaredEntries {
  /** The kernel's word for the map's type. */
  readonly type: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes, of one CPU's value where the map is per-CPU. */
  readonly valueSize: number;
  /** How many values an entry has. */
  readonly cpus: number;
  /** Bytes from one CPU's value to the next one's. */
  readonly cpuStride: number;
  /** Bytes from one entry's value to the next one's. */
  readonly valueStride: number;
  readonly count: number;
  /** Side by side, each once; of a prefix map without bits behind the prefix. */
  readonly keys: Uint8Array;
  /** Side by side. Bits that are not declared are zero. */
  readonly values: Uint8Array;
  /** Which bits of a value are declared: `valueStride` bytes each, few of them. All others belong to the programs. */
  readonly masks: readonly Uint8Array[];
  /** The index of each entry's mask; undefined where all have the first one. */
  readonly maskOf: Uint32Array | undefined;
}

const indices = new WeakMap<DeclaredEntries, KeyIndex>();

/** Where each key stands. */
export function keyIndexOf(entries: DeclaredEntries): KeyIndex {
  const found = indices.get(entries) ?? KeyIndex.over(entries.keySize, entries.keys, entries.count);
  indices.set(entries, found);
  return found;
}

/** The mask of one entry. */
export function maskAt({ masks, maskOf }: DeclaredEntries, index: number): Uint8Array {
  const mask = masks[maskOf?.[index] ?? 0];
  if (mask === undefined) throw new RangeError(`no mask for entry ${index}`);
  return mask;
}

/** Collects masks, each different one once. */
export class MaskSet {
  readonly masks: Uint8Array[] = [];
  readonly #indices = new Map<string, number>();
  #last: Uint8Array | undefined;
  #lastIndex = 0;

  /** @returns the index of a mask that stands at an offset */
  indexOf(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#last !== undefined && isEqual(this.#last, bytes, offset)) return this.#lastIndex;
    const mask = bytes.slice(offset, offset + length);
    const name = textOfBytes(mask);
    const found = this.#indices.get(name);
    this.#lastIndex = found ?? this.masks.length;
    this.#last = mask;
    if (found === undefined) {
      this.masks.push(mask);
      this.#indices.set(name, this.#lastIndex);
    }
    return this.#lastIndex;
  }
}

function isEqual(mask: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  for (let at = 0; at < mask.length; at++) if (mask[at] !== bytes[offset + at]) return false;
  return true;
}

/** Puts entries together as they come. */
export class EntryCollector {
  readonly #type: string;
  readonly #shape: EntryShape;
  readonly #index: KeyIndex;
  readonly #masks = new MaskSet();
  #values: Uint8Array;
  #maskOf: Uint32Array;

  constructor(type: string, shape: EntryShape, expected = 64) {
    this.#type = type;
    this.#shape = shape;
    this.#index = new KeyIndex(shape.keySize, expected);
    this.#values = new Uint8Array(expected * shape.valueStride);
    this.#maskOf = new Uint32Array(expected);
  }

  get count(): number {
    return this.#index.count;
  }

  /**
   * Takes the entry at an index of bytes that lie side by side.
   * @param given the bits of the value that are given, laid out like `values`
   * @returns the number of the entry that has the key already, and keeps it; -1 when all is well
   */
  add(keys: Uint8Array, values: Uint8Array, given: Uint8Array, at: number): number {
    const { keySize, valueStride } = this.#shape;
    const number = this.#index.count;
    const before = this.#index.add(keys, at * keySize);
    if (before >= 0) return before;
    if (number === this.#maskOf.length) this.#grow();
    const from = at * valueStride;
    this.#values.set(values.subarray(from, from + valueStride), number * valueStride);
    this.#maskOf[number] = this.#masks.indexOf(given, from, valueStride);
    return -1;
  }

  #grow(): void {
    const room = Math.max(64, this.#maskOf.length * 2);
    const values = new Uint8Array(room * this.#shape.valueStride);
    values.set(this.#values);
    this.#values = values;
    const maskOf = new Uint32Array(room);
    maskOf.set(this.#maskOf);
    this.#maskOf = maskOf;
  }

  /** The collector must not be used any more. */
  done(): DeclaredEntries {
    const { count } = this;
    const { keySize, valueStride, cpus, cpuStride, value } = this.#shape;
    const { masks } = this.#masks;
    const entries: DeclaredEntries = {
      type: this.#type,
      keySize,
      valueSize: value.size,
      cpus,
      cpuStride,
      valueStride,
      count,
      keys: this.#index.keys,
      values: this.#values.subarray(0, count * valueStride),
      masks: masks.length === 0 ? [new Uint8Array(valueStride)] : masks,
      maskOf: masks.length > 1 ? this.#maskOf.subarray(0, count) : undefined,
    };
    indices.set(entries, this.#index);
    return entries;
  }
}

/** Whether two sets have the same keys with the same values, of which the same bits are declared; in whichever order. */
export function sameEntries(a: DeclaredEntries, b: DeclaredEntries): boolean {
  if (a.type !== b.type || a.count !== b.count) return false;
  if (a.keySize !== b.keySize || a.valueStride !== b.valueStride || a.cpus !== b.cpus) return false;
  const { keySize, valueStride } = a;
  for (let each = 0; each < a.count; each++) {
    // Most often they are in the same order.
    const isInOrder = isSame(a.keys, each * keySize, b.keys, each * keySize, keySize);
    const other = isInOrder ? each : keyIndexOf(b).find(a.keys, each * keySize);
    if (other < 0) return false;
    if (!isSame(a.values, each * valueStride, b.values, other * valueStride, valueStride)) return false;
    const [mask, otherMask] = [maskAt(a, each), maskAt(b, other)];
    if (mask !== otherMask && !isSame(mask, 0, otherMask, 0, valueStride)) return false;
  }
  return true;
}

function isSame(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (a[aAt + at] !== b[bAt + at]) return false;
  return true;
}
