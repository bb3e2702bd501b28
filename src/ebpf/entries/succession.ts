/** The entries of a map carried over to the one that succeeds it, while programs write to the first, and then to the second. */
import { messageOf, NetkitError } from '../../base/errors.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import type { BpfMap } from '../map.js';
import { Contents } from './contents.js';
import { mapSource } from './map-source.js';
import { type MigrationSide, migrated } from './migration.js';
import { BatchCopy, type EntrySource, refuseInterrupted, slice } from './source.js';
import { StaleKeys } from './stale-keys.js';
import { MapTarget } from './target.js';

/** What was carried over after the programs had been swapped. */
export interface Carried {
  /** Entries that the old programs had written or deleted, and that the new map has so now. */
  readonly carried: number;
  /** Entries that the old and the new programs had changed both: the new map keeps what the new ones wrote. */
  readonly mayBeLost: number;
}

/**
 * One map and its successor. Before the swap nobody else writes to the successor: {@link Succession.copy}, then
 * {@link Succession.catchUp} as often as is wanted. After it {@link Succession.carryOver} tells by what the last pass saw
 * who has changed an entry. Takes some 20 bytes of memory an entry.
 */
export class Succession implements Disposable {
  readonly #from: BpfMap;
  readonly #to: BpfMap;
  readonly #source: EntrySource;
  readonly #shape: EntryShape;
  /** What the last pass found in the old map, in the form of the new one. */
  #last: Contents;

  /**
   * Owns both maps from then on.
   * @throws NetkitError `conflict` where entries of the one do not fit into the other
   */
  constructor(from: BpfMap, to: BpfMap, sides: { readonly from: MigrationSide; readonly to: MigrationSide }) {
    this.#from = from;
    this.#to = to;
    this.#shape = to.shape;
    this.#source = migrated(mapSource(from, sides.from.name), sides.from, sides.to);
    this.#last = new Contents(this.#shape);
  }

