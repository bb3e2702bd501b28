/** What is to be written into maps so that they hold what is declared. */
import { NetkitError } from '../../base/errors.js';
import { BpfMap } from '../../ebpf/map.js';
import { exists } from '../../host/folders.js';
import { listedMapName } from '../../obj/maps.js';
import type { Generation } from '../declaration.js';
import { shapeOfMap } from '../entries/declarable.js';
import type { DeclaredEntries } from '../entries/declared-entries.js';
import { type EntryChanges, hasChanges, mergeEntries } from '../entries/merge.js';
import { EntriesStore } from '../entries/stored-entries.js';
import { functionFolder, pinPath } from '../layout.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import type { DesiredFunction } from './desired.js';
import type { Planning } from './planning.js';
import type { EntriesStep } from './step.js';

/** Entries to be written, for each map for which some are declared, or were. */
export async function planEntries(
  planning: Planning,
  desired: DesiredFunction,
  state: FunctionState | undefined,
  recorded: Generation | undefined,
  isOther: boolean,
): Promise<EntriesStep[]> {
  const steps: EntriesStep[] = [];
  const anew = isOther ? fresh(desired, state) : [];
  for (const map of entryMaps(desired, recorded)) {
    const isNew = state === undefined || anew.includes(map);
    const pin = pinPath(functionFolder(planning.bpffs, desired.name), 'maps', pinnedAs(desired, map));
    const changes = await entryChanges(
      planning,
      desired,
      map,
      isNew || !exists(pin) ? undefined : pin,
      recorded,
    );
    if (hasChanges(changes)) steps.push({ kind: 'entries', map, changes });
  }
  return steps;
}

/** The maps of the object for which entries are declared, or were. */
export function entryMaps(desired: DesiredFunction, recorded: Generation | undefined): string[] {
  const declared = [...desired.maps].filter(([, { entries }]) => entries !== undefined).map(([name]) => name);
  const names = new Set([...declared, ...Object.keys(recorded?.entries ?? {})]);
  return [...names].filter((name) => desired.spec.maps.some((map) => map.name === name));
}

/** The name by which a map is pinned. */
export function pinnedAs({ spec, name }: DesiredFunction, map: string): string {
  return listedMapName(spec.map(map), name);
}

/** What is to be written so that a map holds what is declared. @param pin of the map; undefined for one that is not there yet */
export async function entryChanges(
  { store, signal, note }: Planning,
  desired: DesiredFunction,
  map: string,
  pin: string | undefined,
  recorded: Generation | undefined,
): Promise<EntryChanges> {
  const { entries, exact } = desired.maps.get(map) ?? { entries: undefined, exact: false };
  const declared = entries?.entries();
  const about = {
    name: `${desired.name}/${map}`,
    declared,
    exact,
    ...(signal === undefined ? {} : { signal }),
  };
  const maxEntries = desired.spec.mapSizes.get(map) ?? desired.spec.map(map).maxEntries;
  if (pin === undefined)
    return mergeEntries({
      ...about,
      map: 'new',
      shape: shapeOfMap(desired.spec, map),
      last: undefined,
      maxEntries,
    });
  using opened = BpfMap.fromPin(pin);
  const last = lastEntries(store, recorded, map, opened, note);
  return mergeEntries({ ...about, map: opened, last });
}

/** What was declared before; undefined where it was declared for a map of another form. */
function lastEntries(
  store: StateStore,
  recorded: Generation | undefined,
  map: string,
  { info }: BpfMap,
  note: (text: string) => void,
): DeclaredEntries | undefined {
  const file = recorded?.entries[map]?.file;
  if (file === undefined) return undefined;
  try {
    const last = new EntriesStore(store.directory).read(file);
    if (last.type === info.type && last.keySize === info.keySize && last.valueSize === info.valueSize)
      return last;
    note(
      `the entries that were declared for '${map}' before had another form: those no longer declared stay`,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof NetkitError) || !['bad-state', 'not-found'].includes(error.code)) throw error;
    note(`${error.message}: entries that are no longer declared stay`);
    return undefined;
  }
}

/** Maps that are to begin anew with an upgrade. */
export function fresh({ maps, spec, choices }: DesiredFunction, state: FunctionState | undefined): string[] {
  const reused = Object.keys(state?.options.reuse ?? {});
  return spec.maps
    .map(({ name }) => name)
    .filter(
      (name) =>
        maps.get(name)?.keep === false ||
        // What was somebody else's map is to be one of its own.
        (reused.includes(name) && choices.reuse[name] === undefined),
    );
}
