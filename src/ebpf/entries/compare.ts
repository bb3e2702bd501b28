/** A map held against what a file or another map has. */
import { isZero, viewOf } from '../../base/raw-bytes.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import type { BpfMap } from '../map.js';
import type { Contents } from './contents.js';
import { refuseInterrupted } from './source.js';
import { removesByZero } from './target.js';

/** What happens to the entries of the map, one by one; `batch` is overwritten afterwards. */
export interface Findings {
  /** It stands in the other with another value. */
  changed(batch: EntryBatch, index: number): void;
  /** The other does not have it. Entries of an array that are zero are as good as not there. */
  stale(batch: EntryBatch, index: number): void;
}

export interface CompareCounts {
  readonly same: number;
  readonly changed: number;
  readonly stale: number;
}

/**
 * Lists the map, never probes: a prefix map would answer for an absent prefix with a shorter one. Yields after each batch,
 * which is overwritten then.
 */
export async function* compareMap(
  map: BpfMap,
  contents: Contents,
  findings: Findings,
  signal: AbortSignal | undefined,
): AsyncGenerator<undefined, CompareCounts> {
  const { keySize, valueStride } = map.shape;
  const alike = new AlikeValues(map);
  const zeroIsNone = removesByZero(map);
  let [same, changed, stale] = [0, 0, 0];
  for await (const batch of map.readAhead()) {
    refuseInterrupted(signal);
    const { count, keys, values } = batch;
    for (let index = 0; index < count; index++) {
      const [key, value] = [index * keySize, index * valueStride];
      let found = contents.compare(keys, key, values, value);
      if (found === 'different') found = contents.compare(keys, key, alike.of(values, value), 0);
      if (found === 'same') same++;
      else if (found === 'different') {
        changed++;
        findings.changed(batch, index);
      } else if (!zeroIsNone || !isZero(values, value, valueStride)) {
        stale++;
        findings.stale(batch, index);
      }
    }
    yield;
  }
  return { same, changed, stale };
}

/** Values as a file would bring them: with zeros for padding, in which programs leave whatever they like. */
class AlikeValues {
  readonly #shape: EntryShape;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** What a reference is, its bytes tell; a value of one leaf has no padding. */
  readonly #exact: boolean;

  constructor(map: BpfMap) {
    this.#shape = map.shape;
    this.#bytes = new Uint8Array(this.#shape.valueStride);
    this.#view = new DataView(this.#bytes.buffer);
    const [first] = this.#shape.value.columns;
    this.#exact = map.refersTo !== undefined || first === undefined || first.path === '';
  }

  of(values: Uint8Array, offset: number): Uint8Array {
    const { value, cpus, cpuStride, valueStride } = this.#shape;
    const bytes = values.subarray(offset, offset + valueStride);
    if (this.#exact) return bytes;
    const view = viewOf(bytes);
    try {
      for (let cpu = 0; cpu < cpus; cpu++)
        value.encode(value.decode(view, cpu * cpuStride), this.#view, cpu * cpuStride);
    } catch {
      // A pointer is shown and cannot be written.
      return bytes;
    }
    return this.#bytes;
  }
}
