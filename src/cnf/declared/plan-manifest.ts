/** What is to be done so that everything is as a manifest says: its functions and chains, and those that it no longer has. */
import { resolve } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import type { Problem as PlacedProblem } from '../../base/problem-line.js';
import type { ChainState } from '../chain-state.js';
import type { FunctionKind } from '../function-kind.js';
import { manifestError } from '../manifest/problems.js';
import type { Manifest, ReadDocument } from '../manifest/read.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import { chainPlaces, type DesiredChain, memberNames, refuseShared } from './chains.js';
import { refuseTakenChain, refuseTakenFunction } from './claims.js';
import { type DeclaredSource, type DesiredFunction, desire, desireFunction } from './desired.js';
import type { DesiredPlace } from './desired-places.js';
import { type FieldChange, fieldChanges, toJson } from './field-changes.js';
import { type FunctionPlan, planFunction } from './plan-function.js';
import type { Planning } from './planning.js';
import { Problems } from './problems.js';
import { documentOf, objectOfGeneration } from './recorded.js';
import { damagedChains, recordedChain, refuseDamaged } from './recorded-chains.js';

/** Functions and chains as they are to be, with where each was read. */
export interface Desires {
  readonly functions: readonly Desire<DesiredFunction>[];
  readonly chains: readonly Desire<DesiredChain>[];
  /** Manifests that were read, by their absolute paths; null for standard input. */
  readonly manifests: readonly (string | null)[];
  /** The change that recorded what was known of each function when its document was read. */
  readonly basedOn?: ReadonlyMap<string, string | undefined>;
  /** Reads the documents once more. */
  readonly again?: () => Promise<Desires>;
}

export interface Desire<T> {
  readonly desired: T;
  /** The generation that comes back; undefined where it is no rollback. */
  readonly from?: number | undefined;
  /** Undefined for what was recorded, and is no document of the manifest. */
  readonly read: ReadDocument | undefined;
  readonly problems: Problems;
}

export interface ChainPlan {
  readonly name: string;
  readonly before: ChainState | undefined;
  /** Undefined when it goes. */
  readonly desired: DesiredChain | undefined;
  readonly changes: readonly FieldChange[];
}

export interface ManifestPlan {
  readonly functions: readonly FunctionPlan[];
  readonly chains: readonly ChainPlan[];
  /** Functions that go: they were applied from the same manifest, which has them no more. */
  readonly removed: readonly string[];
  /** As `removed`, where they are not to go. */
  readonly left: readonly string[];
}

/** Reads, compiles and checks what the documents say, before anything is locked. @throws NetkitError `bad-manifest`, `compile-failed`, … */
export async function desireManifest(
  manifest: Manifest,
  store: StateStore,
  kinds: readonly FunctionKind[],
  signal: AbortSignal | undefined,
): Promise<Desires> {
  const functions: Desire<DesiredFunction>[] = [];
  const chains: Desire<DesiredChain>[] = [];
  const found: PlacedProblem[] = [];
  const basedOn = new Map<string, string | undefined>();
  for (const read of manifest.documents) {
    const { document, folder } = read;
    const problems = new Problems();
    const at = read.file === null ? null : resolve(read.file);
    if (document.kind === 'Chain') {
      const { name } = document.metadata;
      chains.push({ desired: { name, document, manifest: at, problems }, read, problems });
      continue;
    }
    const state = store.peek(document.metadata.name);
    const recorded = state?.declared?.present;
    basedOn.set(document.metadata.name, state?.change);
    const source: DeclaredSource = { document, manifest: at, folder };
    const desired = await desireFunction(source, { store, recorded, kinds, signal }, problems);
    if (desired !== undefined) functions.push({ desired, read, problems });
    found.push(...problems.placed(read));
  }
  if (found.length > 0) throw manifestError(found);
  const manifests = manifest.files.map(({ path }) => (path === null ? null : resolve(path)));
  const again = (): Promise<Desires> => desireManifest(manifest, store, kinds, signal);
  return { functions, chains, manifests, basedOn, again };
}

/** Manifests are read before the lock is held: what was recorded then may have been taken back or changed since. */
async function upToDate(desires: Desires, store: StateStore): Promise<Desires> {
  const { basedOn = new Map(), again } = desires;
  const isSame = [...basedOn].every(([name, change]) => store.peek(name)?.change === change);
  return isSame || again === undefined ? desires : again();
}

