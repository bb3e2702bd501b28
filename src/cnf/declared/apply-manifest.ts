/** Making everything as a manifest says: planned under the lock, made as a whole, and kept when it turns out healthy. */
import { NetkitError } from '../../base/errors.js';
import { bootId } from '../../host/kernel.js';
import { visibleBpffs } from '../../host/mounts.js';
import { ownIdentity } from '../../host/process-identity.js';
import { type EnvironmentOptions, lockStore, stageOf } from '../environment.js';
import type { PendingChange } from '../pending/record.js';
import { deadlineIn, readPending, removePending, writePending } from '../pending/record.js';
import { keep, takeBack } from '../pending/returning.js';
import { startWatcher } from '../pending/watcher.js';
import { ChangeSession } from '../session.js';
import { StateStore } from '../store.js';
import { Applying, type ApplyOptions, type Upgrade } from './applying.js';
import { type HealthReport, HealthWatch } from './health.js';
import { obstaclesOf } from './occupied.js';
import type { FunctionPlan } from './plan-function.js';
import type { ManifestPlan } from './plan-manifest.js';
import type { Planning } from './planning.js';

/** What a change is planned by, under the lock. */
export type Planner = (planning: Planning) => Promise<ManifestPlan>;

export interface ApplyRequest extends Omit<ApplyOptions, 'keep'> {
  /** How many generations are kept, the one that runs included; as many as there are when left out. */
  readonly keep?: number | undefined;
  /** It brings back what was there: whoever comes to confirm what was taken back is still to be told. */
  readonly restores?: boolean;
  /** Whether new generations are watched where the manifest says so; they are when left out. */
  readonly watchesHealth?: boolean;
  /** How long new generations are watched, in place of what manifests say, in milliseconds. */
  readonly settleMs?: number | undefined;
  /** Does the work of watching, and shows meanwhile that it is done. */
  readonly whileSettling?: <T>(watches: readonly HealthWatch[], work: () => Promise<T>) => Promise<T>;
}

export interface Applied {
  readonly plan: ManifestPlan;
  readonly upgrades: readonly Upgrade[];
  readonly health: readonly HealthReport[];
  /** When it is taken back unless it is confirmed, ISO 8601. */
  readonly returnsAt: string | undefined;
  /** The function by which it is confirmed. */
  readonly confirmedBy: string | undefined;
}

/** More than a process needs that is to confirm the change: when it is gone, nobody waits so long. */
const confirmWithinMs = 30_000;

/** What would be done, with a note of what stands in its way. Nothing is locked or written. */
export async function foresee(options: EnvironmentOptions, planner: Planner): Promise<ManifestPlan> {
  const planning = planningOf(options, new StateStore(options.stateDir), visibleBpffs(options.bpffs));
  const plan = await planner(planning);
  for (const obstacle of obstaclesOf(plan, planning)) planning.note(obstacle);
  return plan;
}

/**
 * Plans and performs, all or nothing. Where health is watched, the lock is free meanwhile.
 * @throws NetkitError of the step that failed; `failed` with details when it was not healthy: everything is as before then
 */
export async function applyPlan(request: ApplyRequest, planner: Planner): Promise<Applied> {
  const store = new StateStore(request.stateDir);
  const started = await perform(request, store, planner);
  const { watches, waiting, plan, upgrades } = started;
  const confirmedBy = waiting?.plan.function;
  if (waiting === undefined) return { plan, upgrades, health: [], returnsAt: undefined, confirmedBy };
  if (watches.length === 0)
    return { plan, upgrades, health: [], returnsAt: waiting.deadline.at, confirmedBy };
  let health: HealthReport[];
  try {
    const where = { store, bpffs: visibleBpffs(request.bpffs) };
    const watchAll = (): Promise<HealthReport[]> =>
      Promise.all(watches.map((watch) => watch.watch(where, request.signal)));
    health = await (request.whileSettling?.(watches, watchAll) ?? watchAll());
  } catch (error) {
    await settle(request, store, waiting, 'health');
    throw error;
  }
  const sick = health.find(({ healthy }) => !healthy);
  if (sick === undefined) {
    const returnsAt = await settle(request, store, waiting, undefined);
    return { plan, upgrades, health, returnsAt, confirmedBy };
  }
  await settle(request, store, waiting, 'health');
  throw new NetkitError(
    'unhealthy',
    `${sick.function} is not healthy: ${sick.about}; everything is as it was before`,
    {
      details: { health },
    },
  );
}

interface Started {
  readonly plan: ManifestPlan;
  readonly upgrades: readonly Upgrade[];
  readonly watches: readonly HealthWatch[];
  readonly waiting: PendingChange | undefined;
}