  /** Writes everything. @returns how many entries the old map had. @throws NetkitError `conflict` when they do not fit */
  async copy(signal?: AbortSignal): Promise<number> {
    const next = new Contents(this.#shape);
    for await (const batch of this.#source.read()) {
      refuseInterrupted(signal);
      remember(next, batch, this.#shape);
      await this.#write(batch);
    }
    this.#last = next;
    return next.count;
  }

  /**
   * Writes what has changed in the old map since the last pass, and removes what is gone there.
   * @param afresh puts everything right, whoever wrote to the new map meanwhile
   * @returns how many entries the old map has
   */
  async catchUp(afresh: boolean, signal?: AbortSignal): Promise<number> {
    const last = this.#last;
    const next = new Contents(this.#shape);
    const changed = new BatchCopy(this.#shape);
    const { keySize, valueStride } = this.#shape;
    for await (const batch of this.#source.read()) {
      refuseInterrupted(signal);
      remember(next, batch, this.#shape);
      changed.clear();
      for (let index = 0; index < batch.count; index++) {
        const found = last.compare(batch.keys, index * keySize, batch.values, index * valueStride);
        if (afresh || found !== 'same') changed.append(batch, index, index + 1);
      }
      if (changed.count > 0) await this.#write(changed);
    }
    if (afresh || last.seen < last.count)
      await new StaleKeys(this.#to, next).removeAll(new MapTarget(this.#to, this.#options), signal);
    this.#last = next;
    return next.count;
  }

  /**
   * Carries over what the old programs changed since the last pass, entry by entry: what the new ones have changed too is
   * left alone, and counted. An entry that a new program writes in the very instant between look and write is not noticed.
   */
  async carryOver(): Promise<Carried> {
    const last = this.#last;
    const next = new Contents(this.#shape);
    const { keySize, valueStride } = this.#shape;
    const present = await this.#presentPrefixes();
    const counts = { carried: 0, mayBeLost: 0 };
    const count = (done: boolean): void => {
      if (done) counts.carried++;
      else counts.mayBeLost++;
    };
    for await (const batch of this.#source.read()) {
      remember(next, batch, this.#shape);
      for (let index = 0; index < batch.count; index++) {
        const key = batch.keys.slice(index * keySize, (index + 1) * keySize);
        const value = batch.values.slice(index * valueStride, (index + 1) * valueStride);
        const found = last.compare(key, 0, value, 0);
        if (found !== 'same') count(this.#carry(last, key, value, found === 'absent', present));
      }
    }
    if (last.seen < last.count) {
      for await (const batch of this.#to.readAhead()) {
        for (let index = 0; index < batch.count; index++) {
          const at = index * keySize;
          if (!last.has(batch.keys, at) || last.isSeen(batch.keys, at)) continue;
          const isUntouched = last.compare(batch.keys, at, batch.values, index * valueStride) === 'same';
          if (isUntouched) this.#to.deleteBytes(batch.keys.slice(at, at + keySize));
          count(isUntouched);
        }
      }
    }
    this.#last = next;
    return counts;
  }

  /** @returns false when a new program had a hand in the entry too */
  #carry(
    last: Contents,
    key: Uint8Array,
    value: Uint8Array,
    isNew: boolean,
    present: ReadonlyMap<string, Uint8Array> | undefined,
  ): boolean {
    const there = present === undefined ? this.#to.getBytes(key) : present.get(hexOf(key));
    if (isNew) {
      if (there !== undefined) return false;
      return this.#tried(key, value, 'noexist');
    }
    // The kernel may have thrown it out of a map that forgets the least used.
    if (there === undefined)
      return this.#to.info.type.startsWith('lru_') && this.#tried(key, value, 'noexist');
    if (last.compare(key, 0, there, 0) !== 'same') return false;
    return this.#tried(key, value, 'exist');
  }

  #tried(key: Uint8Array, value: Uint8Array, mode: 'noexist' | 'exist'): boolean {
    try {
      this.#to.setBytes(key, value, this.#to.info.type.endsWith('array') ? 'any' : mode, this.#options);
      return true;
    } catch (error) {
      // It came, or went, that very moment; or there is no room left for it.
      if (error instanceof NetkitError && (error.code === 'conflict' || error.code === 'not-found'))
        return false;
      throw error;
    }
  }

  /** Asked for one prefix, a prefix map would have to be listed each time. */
  async #presentPrefixes(): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    if (this.#to.info.type !== 'lpm_trie') return undefined;
    const { keySize, valueStride } = this.#shape;
    const present = new Map<string, Uint8Array>();
    for await (const { count, keys, values } of this.#to.readAhead()) {
      for (let index = 0; index < count; index++) {
        const key = keys.subarray(index * keySize, (index + 1) * keySize);
        present.set(hexOf(key), values.slice(index * valueStride, (index + 1) * valueStride));
      }
    }
    return present;
  }

  async #write(batch: EntryBatch): Promise<void> {
    try {
      await this.#to.writeBatchAsync(batch, this.#options);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof NetkitError ? error.cause : error;
      const code = cause instanceof NetkitError ? cause.code : 'failed';
      throw new NetkitError(
        code,
        `the entries of map '${this.#source.name}' cannot be taken over: ${messageOf(cause)}`,
        { hint: cause instanceof NetkitError ? cause.hint : undefined, cause: error },
      );
    }
  }

  get #options(): { readonly lock: boolean } {
    return { lock: this.#to.spinLock === true };
  }

  [Symbol.dispose](): void {
    this.#from[Symbol.dispose]();
    this.#to[Symbol.dispose]();
  }
}

/** A hash that is written to may list a key twice: the first one counts, and the next pass finds the other. */
function remember(contents: Contents, batch: EntryBatch, shape: EntryShape): void {
  for (let at = 0; at < batch.count; ) at += contents.add(slice(batch, at, batch.count, shape)) + 1;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
