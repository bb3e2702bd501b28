import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { viewOf } from '../base/raw-bytes.js';
import type { BpfMap } from '../ebpf/map.js';
import { encodeText, type Value } from '../obj/codec/index.js';

/** In front of the address stands its length, in the machine's byte order. */
const lengthBytes = 4;

/**
 * Which prefix of a prefix map answers a lookup. The kernel gives only the value, so the map is listed, and the longest
 * prefix that contains the key is taken.
 * @returns undefined when none does any more, or the kernel does not list the keys
 */
export function longestMatch(map: BpfMap, keyText: string): Value | undefined {
  const wanted = encodeText(map.keyCodec, keyText);
  const { keySize } = map.info;
  let best: Uint8Array | undefined;
  try {
    for (const { count, keys } of map.batches()) {
      for (let at = 0; at < count * keySize; at += keySize) {
        const key = keys.subarray(at, at + keySize);
        if ((best === undefined || lengthOf(key) > lengthOf(best)) && contains(key, wanted))
          best = Uint8Array.from(key);
      }
    }
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'unsupported') return undefined;
    throw error;
  }
  return best === undefined ? undefined : map.keyCodec.decode(viewOf(best), 0);
}

/** Whether every address in `inner` is in `outer`; both as the kernel has them. */
export function contains(outer: Uint8Array, inner: Uint8Array): boolean {
  const bits = lengthOf(outer);
  if (bits > lengthOf(inner)) return false;
  const whole = lengthBytes + (bits >> 3);
  for (let at = lengthBytes; at < whole; at++) if (outer[at] !== inner[at]) return false;
  const rest = bits & 7;
  return rest === 0 || (((outer[whole] ?? 0) ^ (inner[whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0;
}

function lengthOf(key: Uint8Array): number {
  return viewOf(key).getUint32(0, hostIsLittleEndian);
}