async function perform(request: ApplyRequest, store: StateStore, planner: Planner): Promise<Started> {
  using session = new ChangeSession({ ...request, atomic: true });
  await session.enter();
  const { transaction } = session;
  if (transaction === undefined) throw new TypeError('a session without a transaction');
  try {
    const planning = planningOf(request, store, visibleBpffs(request.bpffs));
    const plan = await planner(planning);
    const active = plan.functions.filter(({ steps }) => steps.length > 0);
    const watches = request.watchesHealth === false ? [] : watchesOf(active, request.settleMs);
    const name = active[0]?.name ?? plan.removed[0];
    const forMs = request.confirmWithinMs;
    const waits = name !== undefined && (watches.length > 0 || forMs !== undefined);
    const watched = { stateDir: store.directory, function: name ?? '', change: transaction.change };
    using _watcher = waits ? await startWatcher({ ...watched, bpffs: planning.bpffs }, request) : undefined;
    using applying = new Applying(
      {
        ...request,
        keep: request.keep ?? keptOf(active),
        beforeSwap: (plans) => {
          request.beforeSwap?.(plans);
          for (const watch of watches) watch.begin(planning.bpffs);
        },
      },
      store,
      transaction,
    );
    await applying.apply(plan.functions, plan.chains, plan.removed);
    if (!waits) {
      session.commit();
      session.finish();
      const changed = request.restores === true ? [] : active.map((each) => each.name);
      for (const each of [...changed, ...plan.removed]) removePending(store, each);
      return { plan, upgrades: applying.upgrades, watches, waiting: undefined };
    }
    const settling = watches.length === 0 ? null : { ...ownIdentity(), about: 'health' };
    const longest = Math.max(0, ...watches.map(({ longestMs }) => longestMs));
    transaction.await(name, settling === null ? (forMs ?? 0) : longest + confirmWithinMs, settling);
    return { plan, upgrades: applying.upgrades, watches, waiting: readPending(store, name) };
  } catch (error) {
    session.rollback(error);
    throw error;
  }
}

const fewestKept = 2;

function keptOf(plans: readonly FunctionPlan[]): number {
  const kept = plans.map(({ state }) => 1 + (state?.declared?.former.length ?? 0));
  return Math.max(fewestKept, ...kept);
}

/** Those of functions whose programs are new. */
function watchesOf(plans: readonly FunctionPlan[], settleMs: number | undefined): HealthWatch[] {
  const replaced = plans.filter(({ verb }) => verb === 'upgrade' || verb === 'create');
  return replaced
    .filter(({ desired }) => settleMs !== undefined || desired.document.spec.health !== undefined)
    .map((plan) => new HealthWatch(plan, settleMs));
}

/**
 * Keeps what was watched, or takes it back.
 * @returns when it is taken back unless somebody confirms it
 * @throws NetkitError `conflict` when it is to be kept, and was taken back meanwhile
 */
async function settle(
  request: ApplyRequest,
  store: StateStore,
  { plan: { function: name, change } }: PendingChange,
  reason: 'health' | undefined,
): Promise<string | undefined> {
  using _lock = await lockStore({ ...request, session: undefined, signal: undefined }, store);
  const pending = readPending(store, name);
  // Somebody confirmed it by hand.
  if (pending?.plan.change !== change || pending.stage === 'confirmed') return undefined;
  if (pending.stage === 'returned') {
    removePending(store, name);
    if (reason === undefined) throw takenBack(pending);
    return undefined;
  }
  const stage = stageOf(request, store);
  if (reason !== undefined) {
    takeBack(pending, { ...stage, note: () => undefined }, reason);
    // Whoever waits for this command is told by it.
    removePending(store, name);
    return undefined;
  }
  if (request.confirmWithinMs === undefined) {
    keep(pending, stage);
    return undefined;
  }
  const deadline = deadlineIn(request.confirmWithinMs);
  writePending(store, { ...pending, settling: null, deadline });
  return deadline.at;
}

/** The machine slept, or stood still, until nobody could tell any more that it was being watched. */
function takenBack({ plan, returnedAt }: PendingChange): NetkitError {
  return new NetkitError(
    'conflict',
    `'${plan.command}' was taken back before it was known whether all is well: everything is as it was before`,
    { hint: 'do it again', details: { function: plan.function, returnedAt } },
  );
}

function planningOf(options: EnvironmentOptions, store: StateStore, bpffs: string): Planning {
  return { bpffs, bootId: bootId(), store, signal: options.signal, note: (text) => options.note(text) };
}