/** Names of functions and chains that are to go. */
export interface Leaving {
  readonly functions: readonly string[];
  readonly chains: readonly string[];
}

export interface PlanOptions {
  /** Whether what the manifest no longer has is to go. */
  readonly prune?: boolean;
  /** What is to go whatever the manifests say. */
  readonly leaving?: Leaving;
  /** Interfaces that are missing are waited for, whatever the manifests say. */
  readonly waits?: boolean;
  /** Whether it takes over what another manifest declares, or somebody loaded by hand. */
  readonly takeOver?: boolean;
  readonly kinds: readonly FunctionKind[];
}

/** Compares with what is recorded and what is in the kernel. @throws NetkitError `bad-manifest`, `not-found`, `conflict` */
export async function planManifest(
  planning: Planning,
  asRead: Desires,
  options: PlanOptions,
): Promise<ManifestPlan> {
  const { store } = planning;
  const desires = await upToDate(asRead, store);
  const states = new Map(store.names().flatMap((name) => entryOf(name, store.peek(name))));
  const orphans = noLongerDeclared(desires, states, store);
  const leaving = options.leaving ?? (options.prune === true ? orphans : nothingLeaves);
  const takeOver = options.takeOver === true;
  for (const { desired } of desires.functions)
    await refuseTakenFunction(desired, states.get(desired.name), store, takeOver);
  for (const { desired } of desires.chains)
    await refuseTakenChain(desired, states.get(desired.name), store, takeOver);
  const chains = allChains(desires, store, leaving);
  refuseDamaged(desires, states, store, leaving);
  refuseMembersLeaving(leaving, chains);
  const functions = await withMembers(desires, chains, leaving, states, planning, options);
  // Those that stay first: what is wrong is wrong in the manifest.
  const byAge = chains.toSorted(
    (one, other) => Number(one.read !== undefined) - Number(other.read !== undefined),
  );
  refuseShared(byAge.map(({ desired }) => desired));
  const byName = new Map(functions.map(({ desired }) => [desired.name, desired]));
  const places = new Map<string, DesiredPlace[]>();
  for (const { desired, read } of chains) {
    for (const [member, place] of chainPlaces(desired, byName, states, read === undefined))
      places.set(member, [...(places.get(member) ?? []), place]);
  }
  const plans: FunctionPlan[] = [];
  for (const { desired, problems, from } of functions) {
    const all = [...desired.places, ...(places.get(desired.name) ?? [])];
    plans.push(
      await planFunction({ ...planning, waits: options.waits === true }, desired, all, problems, from),
    );
  }
  refuseProblems([...functions, ...chains]);
  return {
    functions: plans,
    chains: chainPlans(desires, store, leaving),
    removed: leaving.functions,
    left: leaving === orphans ? [] : [...orphans.functions, ...orphans.chains],
  };
}

function entryOf<T>(name: string, value: T | undefined): [string, T][] {
  return value === undefined ? [] : [[name, value]];
}

function refuseProblems(desires: readonly Desire<unknown>[]): void {
  const placed = desires.flatMap(({ read, problems }) => problems.placed(read));
  if (placed.length === 0) return;
  const isAbsent = desires.every(({ problems }) => problems.found.every(({ absent }) => absent === true));
  const error = manifestError(placed);
  if (!isAbsent) throw error;
  const hint = desires.flatMap(({ problems }) => problems.found)[0]?.hint;
  throw new NetkitError('not-found', error.message, { hint, details: error.details });
}

/** What was applied from the same manifests, and is not in them any more. */
export function orphansOf(desires: Desires, store: StateStore): Leaving {
  const states = new Map(store.names().flatMap((name) => entryOf(name, store.peek(name))));
  return noLongerDeclared(desires, states, store);
}

function noLongerDeclared(
  { manifests, functions, chains }: Desires,
  states: ReadonlyMap<string, FunctionState>,
  store: StateStore,
): Leaving {
  const names = new Set([...functions, ...chains].map(({ desired }) => desired.name));
  const own = new Set(manifests.filter((path) => path !== null));
  const gone = [...states.values()].filter(
    ({ name, declared }) => declared?.manifest != null && own.has(declared.manifest) && !names.has(name),
  );
  const damaged = damagedChains(store);
  const goneChains = store.chainNames().filter((name) => {
    const manifest = names.has(name) || damaged.has(name) ? null : store.readChain(name)?.manifest;
    return manifest != null && own.has(manifest);
  });
  return { functions: gone.map(({ name }) => name), chains: goneChains };
}

