import { isZero } from '../../base/raw-bytes.js';
import type { BpfMap } from '../map.js';
import type { Contents } from './contents.js';
import { refuseInterrupted } from './source.js';
import { type EntryTarget, removesByZero } from './target.js';

/** Entries that make room at a time: few, so that the map is as full as it can be all the while. */
const roomEntries = 512;
/** Entries that are removed at a time in the end. */
const batchEntries = 4096;
/** How often a map is listed until nothing is left to be removed: others may add entries all the time. */
const mostPasses = 4;

/** The entries of a map that its new content does not have. */
export class StaleKeys {
  readonly #map: BpfMap;
  readonly #contents: Contents;
  readonly #keySize: number;
  #listing: Generator<Uint8Array> | undefined;
  #removed = 0;

  constructor(map: BpfMap, contents: Contents) {
    this.#map = map;
    this.#contents = contents;
    this.#keySize = map.shape.keySize;
  }

  /** How many entries were removed. */
  get removed(): number {
    return this.#removed;
  }

  /** Removes a few. @returns how many; 0 when there is none left */
  async removeSome(target: EntryTarget): Promise<number> {
    // Where a listing has ended, a second one finds what it missed.
    return (await this.#remove(target, roomEntries)) || this.#remove(target, roomEntries);
  }

  /** Removes all. @throws NetkitError `interrupted` */
  async removeAll(target: EntryTarget, signal: AbortSignal | undefined): Promise<void> {
    for (let pass = 0; pass < mostPasses; pass++) {
      const before = this.#removed;
      this.#listing = this.#keys();
      while (this.#listing !== undefined) {
        refuseInterrupted(signal);
        await this.#remove(target, batchEntries);
        // Signals arrive in a turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (this.#removed === before) return;
    }
  }

  async #remove(target: EntryTarget, most: number): Promise<number> {
    this.#listing ??= this.#keys();
    const keys = new Uint8Array(most * this.#keySize);
    let count = 0;
    while (count < most) {
      const next = this.#listing.next();
      if (next.done === true) {
        this.#listing = undefined;
        break;
      }
      keys.set(next.value, count * this.#keySize);
      count++;
    }
    if (count > 0) await target.remove(keys, count);
    this.#removed += count;
    return count;
  }

  /** Each key is overwritten by the next one. */
  *#keys(): Generator<Uint8Array> {
    const { keySize, valueStride } = this.#map.shape;
    const zeroIsNone = removesByZero(this.#map);
    for (const { count, keys, values } of this.#map.batches({ size: batchEntries })) {
      for (let index = 0; index < count; index++) {
        if (this.#contents.has(keys, index * keySize)) continue;
        if (zeroIsNone && isZero(values, index * valueStride, valueStride)) continue;
        yield keys.subarray(index * keySize, (index + 1) * keySize);
      }
    }
  }
}
