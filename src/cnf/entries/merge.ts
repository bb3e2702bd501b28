/** What has to change in a map for it to have what is declared: by what is declared now, what was applied last, and what is there. */
import { NetkitError } from '../../base/errors.js';
import { isZero } from '../../base/raw-bytes.js';
import { refuseInterrupted } from '../../ebpf/entries/source.js';
import { isAlwaysFull } from '../../ebpf/entries/target.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import { type DeclaredEntries, keyIndexOf, maskAt } from './declared-entries.js';
import { EntryList } from './entry-list.js';
import { KeyIndex } from './key-index.js';
import { clearBehindPrefixes } from './prefix-keys.js';
import { type EntrySample, samplesOf } from './samples.js';

/** Of each kind. */
const usualSamples = 5;

export interface MergeOptions {
  /** `new` for one that is still to be made, and will be empty. */
  readonly map: BpfMap | 'new';
  /** How messages call the map; as the map says when left out. */
  readonly name?: string | undefined;
  /** How keys and values are written in samples; the map's own when left out. Without either there are no samples. */
  readonly shape?: EntryShape | undefined;
  /** How many entries the map will hold; as many as it holds now when left out. */
  readonly maxEntries?: number | undefined;
  /** What was applied last; undefined for nothing. */
  readonly last: DeclaredEntries | undefined;
  /** What is declared now; undefined for nothing. */
  readonly declared: DeclaredEntries | undefined;
  /** Remove whatever is not declared, whoever put it there. */
  readonly exact: boolean;
  /** Most samples of each kind, 5 when left out. */
  readonly samples?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** What is to be done, with what is there now. Sizes in bytes; entries side by side. */
export interface EntryChanges {
  readonly type: string;
  readonly keySize: number;
  readonly valueStride: number;
  readonly counts: ChangeCounts;
  readonly samples: readonly EntrySample[];
  /** Entries whose keys are not there. */
  readonly added: EntryList;
  /** Entries that are there with other declared bits; in an array also those that were zero, which count as added. */
  readonly changed: EntryList;
  /** The declared bits of each changed entry, as indices into `masks`. */
  readonly maskOf: readonly number[];
  readonly masks: readonly Uint8Array[];
  /** What is declared in all. */
  readonly declared: DeclaredEntries | undefined;
  /** Entries that go; in an array they become zero. */
  readonly removed: EntryList;
}

export function hasChanges({ counts: { added, changed, removed } }: Pick<EntryChanges, 'counts'>): boolean {
  return added + changed + removed > 0;
}

/**
 * Compares three ways. Declared entries are added, or changed in their declared bits where these differ; what was declared
 * and is no longer goes; what others added stays, unless `exact`. The map is listed as a whole, never asked key by key.
 * @throws NetkitError `conflict` when the map is of other sizes, or too small for what is declared beside what stays;
 *   `not-permitted`, `interrupted`
 */
export async function mergeEntries(options: MergeOptions): Promise<EntryChanges> {
  const { map, declared, last, exact, signal } = options;
  refuseInterrupted(signal);
  const merge = new Merge(options);
  if (map === 'new') return merge.intoNew();
  if (declared === undefined && !exact && (last?.count ?? 0) === 0) return merge.done();
  for await (const batch of map.readAhead()) {
    refuseInterrupted(signal);
    merge.take(batch);
  }
  return merge.done();
}

class Merge {
  readonly #options: MergeOptions;
  readonly #type: string;
  readonly #keySize: number;
  readonly #valueStride: number;
  readonly #declared: DeclaredEntries | undefined;
  readonly #index: KeyIndex | undefined;
  readonly #seen: Uint8Array;
  /** Keys that were declared and are no longer. */
  readonly #dropped: KeyIndex | undefined;
  /** Keys that go, so that one that a listing gives twice is taken once. */
  readonly #gone: KeyIndex;
  readonly #added: EntryList;
  readonly #changed: EntryList;
  readonly #removed: EntryList;
  readonly #maskOf: number[] = [];
  /** Changed entries of an array that were zero. */
  #filled = 0;
  #present = 0;

