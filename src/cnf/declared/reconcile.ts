/** Bringing the kernel to what was applied last, function by function: one that cannot come back does not keep the others. */
import { NetkitError } from '../../base/errors.js';
import { bootId } from '../../host/kernel.js';
import { change, type EnvironmentOptions, recoverFirst } from '../environment.js';
import type { FunctionKind } from '../function-kind.js';
import { awaitsRestore, planRestore } from '../restore-function.js';
import type { FunctionState } from '../state.js';
import { StateStore } from '../store.js';
import { applyPlan, foresee, type Planner } from './apply-manifest.js';
import { memberNames } from './chains.js';
import type { Appeared } from './links.js';
import { desireRecorded } from './named.js';
import type { FunctionPlan } from './plan-function.js';
import { type ManifestPlan, planManifest } from './plan-manifest.js';
import { damagedChains, recordedChain } from './recorded-chains.js';
import { missingPins, repin } from './repin.js';

export interface ReconcileRequest extends EnvironmentOptions {
  readonly kinds: readonly FunctionKind[];
  /** Only what is missing because its interface was not there; what somebody took off stays off. False for everything. */
  readonly onlyAppeared: Appeared | false;
  /** Attach anew what cannot be changed in place. */
  readonly allowGap: boolean;
}

/** What is not as it was declared. */
export interface Lack {
  /** The function or chain. */
  readonly function: string;
  readonly error: NetkitError;
}

export interface Reconciled {
  readonly functions: readonly FunctionPlan[];
  /** Functions loaded with `--persist` that were brought back. */
  readonly restored: readonly string[];
  readonly problems: readonly Lack[];
}

/** More than there will ever be in /var/lib/netkit: a function keeps as many generations as it has. */
const everyGeneration = 1000;

/** @param names functions, and chains for their members; all when empty @throws NetkitError `not-found`, `locked`, `interrupted` */
export async function reconcile(request: ReconcileRequest, names: readonly string[]): Promise<Reconciled> {
  await recoverFirst(request);
  const store = new StateStore(request.stateDir);
  const done: Done = { plans: new Map(), restored: [], lacks: [] };
  let failed = new Map<string, NetkitError>();
  // One function may use a map of another: what failed is tried again while others come back.
  for (let left = wanted(store, names), before = -1; left.length > 0 && left.length !== before; ) {
    before = left.length;
    failed = new Map();
    for (const name of left) {
      const error = await reconcileOne(request, store, name, done);
      if (error !== undefined) failed.set(name, error);
    }
    left = [...failed.keys()];
  }
  const chains = names.length > 0 ? [] : [...damagedChains(store)];
  const problems = [...failed].map(([name, error]): Lack => ({ function: name, error }));
  return {
    functions: [...done.plans.values()],
    restored: done.restored,
    problems: [...problems, ...done.lacks, ...chains.map(([name, error]) => ({ function: name, error }))],
  };
}

function wanted(store: StateStore, names: readonly string[]): readonly string[] {
  const known = store.names();
  const meant = names.flatMap((name) => {
    if (known.includes(name)) return [name];
    const chain = store.readChain(name);
    if (chain !== undefined) return memberNames(recordedChain(chain).desired.document);
    throw new NetkitError('not-found', `nothing is recorded of a function '${name}'`);
  });
  return names.length > 0 ? [...new Set(meant)] : known;
}

interface Done {
  readonly plans: Map<string, FunctionPlan>;
  readonly restored: string[];
  /** Of functions that came back without something. */
  readonly lacks: Lack[];
}

/** @returns what kept the function from being as it was declared. @throws NetkitError `locked`, `interrupted` */
async function reconcileOne(
  request: ReconcileRequest,
  store: StateStore,
  name: string,
  { plans, restored, lacks }: Done,
): Promise<NetkitError | undefined> {
  try {
    const state = store.read(name);
    if (state?.declared !== undefined) {
      const found: Lack[] = [];
      if (request.onlyAppeared === false && (await pinsAgain(request, state)) && request.dryRun === true)
        return undefined;
      for (const plan of (await reconcileDeclared(request, store, name, found)).functions)
        plans.set(plan.name, plan);
      lacks.push(...found);
    } else if (state !== undefined && awaitsRestore(state, bootId()) && restoresOthers(request)) {
      const outcome = await change(request, (world) => {
        // Under the lock, it may have been brought back meanwhile.
        const present = world.store.read(name);
        const waits = present !== undefined && awaitsRestore(present, world.bootId);
        return waits ? planRestore(world, present) : undefined;
      });
      if (outcome.actions.length > 0) restored.push(name);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code === 'interrupted' || error.code === 'locked')
      throw error;
    return error;
  }
}

/** @returns whether pins are missing, which without `dryRun` are there again */
async function pinsAgain(request: ReconcileRequest, state: FunctionState): Promise<boolean> {
  const missing = missingPins(state);
  if (missing.length === 0) return false;
  const pinned = request.dryRun === true ? missing : await repin(request, state.name);
  for (const { kind, name } of pinned) {
    const what = kind === 'maps' ? 'map' : 'program';
    // Whether anything holds it still is seen by pinning it.
    const done = request.dryRun === true ? 'is to be' : 'is';
    request.note(`the pin of ${state.name}/${name} had been removed: the ${what} ${done} pinned again`);
  }
  return true;
}

function restoresOthers({ onlyAppeared }: ReconcileRequest): boolean {
  return onlyAppeared === false || onlyAppeared.retries;
}

async function reconcileDeclared(
  request: ReconcileRequest,
  store: StateStore,
  name: string,
  lacks: Lack[],
): Promise<ManifestPlan> {
  const { kinds, onlyAppeared, signal } = request;
  // What is recorded is read under the lock: what nobody confirmed before a reboot has been taken back by then, and what
  // somebody applies meanwhile is not to be undone.
  const planner: Planner = async (planning) => {
    if (store.read(name)?.declared === undefined) return nothing;
    const desires = await desireRecorded([name], { store, kinds, signal });
    return planManifest({ ...planning, onlyAppeared }, desires, { kinds, waits: true, takeOver: true });
  };
  // Most often nothing is to be done: then nothing is locked.
  const foreseen = await foresee(request, planner);
  if (request.dryRun === true || foreseen.functions.every(({ steps }) => steps.length === 0)) return foreseen;
  const { plan } = await applyPlan(
    {
      ...request,
      keep: everyGeneration,
      restores: true,
      onLack: (lacking, error) => lacks.push({ function: lacking, error }),
    },
    planner,
  );
  return plan;
}

const nothing: ManifestPlan = { functions: [], chains: [], removed: [], left: [] };
