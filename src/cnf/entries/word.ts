import { hostIsLittleEndian } from '../../base/byte-order.js';

/** The number of 32 bits at an offset, in this machine's byte order: for loops in which making views takes longer than the rest. */
export function wordAt(bytes: Uint8Array, at: number): number {
  const [first, last] = hostIsLittleEndian ? [at, 1] : [at + 3, -1];
  const low = (bytes[first] ?? 0) | ((bytes[first + last] ?? 0) << 8);
  return (low | ((bytes[first + 2 * last] ?? 0) << 16) | ((bytes[first + 3 * last] ?? 0) << 24)) >>> 0;
}
