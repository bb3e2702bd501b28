/**
 * Takes back what was written: the old values of all entries that were touched, kept in a file. Of a prefix map all entries
 * from before are in memory besides.
 */
import { NetkitError } from '../../base/errors.js';
import { textOfBytes } from '../../base/raw-bytes.js';
import { PrivateFile } from '../../host/private-file.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import type { BpfMap } from '../map.js';
import { writtenOf } from './failure.js';
import { HeldReferences } from './references.js';
import { BatchCopy } from './source.js';
import type { EntryTarget } from './target.js';

const bufferBytes = 1 << 20;
/** Entries in one call when they are put back. */
const batchEntries = 4096;

const wasAbsent = 0;
const wasThere = 1;

/**
 * A target that remembers. `undo` makes the map what it was, but for what others wrote meanwhile. The log has no name
 * on the disk and is gone with the process.
 */
export class UndoLog implements EntryTarget, Disposable {
  readonly #map: BpfMap;
  readonly #target: EntryTarget;
  readonly #references: HeldReferences;
  readonly #shape: EntryShape;
  readonly #file = new PrivateFile();
  readonly #recordBytes: number;
  readonly #buffer: Uint8Array;
  /** Old values are read under their spin lock, as they are put back. */
  readonly #lock: boolean;
  #at = 0;
  /** Of a prefix map, all entries from before, by key: asking for one by its key would find a shorter prefix. */
  #listed: ReadonlyMap<string, Uint8Array> | undefined;

  /** @param options.lock entries are written under the spin lock in them */
  constructor(map: BpfMap, target: EntryTarget, options: { readonly lock?: boolean } = {}) {
    this.#map = map;
    this.#target = target;
    this.#references = new HeldReferences(map);
    this.#shape = map.shape;
    this.#lock = options.lock === true || map.spinLock === true;
    this.#recordBytes = 1 + this.#shape.keySize + this.#shape.valueStride;
    this.#buffer = new Uint8Array(
      Math.max(1, Math.floor(bufferBytes / this.#recordBytes)) * this.#recordBytes,
    );
  }

  /** @throws NetkitError `unsupported` for maps in which nothing can be taken back */
  static refuse(map: BpfMap): void {
    const { type } = map.info;
    const why = /^lru_/.test(type)
      ? 'the kernel evicts entries from it, which cannot be brought back in their order'
      : map.shape.key === undefined
        ? 'its entries have no keys'
        : undefined;
    if (why !== undefined)
      throw new NetkitError('unsupported', `a change of a ${type} map cannot be taken back: ${why}`);
  }

  async write(batch: EntryBatch): Promise<void> {
    const old = this.#read(batch.keys, batch.count);
    try {
      await this.#target.write(batch);
    } catch (error) {
      this.#note(batch.keys, old, writtenOf(error) ?? batch.count);
      throw error;
    }
    this.#note(batch.keys, old, batch.count);
  }

  async remove(keys: Uint8Array, count: number): Promise<void> {
    const old = this.#read(keys, count);
    // Noted before: a part that was removed when the call failed must come back too.
    this.#note(keys, old, count);
    await this.#target.remove(keys, count);
  }

  /**
   * Puts everything back, or as much of it as the kernel takes.
   * @returns how many entries
   * @throws the first thing that was refused, after all the rest was tried
   */
  async undo(): Promise<number> {
    const failures: unknown[] = [];
    // In this order a map that was full has room for what comes back.
    const removed = await this.#replay(wasAbsent, failures);
    const put = await this.#replay(wasThere, failures);
    if (failures.length > 0) throw failures[0];
    return removed + put;
  }

  #read(keys: Uint8Array, count: number): (Uint8Array | undefined)[] {
    const { keySize } = this.#shape;
    const listed = this.#listing();
    const old: (Uint8Array | undefined)[] = [];
    for (let index = 0; index < count; index++) {
      const key = keys.subarray(index * keySize, (index + 1) * keySize);
      const value =
        listed === undefined ? this.#map.getBytes(key, { lock: this.#lock }) : listed.get(textOfBytes(key));
      if (value !== undefined) this.#references.hold(value);
      old.push(value);
    }
    return old;
  }

  #listing(): ReadonlyMap<string, Uint8Array> | undefined {
    if (this.#map.info.type !== 'lpm_trie') return undefined;
    if (this.#listed !== undefined) return this.#listed;
    const { keySize, valueStride } = this.#shape;
    const entries = new Map<string, Uint8Array>();
    for (const { count, keys, values } of this.#map.batches()) {
      for (let index = 0; index < count; index++) {
        const key = keys.subarray(index * keySize, (index + 1) * keySize);
        entries.set(textOfBytes(key), values.slice(index * valueStride, (index + 1) * valueStride));
      }
    }
    this.#listed = entries;
    return entries;
  }

  #note(keys: Uint8Array, old: readonly (Uint8Array | undefined)[], count: number): void {
    const { keySize } = this.#shape;
    for (let index = 0; index < count; index++) {
      if (this.#at === this.#buffer.length) this.#spill();
      const value = old[index];
      this.#buffer[this.#at] = value === undefined ? wasAbsent : wasThere;
      this.#buffer.set(keys.subarray(index * keySize, (index + 1) * keySize), this.#at + 1);
      if (value !== undefined) this.#buffer.set(value, this.#at + 1 + keySize);
      this.#at += this.#recordBytes;
    }
  }

  #spill(): void {
    this.#file.append(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
  }

  async #replay(kind: number, failures: unknown[]): Promise<number> {
    this.#spill();
    const { keySize, valueStride } = this.#shape;
    const batch = new BatchCopy(this.#shape);
    let replayed = 0;
    const flush = async () => {
      if (batch.count === 0) return;
      try {
        if (kind === wasThere) await this.#target.write(batch);
        else await this.#target.remove(batch.keys, batch.count);
        replayed += batch.count;
      } catch (error) {
        failures.push(error);
      }
      batch.clear();
    };
    for (let position = 0; position < this.#file.size; position += this.#buffer.length) {
      const length = this.#file.read(this.#buffer, position);
      for (let at = 0; at < length; at += this.#recordBytes) {
        if (this.#buffer[at] !== kind) continue;
        const keys = this.#buffer.subarray(at + 1, at + 1 + keySize);
        const values = this.#buffer.subarray(at + 1 + keySize, at + 1 + keySize + valueStride);
        batch.append({ count: 1, keys, values }, 0, 1);
        if (batch.count === batchEntries) await flush();
      }
    }
    await flush();
    return replayed;
  }

  [Symbol.dispose](): void {
    this.#references[Symbol.dispose]();
    this.#file[Symbol.dispose]();
  }
}