const nothingLeaves: Leaving = { functions: [], chains: [] };

/** A chain whose member goes has to be told, or to go too. */
function refuseMembersLeaving(leaving: Leaving, chains: readonly Desire<DesiredChain>[]): void {
  for (const { desired } of chains) {
    const member = memberNames(desired.document).find((name) => leaving.functions.includes(name));
    if (member === undefined) continue;
    throw new NetkitError('conflict', `'${member}' is a member of the chain '${desired.name}'`, {
      hint: `apply the chain without it, or delete '${desired.name}' too`,
      details: { function: member, chain: desired.name },
    });
  }
}

/** Those of the manifest, and those that are recorded and stay. */
function allChains(desires: Desires, store: StateStore, leaving: Leaving): Desire<DesiredChain>[] {
  const names = new Set([...desires.functions, ...desires.chains].map(({ desired }) => desired.name));
  const damaged = damagedChains(store);
  const recorded = store.chainNames().flatMap((name) => {
    const stays = !names.has(name) && !leaving.chains.includes(name) && !damaged.has(name);
    const chain = stays ? store.readChain(name) : undefined;
    return chain === undefined ? [] : [recordedChain(chain)];
  });
  return [...desires.chains, ...recorded];
}

/** The functions of the manifest, and those recorded that are, or were, members of chains that change. */
async function withMembers(
  desires: Desires,
  chains: readonly Desire<DesiredChain>[],
  leaving: Leaving,
  states: ReadonlyMap<string, FunctionState>,
  { store, signal }: Planning,
  { kinds }: PlanOptions,
): Promise<Desire<DesiredFunction>[]> {
  const named = new Set(desires.functions.map(({ desired }) => desired.name));
  const changing = new Set(desires.chains.map(({ desired }) => desired.name));
  const staying = new Set(
    [...chains.map(({ desired }) => desired.name), ...damagedChains(store).keys()].filter(
      (name) => !leaving.chains.includes(name),
    ),
  );
  const members = new Set(
    chains.flatMap(({ desired }) => (changing.has(desired.name) ? memberNames(desired.document) : [])),
  );
  for (const { name, declared } of states.values()) {
    const isMember = declared?.links.some(
      ({ chain }) => chain !== null && (changing.has(chain) || !staying.has(chain)),
    );
    if (isMember === true) members.add(name);
  }
  // Of a chain that stays the others stay too: their places in it are recorded.
  const recorded: Desire<DesiredFunction>[] = [];
  for (const name of members) {
    const state = named.has(name) || leaving.functions.includes(name) ? undefined : states.get(name);
    if (state?.declared !== undefined) recorded.push(await recordedFunction(state, { store, kinds, signal }));
  }
  return [...desires.functions, ...recorded];
}

/** A function as it was declared last. @throws NetkitError `bad-state` */
export async function recordedFunction(
  state: FunctionState,
  around: {
    readonly store: StateStore;
    readonly kinds: readonly FunctionKind[];
    readonly signal: AbortSignal | undefined;
  },
  generation = state.declared?.present,
): Promise<Desire<DesiredFunction>> {
  if (generation === undefined) throw new TypeError(`'${state.name}' is not declared`);
  const problems = new Problems();
  const document = documentOf(state.name, generation);
  const source = { document, manifest: state.declared?.manifest ?? null, folder: generation.folder };
  const object = objectOfGeneration(generation, around.store);
  const desired = await desire(
    source,
    object,
    { ...around, recorded: generation, isRecorded: true },
    problems,
  );
  return { desired, read: undefined, problems };
}

function chainPlans(desires: Desires, store: StateStore, leaving: Leaving): ChainPlan[] {
  const declared = desires.chains.map(({ desired }): ChainPlan => {
    const before = store.readChain(desired.name);
    const changes =
      before === undefined ? [] : fieldChanges(toJson(before.document), toJson(desired.document));
    return { name: desired.name, before, desired, changes };
  });
  const gone = leaving.chains.map((name): ChainPlan => {
    return { name, before: store.readChain(name), desired: undefined, changes: [] };
  });
  return [...declared, ...gone];
}
