/** Brings a map to what is declared, batch by batch. */
import { isFull, withOutcome, writtenOf } from '../../ebpf/entries/failure.js';
import { refuseInterrupted } from '../../ebpf/entries/source.js';
import { isAlwaysFull } from '../../ebpf/entries/target.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { EntryBatch } from '../../obj/entries/batch.js';
import { allGiven } from '../../obj/entries/entry-buffer.js';
import { steppingStone } from '../stepping-stone.js';
import type { EntryList } from './entry-list.js';
import type { EntryChanges } from './merge.js';
import { presentValues, putBits } from './present-values.js';

export interface WriteChangesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many changes more are made. */
  readonly onWritten?: ((entries: number) => void) | undefined;
}

/** Changes in one call: enough that its cost is nothing against theirs, few enough that an interrupt is quick. */
const mostEntries = 32_768;
const mostBytes = 1 << 20;
/** Entries that make room at a time in a full map. */
const roomEntries = 512;

/**
 * Makes the changes: first what is there already, then what is new, then what goes, so that what moves is never missing;
 * in a full map some go sooner. Bits that are not declared are read anew just before, and stay what they are then.
 * When it fails the changes before that are made: `restoreEntries` takes them back.
 * @throws NetkitError `conflict` when the map is full, `not-permitted` when it is frozen or read-only, `interrupted`
 */
export async function writeChanges(
  map: BpfMap,
  changes: EntryChanges,
  options: WriteChangesOptions = {},
): Promise<void> {
  const work = new Writing(map, changes, options);
  try {
    await work.run();
  } catch (error) {
    const { added, changed, removed } = changes;
    const all = added.count + changed.count + removed.count;
    throw withOutcome(error, `${work.made} of ${all} changes of its entries were made`, {
      made: work.made,
      of: all,
    });
  }
}

class Writing {
  made = 0;
  readonly #map: BpfMap;
  readonly #changes: EntryChanges;
  readonly #options: WriteChangesOptions;
  readonly #lock: boolean;
  readonly #perCall: number;
  #removed = 0;

  constructor(map: BpfMap, changes: EntryChanges, options: WriteChangesOptions) {
    this.#map = map;
    this.#changes = changes;
    this.#options = options;
    this.#lock = map.spinLock === true;
    const fitting = Math.floor(mostBytes / (changes.keySize + changes.valueStride));
    this.#perCall = Math.max(1, Math.min(mostEntries, fitting));
  }

  async run(): Promise<void> {
    const { added, changed, removed, type } = this.#changes;
    // A map that evicts by itself would evict what stays, while what goes is there.
    if (type.startsWith('lru_')) await this.#remove(removed.count);
    await this.#writeAll(changed, (from, until) => this.#merged(from, until));
    await this.#writeAll(added, (from, until) => this.#slice(added, from, until));
    await this.#remove(removed.count);
  }

  async #writeAll(list: EntryList, batchOf: (from: number, until: number) => EntryBatch): Promise<void> {
    for (let from = 0; from < list.count; ) {
      await this.#pause();
      const until = Math.min(list.count, from + this.#perCall);
      from += await this.#write(batchOf(from, until));
    }
  }

  /** @returns how many were written: all, or those before the map was full, when there is room again now */
  async #write(batch: EntryBatch): Promise<number> {
    try {
      await this.#map.writeBatchAsync(batch, { lock: this.#lock });
    } catch (error) {
      const written = writtenOf(error) ?? 0;
      this.#count(written);
      if (!isFull(error) || this.#removed === this.#changes.removed.count) throw error;
      await this.#remove(roomEntries);
      return written;
    }
    this.#count(batch.count);
    return batch.count;
  }

  /** Removes so many of those that are left, or all. */
  async #remove(most: number): Promise<void> {
    const { removed, keySize } = this.#changes;
    const end = Math.min(removed.count, this.#removed + most);
    while (this.#removed < end) {
      await this.#pause();
      const until = Math.min(end, this.#removed + this.#perCall);
      const batch = this.#slice(removed, this.#removed, until);
      if (isAlwaysFull(this.#changes.type)) await this.#map.writeBatchAsync(batch, { lock: this.#lock });
      else
        this.#map.deleteBatch(removed.keys.subarray(this.#removed * keySize, until * keySize), batch.count);
      this.#removed = until;
      this.#count(batch.count);
    }
  }

  #slice({ keys, values }: EntryList, from: number, until: number): EntryBatch {
    const { keySize, valueStride } = this.#changes;
    return {
      count: until - from,
      keys: keys.subarray(from * keySize, until * keySize),
      values: values.subarray(from * valueStride, until * valueStride),
    };
  }

  /** Entries with their declared bits, and all others as they are now. */
  #merged(from: number, until: number): EntryBatch {
    const batch = this.#slice(this.#changes.changed, from, until);
    const { masks, maskOf, valueStride } = this.#changes;
    const all = allGiven(this.#map.shape);
    const isWhole = masks.map((mask) => mask.every((byte, at) => (byte & (all[at] ?? 0)) === all[at]));
    if (maskOf.slice(from, until).every((mask) => isWhole[mask] === true)) return batch;
    const { values } = presentValues(this.#map, batch.keys, batch.count);
    for (let index = 0; index < batch.count; index++) {
      const mask = masks[maskOf[from + index] ?? 0];
      if (mask !== undefined) putBits(values, index * valueStride, batch.values, index * valueStride, mask);
    }
    return { ...batch, values };
  }

  #count(entries: number): void {
    this.made += entries;
    if (entries > 0) this.#options.onWritten?.(entries);
  }

  async #pause(): Promise<void> {
    steppingStone();
    // A signal arrives only in a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    refuseInterrupted(this.#options.signal);
  }
}
