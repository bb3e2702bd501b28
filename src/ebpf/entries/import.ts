/** Entries of a file or map into a map that keeps what else it has. */
import type { BpfMap } from '../map.js';
import { located } from './failure.js';
import { type Outcome, settle } from './outcome.js';
import { duplicateKey, SeenKeys } from './seen-keys.js';
import { type EntrySource, refuseInterrupted, type SourceBatch, unlessInterrupted } from './source.js';
import { type EntryTarget, MapTarget } from './target.js';
import { UndoLog } from './undo.js';
import { type RefusedEntry, WriteBehind } from './write-behind.js';

export interface ImportOptions {
  /** All or nothing: when it fails, or is interrupted, what was written is taken back. */
  readonly atomic?: boolean;
  /** Each value is written under the spin lock in it. */
  readonly lock?: boolean;
  readonly signal?: AbortSignal;
  /** Puts something between this and the map, such as a log of what was there before. */
  readonly around?: (target: EntryTarget) => EntryTarget;
  /** Told how many entries more are in the map. */
  readonly onWritten?: (entries: number) => void;
}

export interface ImportResult {
  /** Entries read, all of which are in the map. */
  readonly entries: number;
}

/**
 * Writes all entries of `source`, in its order. Stops at the first one that is wrong or refused, with everything before
 * it written: the error says how many that were, unless `atomic` took them back. Memory grows by some 12 bytes an entry.
 * @throws NetkitError `bad-value` for what is no entry and for a key that comes twice, `conflict` when the map is full,
 *   `not-permitted`, `unsupported`, `interrupted`
 */
export async function importEntries(
  map: BpfMap,
  source: EntrySource,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const direct = targetOf(map, options);
  if (options.atomic === true) UndoLog.refuse(map);
  using log = options.atomic === true ? new UndoLog(map, direct, options) : undefined;
  const entries = source.read()[Symbol.asyncIterator]();
  try {
    const outcome = await writeAll(map, source, entries, log ?? direct, options);
    await settle(outcome, log, options.signal);
    return { entries: outcome.written };
  } finally {
    await entries.return?.();
  }
}

/** What the entries go to: the map, or what `options` put around it. */
export function targetOf(map: BpfMap, options: ImportOptions): EntryTarget {
  const direct = new MapTarget(map, options);
  return options.around?.(direct) ?? direct;
}

async function writeAll(
  map: BpfMap,
  source: EntrySource,
  entries: AsyncIterator<SourceBatch>,
  target: EntryTarget,
  options: ImportOptions,
): Promise<Outcome> {
  const { signal, onWritten = () => undefined } = options;
  const seen = new SeenKeys(map.shape);
  const writer = new WriteBehind(target, map.shape, onWritten);
  let refused: RefusedEntry | undefined;
  let failure: unknown;
  let read = 0;
  try {
    for (let next = await entries.next(); next.done !== true; next = await entries.next()) {
      refuseInterrupted(signal);
      const batch = next.value;
      read += batch.count;
      const fresh = seen.add(batch);
      refused = await writer.add(batch, 0, fresh);
      if (refused !== undefined) break;
      if (fresh < batch.count) throw await duplicateKey(map.shape, source, batch, fresh);
    }
  } catch (error) {
    failure = unlessInterrupted(error, signal);
  }
  // What the kernel refused stands before what ended the reading.
  refused = (await writer.end()) ?? refused;
  const { written } = writer;
  if (refused === undefined) return failure === undefined ? { written } : { written, failure };
  const refusal = { written, failure: located(refused.error, source, refused.line) };
  // A pipe may never end.
  if (failure !== undefined || !source.repeatable) return refusal;
  const unwritten = read - written;
  return { ...refusal, left: () => counted(entries, unwritten, signal) };
}

/** How many entries are left in a source, besides those that were read; undefined where it cannot be read to its end. */
async function counted(
  entries: AsyncIterator<SourceBatch>,
  unwritten: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  let count = unwritten;
  try {
    for (let next = await entries.next(); next.done !== true; next = await entries.next()) {
      if (signal?.aborted === true) return undefined;
      count += next.value.count;
    }
  } catch {
    // The first failure is the one to tell.
    return undefined;
  }
  return count;
}
