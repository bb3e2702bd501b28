/** Keys of prefix maps: the kernel takes 10.1.2.3/8 for 10.0.0.0/8 and gives back the bits behind the prefix as they were written. */
import { wordAt } from './word.js';

const lengthBytes = 4;

/** Clears the bits behind each prefix, in place. */
export function clearBehindPrefixes(keys: Uint8Array, count: number, keySize: number): void {
  for (let index = 0; index < count; index++) {
    const start = index * keySize;
    const length = wordAt(keys, start);
    const end = start + keySize;
    let at = start + lengthBytes + (length >>> 3);
    if (at < end && (length & 7) !== 0) {
      keys[at] = (keys[at] ?? 0) & (0xff00 >> (length & 7));
      at++;
    }
    for (; at < end; at++) keys[at] = 0;
  }
}

/** How many bits the prefix of the key at an offset has. */
export function prefixBits(keys: Uint8Array, offset: number): number {
  return wordAt(keys, offset);
}

/** How many bits the prefixes of keys of that size may have. */
export function mostPrefixBits(keySize: number): number {
  return (keySize - lengthBytes) * 8;
}
