import type { EntryTarget } from '../../ebpf/entries/target.js';
import type { EntryBatch } from '../../obj/entries/batch.js';
import type { EntryMemory, RememberedMap } from './entry-memory.js';

/** Tells the transaction what entries were before another target writes them. */
export class RememberingTarget implements EntryTarget {
  readonly #target: EntryTarget;
  readonly #map: RememberedMap;
  readonly #memory: EntryMemory;

  constructor(target: EntryTarget, map: RememberedMap, memory: EntryMemory) {
    this.#target = target;
    this.#map = map;
    this.#memory = memory;
  }

  async write(batch: EntryBatch): Promise<void> {
    this.#memory.before(this.#map, batch.keys, batch.count);
    await this.#target.write(batch);
  }

  async remove(keys: Uint8Array, count: number): Promise<void> {
    this.#memory.before(this.#map, keys, count);
    await this.#target.remove(keys, count);
  }
}
