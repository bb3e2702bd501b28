/** What is written down of a declared function when it is as it was declared. */
import type { Action } from '../action.js';
import type { Declaration, DeclaredLink, Generation, StoredEntries } from '../declaration.js';
import { EntriesStore } from '../entries/stored-entries.js';
import type { FunctionState } from '../state.js';
import { keptFiles, storedObjectFile } from '../state-object.js';
import type { StateStore } from '../store.js';
import type { DesiredFunction } from './desired.js';
import { toJson } from './field-changes.js';
import { recordedOptions } from './links.js';
import type { FunctionPlan } from './plan-function.js';

export interface Recording {
  readonly plan: FunctionPlan;
  /** What is recorded of it now, with its programs and links as they are to be. */
  readonly before: FunctionState;
  /** The names of its links, by the keys of their places. */
  readonly links: ReadonlyMap<string, string>;
  /** How many generations are kept, the one that runs included. */
  readonly keep: number;
  readonly change: string;
  readonly store: StateStore;
}

export interface Recorded {
  readonly actions: readonly Action[];
  /** The contents of files that the actions store. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The record, with the files of entries that it refers to; those that nothing refers to any more go. */
export function recordActions({ plan, before, links, keep, change, store }: Recording): Recorded {
  const { name, desired, state } = plan;
  const files = new Map<string, Uint8Array>();
  const old = state?.declared;
  const present =
    plan.isOfLinksAlone && old !== undefined
      ? old.present
      : generationOf(plan, before, storedEntries(desired, store, files));
  const isNew = old !== undefined && old.present.number !== present.number;
  // What runs again by another number need not be kept twice.
  const others = (old?.former ?? []).filter(({ number }) => !isNew || number !== plan.from);
  const former = [...others, ...(isNew ? [old.present] : [])];
  const declared: Declaration = {
    manifest: desired.manifest,
    present,
    former: former.slice(Math.max(0, former.length - (keep - 1))),
    links: declaredLinks(plan, links),
  };
  const after: FunctionState = { ...before, change, persist: true, declared };
  const needed = keptFiles(after);
  const stored = new Set([...store.objectsOf(name), ...store.entriesOf(name)]);
  const unneeded = [...stored].filter((file) => !needed.has(file));
  return {
    actions: [
      ...[...files.keys()].map((file): Action => ({ kind: 'store-entries', function: name, file })),
      { kind: 'record', function: name, before, after },
      ...unneeded.map(
        (file): Action => ({
          kind: file.endsWith('.entries') ? 'drop-entries' : 'drop-object',
          function: name,
          file,
        }),
      ),
    ],
    files,
  };
}

function generationOf(
  { desired, state, generation, from }: FunctionPlan,
  before: FunctionState,
  entries: Record<string, StoredEntries>,
): Generation {
  const old = state?.declared?.present;
  const { sha256, path } = desired.object;
  const isSame = old?.number === generation;
  return {
    number: generation,
    since: isSame ? old.since : new Date().toISOString(),
    from: isSame ? old.from : (from ?? null),
    document: { ...Object(toJson(desired.document)) },
    folder: desired.folder,
    object: { path, file: storedObjectFile(before), sha256 },
    options: before.options,
    builtFrom: desired.builtFrom,
    entries,
  };
}

function storedEntries(
  { name, maps }: DesiredFunction,
  store: StateStore,
  files: Map<string, Uint8Array>,
): Record<string, StoredEntries> {
  const stored = new EntriesStore(store.directory);
  const result: Record<string, StoredEntries> = {};
  for (const [map, { entries }] of maps) {
    if (entries === undefined) continue;
    const { count, from } = entries;
    if (entries.stored !== undefined) {
      result[map] = { file: entries.stored, count, from };
      continue;
    }
    const packed = stored.packed(name, entries.entries());
    const { file, bytes } = packed;
    stored.dropDamaged(packed);
    files.set(file, bytes);
    result[map] = { file, count, from };
  }
  return result;
}

function declaredLinks(
  { links: { places, off } }: FunctionPlan,
  names: ReadonlyMap<string, string>,
): DeclaredLink[] {
  const attached = places.flatMap(({ key, interface: on, options, chain }) => {
    const name = names.get(key);
    if (name === undefined) return [];
    return [{ name, place: key, interface: on, options: recordedOptions(options), chain: chain ?? null }];
  });
  return [...attached, ...off];
}
