/** What writes entries into a map: the map itself, or something around it. */
import { NetkitError } from '../../base/errors.js';
import type { EntryBatch } from '../../obj/entries/batch.js';
import type { BpfMap } from '../map.js';

export interface EntryTarget {
  /** @throws PartialWrite telling how many entries of the batch were written */
  write(batch: EntryBatch): Promise<void>;
  /** Removes entries; those of an array become zero. Keys that are not there are left out. */
  remove(keys: Uint8Array, count: number): Promise<void>;
}

const zeroed: ReadonlySet<string> = new Set(['array', 'percpu_array']);

/** Whether the entries of a map are always there, so that removing one means writing zeros. */
export function removesByZero(map: BpfMap): boolean {
  return isAlwaysFull(map.info.type);
}

/** The same by the type: arrays. */
export function isAlwaysFull(type: string): boolean {
  return zeroed.has(type);
}

/** The map itself. */
export class MapTarget implements EntryTarget {
  readonly #map: BpfMap;
  readonly #lock: boolean;
  #zeros = new Uint8Array(0);

  /** @param options.lock each value is written under its spin lock */
  constructor(map: BpfMap, options: { readonly lock?: boolean } = {}) {
    this.#map = map;
    this.#lock = options.lock === true;
  }

  async write(batch: EntryBatch): Promise<void> {
    await this.#map.writeBatchAsync(batch, { lock: this.#lock });
  }

  async remove(keys: Uint8Array, count: number): Promise<void> {
    if (!removesByZero(this.#map)) {
      this.#map.deleteBatch(keys, count);
      return;
    }
    const bytes = count * this.#map.shape.valueStride;
    if (this.#zeros.length < bytes) this.#zeros = new Uint8Array(bytes);
    await this.write({ count, keys, values: this.#zeros });
  }
}

/** @throws NetkitError `unsupported` where entries cannot be removed from a map of that type */
export function refuseUnremovable(map: BpfMap): void {
  if (!/cgroup_storage$/.test(map.info.type)) return;
  throw new NetkitError(
    'unsupported',
    `entries of ${map.info.type} maps are removed by the kernel alone, when their cgroup goes`,
  );
}
