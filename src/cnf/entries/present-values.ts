/** What a map has under some keys right now. */
import type { BpfMap } from '../../ebpf/map.js';
import { KeyIndex } from './key-index.js';
import { clearBehindPrefixes } from './prefix-keys.js';

export interface PresentValues {
  /** 1 for each key that is there. */
  readonly present: Uint8Array;
  /** Side by side; zeros for what is not there. */
  readonly values: Uint8Array;
}

/** A map is listed as a whole where that many of its entries are asked for, one in so many: single calls would take longer. */
const worthListing = 8;

/**
 * Looks keys up. A prefix map is always listed: asked for a prefix that is not there it would answer with a shorter one.
 * @param keys side by side, each once; of a prefix map without bits behind the prefix
 */
export function presentValues(map: BpfMap, keys: Uint8Array, count: number): PresentValues {
  const { type, maxEntries } = map.info;
  const { keySize, valueStride } = map.layout;
  const found = { present: new Uint8Array(count), values: new Uint8Array(count * valueStride) };
  if (count === 0) return found;
  if (type === 'lpm_trie' || count * worthListing >= maxEntries) listInto(map, keys, count, found);
  else
    for (let index = 0; index < count; index++) {
      const value = map.getBytes(keys.subarray(index * keySize, (index + 1) * keySize), {
        lock: map.spinLock === true,
      });
      if (value === undefined) continue;
      found.present[index] = 1;
      found.values.set(value, index * valueStride);
    }
  return found;
}

function listInto(map: BpfMap, keys: Uint8Array, count: number, found: PresentValues): void {
  const { keySize, valueStride } = map.layout;
  const index = KeyIndex.over(keySize, keys, count);
  for (const batch of map.batches()) {
    if (map.info.type === 'lpm_trie') clearBehindPrefixes(batch.keys, batch.count, keySize);
    for (let at = 0; at < batch.count; at++) {
      const place = index.find(batch.keys, at * keySize);
      if (place < 0) continue;
      found.present[place] = 1;
      found.values.set(batch.values.subarray(at * valueStride, (at + 1) * valueStride), place * valueStride);
    }
  }
}

/** Replaces the bits of a mask in bytes that lie at an offset. */
export function putBits(
  into: Uint8Array,
  at: number,
  from: Uint8Array,
  fromAt: number,
  mask: Uint8Array,
): void {
  for (let byte = 0; byte < mask.length; byte++) {
    const bits = mask[byte] ?? 0;
    into[at + byte] = ((into[at + byte] ?? 0) & ~bits) | ((from[fromAt + byte] ?? 0) & bits);
  }
}
