/** Listing a map key by key, where the kernel has no batch calls for its type, and the order that prefix maps are listed in. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { textOfBytes } from '../base/raw-bytes.js';
import { indexTypes } from '../obj/map-codecs.js';
import type { EntryAccess } from './map-access.js';
import { neverEnds } from './map-failure.js';

/** How often a listing may start over without getting further: the kernel does so when the key it stands at is deleted. */
export const mostRestarts = 1000;

/**
 * The keys of a map, each once; the same buffer is given again and again. Keys that are added or deleted meanwhile may be
 * missed, and if a key is deleted just where the listing stands, the kernel starts over: what was given then is passed over.
 * @param after where to go on: behind this key
 * @internal
 */
export function* walkKeys(access: EntryAccess, after?: Uint8Array): Generator<Uint8Array> {
  if (indexTypes.has(access.info.type)) yield* indices(access.info.maxEntries, after);
  else if (access.info.type === 'lpm_trie') yield* inOrder(access, comparePrefixes, after);
  else if (access.info.type === 'stack_trace') yield* inOrder(access, compareIndices, after);
  else yield* unordered(access);
}

function* indices(count: number, after?: Uint8Array): Generator<Uint8Array> {
  const key = new Uint8Array(4);
  const view = new DataView(key.buffer);
  const first =
    after === undefined
      ? 0
      : new DataView(after.buffer, after.byteOffset).getUint32(0, hostIsLittleEndian) + 1;
  for (let index = first; index < count; index++) {
    view.setUint32(0, index, hostIsLittleEndian);
    yield key;
  }
}

type Order = (a: Uint8Array, b: Uint8Array) => number;

/** Keys that come in an order of their own: one that does not is of a listing that started over. */
function* inOrder(access: EntryAccess, compare: Order, after?: Uint8Array): Generator<Uint8Array> {
  const { keySize } = access.layout;
  const given = new Uint8Array(keySize);
  let isGiven = after !== undefined;
  if (after !== undefined) given.set(after);
  let current = new Uint8Array(keySize);
  let next = new Uint8Array(keySize);
  let restarts = 0;
  let more = access.nextKey(after, next);
  while (more) {
    [current, next] = [next, current];
    // The next one is found before this one is given out, so that the taker may delete it.
    more = access.nextKey(current, next);
    if (more && compare(next, current) <= 0 && ++restarts > mostRestarts)
      throw neverEnds(access.info, mostRestarts);
    if (isGiven && compare(current, given) <= 0) continue;
    given.set(current);
    isGiven = true;
    restarts = 0;
    yield current;
  }
}

/** Without an order only memory tells which keys were given: for types of maps that are never large. */
function* unordered(access: EntryAccess): Generator<Uint8Array> {
  const { keySize } = access.layout;
  const given = new Set<string>();
  let repeated = 0;
  let current = new Uint8Array(keySize);
  let next = new Uint8Array(keySize);
  let more = access.nextKey(undefined, current);
  while (more) {
    more = access.nextKey(current, next);
    const name = textOfBytes(current);
    if (!given.has(name)) {
      given.add(name);
      yield current;
    } else if (++repeated > mostRestarts + 2 * access.info.maxEntries)
      throw neverEnds(access.info, mostRestarts);
    [current, next] = [next, current];
  }
}

const prefixLengthBytes = 4;

/**
 * The order of a prefix map's listing: by the first bit that differs, and a prefix after all that it contains. A key is
 * a length in bits and that many bits, the first one the highest of the first byte; they start at these offsets.
 */
export function comparePrefixes(a: Uint8Array, b: Uint8Array, atA = 0, atB = 0): number {
  const lengthA = wordAt(a, atA);
  const lengthB = wordAt(b, atB);
  const common = Math.min(lengthA, lengthB);
  for (let bit = 0; bit < common; bit += 8) {
    const at = prefixLengthBytes + (bit >> 3);
    const mask = common - bit >= 8 ? 0xff : (0xff00 >> (common - bit)) & 0xff;
    const difference = ((a[atA + at] ?? 0) & mask) - ((b[atB + at] ?? 0) & mask);
    if (difference !== 0) return difference;
  }
  return lengthB - lengthA;
}

/** A little-endian number, as this machine has them, without a view: one for each key takes longer than the rest. */
function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return (low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function compareIndices(a: Uint8Array, b: Uint8Array): number {
  return wordAt(a, 0) - wordAt(b, 0);
}
