/** What differs between a map and a file or another map. */
import { textOfBytes } from '../../base/raw-bytes.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import type { BpfMap } from '../map.js';
import { compareMap } from './compare.js';
import type { Contents } from './contents.js';
import { type EntrySource, refuseInterrupted } from './source.js';
import { survey } from './survey.js';

/** Bytes of old values that are kept at a time: for more changes than fit, the source is read once more. */
const keptBytes = 32 << 20;
/** What an entry of a JavaScript map costs beside its bytes. */
const keptOverhead = 120;

/** `from` is what the map has, `to` what the other has. */
export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly key: Uint8Array;
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

export interface DiffCounts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** How many entries the other has. */
  readonly entries: number;
}

export interface DiffOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether what only the map has is a difference; true when left out. */
  readonly removals?: boolean;
}

/**
 * Lists of differences: what only the map has first, then the others. Lists and bytes are valid until the next one is
 * asked for. Memory grows by some 20 bytes an entry of the source, however many differences there are.
 * @throws NetkitError as `survey`, and `interrupted`
 */
export async function* diffEntries(
  map: BpfMap,
  source: EntrySource,
  options: DiffOptions = {},
): AsyncGenerator<readonly Difference[], DiffCounts> {
  const { signal, removals = true } = options;
  const { shape } = map;
  if (shape.key === undefined) return yield* pushed(source, shape, signal);
  const contents = await survey(map, source, signal);
  const kept = new OldValues(shape);
  let list: Difference[] = [];
  let passes = 0;
  const steps = compareMap(
    map,
    contents,
    {
      stale: (batch, index) => {
        if (removals) list.push({ kind: 'removed', ...entryAt(batch, index, shape) });
      },
      changed: (batch, index) => kept.add(entryAt(batch, index, shape)),
    },
    signal,
  );
  try {
    let step = await steps.next();
    for (; step.done !== true; step = await steps.next()) {
      if (list.length > 0) yield list;
      list = [];
      if (!kept.isFull) continue;
      passes++;
      yield* changes(source, shape, kept, undefined, signal);
      kept.clear();
    }
    const { same, changed, stale } = step.value;
    const added = contents.count - contents.seen;
    if (added > 0 || changed > 0 || passes > 0) yield* changes(source, shape, kept, contents, signal);
    return { added, removed: removals ? stale : 0, changed, same, entries: contents.count };
  } finally {
    // Of a comparison that is not over, the listing of the map.
    await steps.return({ same: 0, changed: 0, stale: 0 });
  }
}

/** Values without keys are compared with nothing. */
async function* pushed(
  source: EntrySource,
  shape: EntryShape,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Difference[], DiffCounts> {
  let entries = 0;
  for await (const batch of source.read()) {
    refuseInterrupted(signal);
    entries += batch.count;
    yield Array.from({ length: batch.count }, (_, index) => {
      const { key, from } = entryAt(batch, index, shape);
      return { kind: 'added', key, from: undefined, to: from };
    });
  }
  return { added: entries, removed: 0, changed: 0, same: 0, entries };
}

interface Entry {
  readonly key: Uint8Array;
  readonly from: Uint8Array;
  readonly to: undefined;
}

function entryAt({ keys, values }: EntryBatch, index: number, { keySize, valueStride }: EntryShape): Entry {
  return {
    key: keys.subarray(index * keySize, (index + 1) * keySize),
    from: values.subarray(index * valueStride, (index + 1) * valueStride),
    to: undefined,
  };
}

/** Goes through the source for the new values of entries that changed, and with `contents` for those that are new. */
async function* changes(
  source: EntrySource,
  shape: EntryShape,
  kept: OldValues,
  contents: Contents | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Difference[]> {
  const { keySize } = shape;
  for await (const batch of source.read()) {
    refuseInterrupted(signal);
    const list: Difference[] = [];
    for (let index = 0; index < batch.count; index++) {
      const { key, from: to } = entryAt(batch, index, shape);
      const from = kept.of(key);
      if (from !== undefined) list.push({ kind: 'changed', key, from, to });
      else if (contents?.isSeen(batch.keys, index * keySize) === false)
        list.push({ kind: 'added', key, from: undefined, to });
    }
    if (list.length > 0) yield list;
  }
}

/** What entries that changed had before. */
class OldValues {
  readonly #values = new Map<string, Uint8Array>();
  readonly #limit: number;

  constructor({ keySize, valueStride }: EntryShape) {
    this.#limit = Math.ceil(keptBytes / (keySize + valueStride + keptOverhead));
  }

  get isFull(): boolean {
    return this.#values.size >= this.#limit;
  }

  add({ key, from }: Entry): void {
    this.#values.set(textOfBytes(key), from.slice());
  }

  of(key: Uint8Array): Uint8Array | undefined {
    return this.#values.size === 0 ? undefined : this.#values.get(textOfBytes(key));
  }

  clear(): void {
    this.#values.clear();
  }
}