  constructor(options: MergeOptions) {
    const { map, declared, last } = options;
    const known = map === 'new' ? declared : { type: map.info.type, ...map.layout };
    this.#options = options;
    this.#type = known?.type ?? '';
    this.#keySize = known?.keySize ?? 0;
    this.#valueStride = known?.valueStride ?? 0;
    if (declared !== undefined) this.#refuseOtherSizes(declared);
    this.#declared = declared;
    this.#index = declared === undefined ? undefined : keyIndexOf(declared);
    this.#seen = new Uint8Array(declared?.count ?? 0);
    this.#dropped = last === undefined ? undefined : this.#droppedOf(last);
    this.#gone = new KeyIndex(this.#keySize);
    const list = () => new EntryList(this.#keySize, this.#valueStride);
    [this.#added, this.#changed, this.#removed] = [list(), list(), list()];
  }

  #refuseOtherSizes({ type, keySize, valueStride }: DeclaredEntries): void {
    if (type === this.#type && keySize === this.#keySize && valueStride === this.#valueStride) return;
    const sizes = (word: string, key: number, value: number) => `${word}, ${key} and ${value} bytes`;
    throw new NetkitError(
      'conflict',
      `the declared entries are not of this map's kind: ${this.#called} is a ${sizes(this.#type, this.#keySize, this.#valueStride)}, they are of a ${sizes(type, keySize, valueStride)}`,
    );
  }

  get #called(): string {
    const { name, map } = this.#options;
    return name ?? (map === 'new' ? 'the map' : map.called);
  }

  /** Of a map of other keys nothing was carried over: nothing of it is there to be removed. */
  #droppedOf(last: DeclaredEntries): KeyIndex | undefined {
    if (last.keySize !== this.#keySize) return undefined;
    const declared = this.#declared;
    if (declared !== undefined && Buffer.compare(last.keys, declared.keys) === 0) return undefined;
    const dropped = new KeyIndex(this.#keySize);
    for (let at = 0; at < last.keys.length; at += this.#keySize)
      if (this.#index === undefined || this.#index.find(last.keys, at) < 0) dropped.add(last.keys, at);
    return dropped.count === 0 ? undefined : dropped;
  }

  /** Looks at a batch of what is there. */
  take(batch: EntryBatch): void {
    const { count, keys } = batch;
    const keySize = this.#keySize;
    if (this.#type === 'lpm_trie') clearBehindPrefixes(keys, count, keySize);
    this.#present += count;
    for (let index = 0; index < count; index++) {
      const found = this.#index?.find(keys, index * keySize) ?? -1;
      if (found >= 0) this.#compare(batch, index, found);
      else if (this.#options.exact || (this.#dropped?.find(keys, index * keySize) ?? -1) >= 0)
        this.#remove(batch, index);
    }
  }

  #compare({ keys, values }: EntryBatch, index: number, found: number): void {
    const declared = this.#declared;
    if (declared === undefined || this.#seen[found] === 1) return;
    this.#seen[found] = 1;
    const stride = this.#valueStride;
    const mask = maskAt(declared, found);
    const own = declared.values;
    let [present, wanted] = [index * stride, found * stride];
    let difference = 0;
    for (let at = 0; at < stride && difference === 0; at++)
      difference = ((values[present++] ?? 0) ^ (own[wanted++] ?? 0)) & (mask[at] ?? 0);
    if (difference === 0) return;
    this.#changed.add(keys, index, own, found, values, index);
    this.#maskOf.push(declared.maskOf?.[found] ?? 0);
    if (isAlwaysFull(this.#type) && isZero(values, index * stride, stride)) this.#filled++;
  }

  #remove({ keys, values }: EntryBatch, index: number): void {
    const stride = this.#valueStride;
    if (isAlwaysFull(this.#type) && isZero(values, index * stride, stride)) return;
    if (this.#gone.add(keys, index * this.#keySize) >= 0) return;
    this.#removed.add(keys, index, undefined, 0, values, index);
  }

  /** Of an empty map: an array has zeros already. */
  intoNew(): EntryChanges {
    const declared = this.#declared;
    const stride = this.#valueStride;
    for (let index = 0; index < (declared?.count ?? 0); index++)
      if (isAlwaysFull(this.#type) && isZero(declared?.values ?? this.#seen, index * stride, stride))
        this.#seen[index] = 1;
    return this.done();
  }

  done(): EntryChanges {
    const declared = this.#declared;
    for (let index = 0; index < this.#seen.length; index++)
      if (declared !== undefined && this.#seen[index] === 0)
        this.#added.add(declared.keys, index, declared.values, index);
    this.#refuseTooMany();
    const changes = {
      type: this.#type,
      keySize: this.#keySize,
      valueStride: this.#valueStride,
      counts: {
        added: this.#added.count + this.#filled,
        changed: this.#changed.count - this.#filled,
        removed: this.#removed.count,
      },
      added: this.#added,
      changed: this.#changed,
      maskOf: this.#maskOf,
      masks: declared?.masks ?? [],
      declared,
      removed: this.#removed,
    };
    const { map, shape, samples } = this.#options;
    const known = shape ?? (map === 'new' || !hasChanges(changes) ? undefined : map.shape);
    return {
      ...changes,
      samples: known === undefined ? [] : samplesOf(changes, known, samples ?? usualSamples),
    };
  }

  /** Better told before anything is changed. A map that evicts makes room by itself. */
  #refuseTooMany(): void {
    const { map } = this.#options;
    const most = this.#options.maxEntries ?? (map === 'new' ? undefined : map.info.maxEntries);
    if (most === undefined || this.#type.startsWith('lru_') || this.#added.count === 0) return;
    const others = this.#present - this.#removed.count;
    // The entries of arrays are all there.
    if (isAlwaysFull(this.#type) || others + this.#added.count <= most) return;
    const declared = this.#declared?.count ?? 0;
    const stay = others + this.#added.count - declared;
    throw new NetkitError(
      'conflict',
      `${this.#called} holds ${most} entries: ${declared} are declared, and ${stay} that others added stay`,
      {
        hint: stay > 0 ? "with 'exact: true' what is not declared is removed" : undefined,
        details: { maxEntries: most },
      },
    );
  }
}
