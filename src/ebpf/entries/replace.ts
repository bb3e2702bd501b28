/** A map made equal to a file or another map, by the smallest set of changes and without a gap. */
import { NetkitError } from '../../base/errors.js';
import type { EntryBatch, EntryShape } from '../../obj/entries/batch.js';
import { KeyTable } from '../../obj/entries/key-table.js';
import type { BpfMap } from '../map.js';
import { PartialWrite } from '../map-failure.js';
import { compareMap } from './compare.js';
import type { Contents } from './contents.js';
import { isFull, located, untouched, writtenOf } from './failure.js';
import { type ImportOptions, targetOf } from './import.js';
import { type Outcome, settle } from './outcome.js';
import { type EntrySource, refuseInterrupted, slice, unlessInterrupted } from './source.js';
import { StaleKeys } from './stale-keys.js';
import { survey } from './survey.js';
import { type EntryTarget, refuseUnremovable } from './target.js';
import { UndoLog } from './undo.js';
import { type RefusedEntry, WriteBehind } from './write-behind.js';

export interface ReplaceResult {
  /** Entries that the source has, and now the map. */
  readonly entries: number;
  /** How many of them were new or had another value. */
  readonly written: number;
  readonly same: number;
  readonly removed: number;
}

/**
 * Makes the map equal to `source`, which is read twice. It is checked as a whole before anything is written. Only what is
 * new or differs is written; what only the map has is removed last, or, in a full map, little by little to make room: an
 * entry that stands in both is there at every moment. Killed on the way, it is finished by running it again. Entries of an
 * array that the source does not have become zero. Of a map that evicts entries by itself, the stale ones go first.
 * Memory grows by some 20 bytes an entry.
 * @throws NetkitError as `importEntries`; `unsupported` for maps without keys
 */
export async function replaceEntries(
  map: BpfMap,
  source: EntrySource,
  options: ImportOptions = {},
): Promise<ReplaceResult> {
  refuseKeyless(map);
  refuseUnremovable(map);
  if (options.atomic === true) UndoLog.refuse(map);
  const contents = await checked(map, source, options.signal);
  const direct = targetOf(map, options);
  using log = options.atomic === true ? new UndoLog(map, direct, options) : undefined;
  const replacement = new Replacement(map, source, contents, log ?? direct, options);
  await settle(await replacement.run(), log, options.signal);
  return replacement.result();
}

/** @throws NetkitError `unsupported` for queues, stacks and bloom filters */
export function refuseKeyless(map: BpfMap): void {
  if (map.shape.key !== undefined) return;
  throw new NetkitError(
    'unsupported',
    `the values of a ${map.info.type} have no keys by which they could be compared with a file`,
    { details: { type: map.info.type } },
  );
}

/** @throws NetkitError what is wrong, and that nothing is changed */
async function checked(map: BpfMap, source: EntrySource, signal: AbortSignal | undefined): Promise<Contents> {
  try {
    return await survey(map, source, signal);
  } catch (error) {
    throw untouched(unlessInterrupted(error, signal));
  }
}

class Replacement {
  readonly #map: BpfMap;
  readonly #shape: EntryShape;
  readonly #source: EntrySource;
  readonly #contents: Contents;
  readonly #target: EntryTarget;
  readonly #options: ImportOptions;
  readonly #stale: StaleKeys;
  /** Keys that the map has with other values. */
  readonly #changed: KeyTable;
  #same = 0;
  #written = 0;

  constructor(
    map: BpfMap,
    source: EntrySource,
    contents: Contents,
    target: EntryTarget,
    options: ImportOptions,
  ) {
    this.#map = map;
    this.#shape = map.shape;
    this.#source = source;
    this.#contents = contents;
    this.#target = target;
    this.#options = options;
    this.#stale = new StaleKeys(map, contents);
    this.#changed = new KeyTable(map.shape.keySize);
  }

