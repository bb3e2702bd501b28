import type { Value } from '../obj/codec/index.js';
import type { EntryShape } from '../obj/entries/batch.js';
import { sumOverCpus } from '../obj/entries/sum.js';
import { requireOperation } from '../obj/map-operations.js';
import type { BpfMap } from './map.js';

/** What became of one entry between two looks at a map. */
export interface MapChange {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly key: Value;
  /** What it was; undefined for a new entry. */
  readonly before: Value | undefined;
  /** What it is; undefined for one that is gone. */
  readonly now: Value | undefined;
}

/** An entry as it was seen last: bytes in a string, which is the smallest that can be looked up. */
interface Seen {
  value: string;
  round: number;
}

/** Maps whose listings may miss an entry that others' changes move, and that are asked for one key without a listing. */
const hashTypes: ReadonlySet<string> = new Set([
  'hash',
  'lru_hash',
  'percpu_hash',
  'lru_percpu_hash',
  'hash_of_maps',
  'devmap_hash',
]);

/**
 * Finds out what changes in a map by reading all of it again and again. What happens between two looks and is undone
 * before the second is not seen. It keeps a copy of the map: about 200 bytes an entry, beside key and value.
 *
 * While others write to a hash, a listing may miss an entry; so one that is not listed any more is asked for by its
 * key before it counts as removed. A prefix map is not asked, since that would list all of it for every key: one that
 * a listing missed is removed at this look and added at the next.
 */
export class MapChanges {
  readonly #map: BpfMap;
  readonly #shape: EntryShape;
  readonly #seen = new Map<string, Seen>();
  readonly #mayAsk: boolean;
  #round = 0;

  /** @param map stays the caller's, open as long as this is used. @throws NetkitError `unsupported` for maps without a listing */
  constructor(map: BpfMap) {
    requireOperation(map.info, 'dump');
    this.#map = map;
    this.#shape = map.shape;
    this.#mayAsk = hashTypes.has(map.info.type);
  }

  /** How many entries the last look saw. */
  get size(): number {
    return this.#seen.size;
  }

  /**
   * Looks at the map, and gives what is not as it was the last time. The first look gives nothing. Of a per-CPU map the
   * values are sums, or where there is no sum an array, one a CPU. To be taken to its end.
   * @throws NetkitError as `BpfMap.batches`, and what `signal` is aborted with
   */
  async *look(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<MapChange, void> {
    this.#round += 1;
    const { keySize, valueStride } = this.#shape;
    for await (const { count, keys, values } of this.#map.readAhead(options)) {
      const keyText = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength);
      const valueText = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      for (let index = 0; index < count; index++) {
        const key = keyText.toString('latin1', index * keySize, (index + 1) * keySize);
        const value = valueText.toString('latin1', index * valueStride, (index + 1) * valueStride);
        const change = this.#compare(key, value);
        if (change !== undefined) yield change;
      }
    }
    for (const [key, seen] of this.#seen) {
      if (seen.round === this.#round) continue;
      const change = this.#missing(key, seen.value);
      if (change !== undefined) yield change;
    }
  }

  #compare(key: string, value: string): MapChange | undefined {
    const seen = this.#seen.get(key);
    if (seen === undefined) {
      this.#seen.set(key, { value, round: this.#round });
      return this.#round === 1
        ? undefined
        : { kind: 'added', key: this.#key(key), before: undefined, now: this.#value(value) };
    }
    const before = seen.value;
    seen.round = this.#round;
    if (before === value) return undefined;
    seen.value = value;
    const change = { before: this.#value(before), now: this.#value(value) };
    // Padding, or numbers that moved from one CPU to another.
    const { value: codec } = this.#shape;
    if (codec.format(change.before) === codec.format(change.now)) return undefined;
    return { kind: 'changed', key: this.#key(key), ...change };
  }

  #missing(key: string, value: string): MapChange | undefined {
    if (this.#mayAsk) {
      const found = this.#map.getBytes(Buffer.from(key, 'latin1'));
      if (found !== undefined) return this.#compare(key, Buffer.from(found).toString('latin1'));
    }
    this.#seen.delete(key);
    return { kind: 'removed', key: this.#key(key), before: this.#value(value), now: undefined };
  }

  #key(bytes: string): Value {
    return this.#shape.key?.decode(viewOf(bytes), 0) ?? '';
  }

  #value(bytes: string): Value {
    const { value, cpus, cpuStride } = this.#shape;
    const view = viewOf(bytes);
    if (!this.#map.perCpu) return value.decode(view, 0);
    const each = Array.from({ length: cpus }, (_, cpu) => value.decode(view, cpu * cpuStride));
    return sumOverCpus(each) ?? each;
  }
}

function viewOf(text: string): DataView {
  const bytes = Buffer.from(text, 'latin1');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
