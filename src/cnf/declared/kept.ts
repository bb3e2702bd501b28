/** Contents of maps that are kept for after a reboot: saved now and then, and put back when their function comes back. */
import { existsSync, renameSync, statSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { BpfMap } from '../../ebpf/map.js';
import { exists } from '../../host/folders.js';
import { bootId } from '../../host/kernel.js';
import { listedMapName } from '../../obj/maps.js';
import {
  checkSnapshot,
  restoreSnapshot,
  type StagedSnapshot,
  stageSnapshot,
} from '../entries/map-snapshot.js';
import { clearLeftovers, type EnvironmentOptions, lockStore } from '../environment.js';
import { functionFolder, pinPath } from '../layout.js';
import type { FunctionState } from '../state.js';
import { StateStore } from '../store.js';
import type { ApplyOptions } from './applying.js';
import { pinnedAs } from './plan-entries.js';
import type { FunctionPlan } from './plan-function.js';
import { documentOf } from './recorded.js';

export interface SavedMap {
  readonly function: string;
  readonly map: string;
  readonly entries: number;
  readonly bytes: number;
}

/** The maps of a function whose contents are to be kept. Those of others that it uses are kept with the others. */
export function keptMaps({ name, declared }: FunctionState): string[] {
  if (declared === undefined) return [];
  const { spec } = documentOf(name, declared.present);
  return Object.entries(spec.maps ?? {}).flatMap(([name, { keep, reuse }]) =>
    keep === true && reuse === undefined ? [name] : [],
  );
}

/** As often as the function changes while its maps are read. */
const mostAttempts = 5;

/**
 * Saves the contents of a function's maps that are to be kept. They are read without the lock, and take the place of what was
 * saved before under it, unless the function has changed meanwhile: while it is brought back, its maps are still empty.
 * @throws NetkitError `bad-state`, `locked`, `interrupted`, `failed` when the disk is full
 */
export async function saveMaps(options: EnvironmentOptions, name: string): Promise<SavedMap[]> {
  const store = new StateStore(options.stateDir);
  for (let attempt = 1; ; attempt++) {
    // The last attempt keeps others out.
    const saved = await saveOnce(options, store, name, attempt === mostAttempts);
    if (saved !== undefined) return saved;
  }
}

/** Undefined when the function has changed meanwhile. */
async function saveOnce(
  options: EnvironmentOptions,
  store: StateStore,
  name: string,
  isLast: boolean,
): Promise<SavedMap[] | undefined> {
  using scope = new Scope();
  if (isLast) scope.use(await locked(options, store));
  const state = store.read(name);
  // What has not come back since a reboot has nothing that could be newer.
  if (state === undefined || state.bootId !== bootId()) return [];
  const maps = keptMaps(state);
  if (maps.length === 0) return [];
  const staged = await stageMaps(store, state, maps, scope, options.signal);
  using _lock = isLast ? undefined : await locked(options, store);
  if (store.read(name)?.change !== state.change) return undefined;
  const saved: SavedMap[] = [];
  for (const [map, snapshot] of staged) {
    await snapshot.commit();
    saved.push({ function: name, map, entries: snapshot.entries, bytes: snapshot.bytes });
  }
  return saved;
}

/** The lock, with what killed commands left cleared: a half-done change may look like a whole one. */
async function locked(options: EnvironmentOptions, store: StateStore): Promise<Disposable> {
  const lock = await lockStore({ ...options, session: undefined }, store);
  if (lock === undefined) throw new TypeError('no lock outside of a session');
  try {
    clearLeftovers(options, store);
    return lock;
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

async function stageMaps(
  store: StateStore,
  state: FunctionState,
  maps: readonly string[],
  scope: Scope,
  signal: AbortSignal | undefined,
): Promise<Map<string, StagedSnapshot>> {
  const staged = new Map<string, StagedSnapshot>();
  for (const map of maps) {
    // Those of global variables have other names in the kernel.
    const isNamed = state.maps.some(({ name }) => name === map);
    const listed = isNamed ? map : listedMapName({ name: map, kind: 'data' }, state.name);
    const pin = pinPath(functionFolder(state.bpffs, state.name), 'maps', listed);
    if (exists(pin)) staged.set(map, scope.use(await stageMap(store.keptPath(state.name, map), pin, signal)));
  }
  return staged;
}

async function stageMap(path: string, pin: string, signal: AbortSignal | undefined): Promise<StagedSnapshot> {
  using opened = BpfMap.fromPin(pin);
  return await stageSnapshot(opened, path, { signal });
}

/**
 * Puts saved contents into the maps of a function that was loaded anew. Where they are damaged, or fit the map no more, the
 * function does without them: they are put aside, so that nothing that is saved later takes their place.
 * @throws NetkitError `failed`, `not-permitted`, `interrupted`, and `conflict` when there are more than the map takes
 */
export async function restoreContents(
  { desired, state }: FunctionPlan,
  bpffs: string,
  store: StateStore,
  options: Pick<ApplyOptions, 'note' | 'onLack' | 'signal'>,
): Promise<void> {
  const { name } = desired;
  if (state?.declared === undefined) return;
  for (const map of keptMaps(state)) {
    const path = store.keptPath(name, map);
    const pin = pinPath(functionFolder(bpffs, name), 'maps', pinnedAs(desired, map));
    if (!existsSync(path) || !exists(pin)) continue;
    const restored = await restoreMap(path, pin, `${name}/${map}`, options.signal);
    if (typeof restored === 'number') {
      const entries = restored === 1 ? '1 entry' : `${restored} entries`;
      options.note(`the contents of ${name}/${map} are back: ${entries}`);
      continue;
    }
    const lack = putAside(store, name, map, restored);
    if (options.onLack === undefined) options.note(lack.message);
    else options.onLack(name, lack);
  }
}

/** @returns how many entries, or why they cannot be taken: nothing has been written then */
async function restoreMap(
  path: string,
  pin: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<number | NetkitError> {
  using map = BpfMap.fromPin(pin);
  try {
    await checkSnapshot(map, path, { name, signal });
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'bad-value' || error.code === 'conflict'))
      return error;
    throw error;
  }
  const { entries } = await restoreSnapshot(map, path, { name, signal });
  return entries;
}

function putAside(store: StateStore, name: string, map: string, error: NetkitError): NetkitError {
  const aside = store.keptPath(name, `${map}~damaged`);
  renameSync(store.keptPath(name, map), aside);
  return new NetkitError(
    'bad-state',
    `what was saved of ${name}/${map} cannot be put back: ${error.message}; it was put aside as ${aside}`,
    { hint: `'netkit map import ${name}/${map}' may read a part of it`, cause: error },
  );
}

/** When the contents of a map were saved last; undefined when they never were. */
export function savedAt(store: StateStore, name: string, map: string): Date | undefined {
  const path = store.keptPath(name, map);
  return existsSync(path) ? statSync(path).mtime : undefined;
}
