/**
 * MurmurHash3 (x86, 32 bits) of whole 32-bit words: about as fast as memory is read, and every change of a single word
 * is noticed for certain, other damage but for one time in four billion. It is no protection against intent.
 * @param seed what came before: each piece of a snapshot begins with the checksum of the piece before it
 */
export function checksum(words: Uint32Array, from: number, until: number, seed: number): number {
  let hash = seed | 0;
  for (let at = from; at < until; at++) {
    let word = Math.imul(words[at] ?? 0, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= (until - from) * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