  result(): ReplaceResult {
    const { count: entries } = this.#contents;
    return { entries, written: this.#written, same: this.#same, removed: this.#stale.removed };
  }

  async run(): Promise<Outcome> {
    let failure: unknown;
    try {
      await this.#steps();
    } catch (error) {
      failure = unlessInterrupted(error, this.#options.signal);
    }
    const [written, removed] = [this.#written, this.#stale.removed];
    if (failure === undefined) return { written, removed };
    return { written, removed, failure };
  }

  async #steps(): Promise<void> {
    const { signal } = this.#options;
    const stale = await this.#compare();
    // Writing into a map that evicts by itself would evict what stays, while what goes is there.
    const evicts = this.#map.info.type.startsWith('lru_');
    if (evicts && stale > 0) await this.#stale.removeAll(this.#target, signal);
    if (this.#contents.count > this.#same) await this.#write();
    if (!evicts && stale > 0) await this.#stale.removeAll(this.#target, signal);
    if (evicts) await this.#refuseEvicted();
  }

  /** @returns how many entries only the map has */
  async #compare(): Promise<number> {
    const { keySize } = this.#shape;
    const findings = {
      changed: ({ keys }: EntryBatch, index: number) => {
        this.#changed.add(keys, index * keySize);
      },
      stale: () => undefined,
    };
    const steps = compareMap(this.#map, this.#contents, findings, this.#options.signal);
    let step = await steps.next();
    while (step.done !== true) step = await steps.next();
    this.#same = step.value.same;
    return step.value.stale;
  }

  /** The second pass over the source: what is new or differs. */
  async #write(): Promise<void> {
    const { signal, onWritten = () => undefined } = this.#options;
    const target = new RoomMaker(this.#target, this.#stale, this.#shape, signal);
    const writer = new WriteBehind(target, this.#shape, onWritten);
    let refused: RefusedEntry | undefined;
    try {
      for await (const batch of this.#source.read()) {
        refuseInterrupted(signal);
        for (let from = 0; from < batch.count && refused === undefined; ) {
          const until = this.#runEnd(batch, from);
          if (this.#isWanted(batch, from)) refused = await writer.add(batch, from, until);
          from = until;
        }
        if (refused !== undefined) break;
      }
    } finally {
      refused = (await writer.end()) ?? refused;
      this.#written = writer.written;
    }
    if (refused !== undefined) throw located(refused.error, this.#source, refused.line);
  }

  #isWanted({ keys }: EntryBatch, index: number): boolean {
    const at = index * this.#shape.keySize;
    return !this.#contents.isSeen(keys, at) || this.#changed.has(keys, at);
  }

  /** Where the run of entries ends that are all to be written, or all to be passed over. */
  #runEnd(batch: EntryBatch, from: number): number {
    const wanted = this.#isWanted(batch, from);
    let until = from + 1;
    while (until < batch.count && this.#isWanted(batch, until) === wanted) until++;
    return until;
  }

  async #refuseEvicted(): Promise<void> {
    const steps = compareMap(
      this.#map,
      this.#contents,
      { changed: () => undefined, stale: () => undefined },
      this.#options.signal,
    );
    let step = await steps.next();
    while (step.done !== true) step = await steps.next();
    const missing = this.#contents.count - step.value.same - step.value.changed;
    if (missing <= 0) return;
    const { name, type, maxEntries } = this.#map.info;
    throw new NetkitError(
      'conflict',
      `the kernel evicted ${missing} of the ${this.#contents.count} entries: the ${type} map ${this.#map.called} is too full with ${maxEntries} at most`,
      { details: { map: name, missing } },
    );
  }
}

/** When the map is full, removes some entries that have to go anyway, and goes on. */
class RoomMaker implements EntryTarget {
  readonly #target: EntryTarget;
  readonly #stale: StaleKeys;
  readonly #shape: EntryShape;
  readonly #signal: AbortSignal | undefined;

  constructor(target: EntryTarget, stale: StaleKeys, shape: EntryShape, signal: AbortSignal | undefined) {
    this.#target = target;
    this.#stale = stale;
    this.#shape = shape;
    this.#signal = signal;
  }

  async write(batch: EntryBatch): Promise<void> {
    for (let done = 0; done < batch.count; ) {
      try {
        await this.#target.write(slice(batch, done, batch.count, this.#shape));
        return;
      } catch (error) {
        done += writtenOf(error) ?? 0;
        if (this.#signal?.aborted === true)
          throw new PartialWrite(new NetkitError('interrupted', 'interrupted', { cause: error }), done);
        if (isFull(error) && (await this.#stale.removeSome(this.#target)) > 0) continue;
        throw error instanceof PartialWrite ? new PartialWrite(error, done) : error;
      }
    }
  }

  async remove(keys: Uint8Array, count: number): Promise<void> {
    await this.#target.remove(keys, count);
  }
}
