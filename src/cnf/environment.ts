/** Where netkit works, and how a change is made there: lock, recovery, plan, execution. */
import { NetkitError } from '../base/errors.js';
import { Scope } from '../base/scope.js';
import type { LoadTarget } from '../ebpf/load.js';
import type { BpfMap } from '../ebpf/map.js';
import { bootId, newUuid } from '../host/kernel.js';
import { acquireLock, type LockOptions } from '../host/lock.js';
import { mountedBpffs, visibleBpffs } from '../host/mounts.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { Action, Plan } from './action.js';
import { execute, pendingRecovery, type Recovery, recover } from './execute.js';
import type { LinkState } from './link-state.js';
import { awaiting, refuseBeside } from './pending/planning.js';
import { readablePending, readPending, removePending } from './pending/record.js';
import { overdue, type Settled, settlePending } from './pending/returning.js';
import { startWatcher } from './pending/watcher.js';
import type { DeclaredWork, Stage, SuccessionWork } from './perform.js';
import type { ChangeSession } from './session.js';
import { StateStore } from './store.js';
import { pendingBatch, recoverBatch, recoverWithout } from './transaction.js';

export interface EnvironmentOptions {
  /** A directory on a mounted bpffs; /sys/fs/bpf when left out. */
  readonly bpffs?: string | undefined;
  readonly stateDir: string;
  readonly lockTimeoutMs: number;
  /** The command line, for others who wait and for messages. */
  readonly command: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Goes on when what a killed command left cannot be undone: for what can work from the pins alone. */
  readonly despiteJournal?: boolean;
  /** Has the change taken back when nobody confirms it within so many milliseconds. */
  readonly confirmWithinMs?: number | undefined;
  /** Holds the lock for several changes, and may make them all or none. */
  readonly session?: ChangeSession | undefined;
  /** Gets what is worth knowing and no error; with the name of the link that it is about, if it is about one. */
  note(text: string, link?: string): void;
}

/** What a planner sees: the world as it stands, under the lock. */
export interface World {
  readonly bpffs: string;
  readonly store: StateStore;
  readonly bootId: string;
  /** Identifies the change that is being planned. */
  readonly change: string;
  /** Owns what a planner opens until the change is done. */
  readonly scope: Scope;
  note(text: string, link?: string): void;
}

/** What a planner gives back. */
export interface Proposal {
  readonly function: string;
  readonly actions: readonly Action[];
  readonly spec?: ObjectSpec;
  readonly reuse?: ReadonlyMap<string, BpfMap>;
  readonly targets?: ReadonlyMap<string, LoadTarget>;
  readonly succession?: SuccessionWork;
  readonly declared?: DeclaredWork;
  /** Brings back what a reboot took, and changes nothing. */
  readonly restores?: boolean;
}

export interface Outcome {
  /** What was done, or under `dryRun` would be. */
  readonly actions: readonly Action[];
  /** Links as they were really made, by name. */
  readonly made: ReadonlyMap<string, LinkState>;
  /** When it is taken back unless it is confirmed, ISO 8601; undefined when it is not, or nothing was done. */
  readonly returnsAt?: string | undefined;
}

/**
 * Makes one change: takes the lock, clears what a killed command left, plans, and performs all of it or nothing. With
 * `dryRun` nothing is locked, mounted or written.
 */
export async function change(
  options: EnvironmentOptions,
  planner: (world: World) => Proposal | undefined | Promise<Proposal | undefined>,
): Promise<Outcome> {
  const store = new StateStore(options.stateDir);
  using scope = new Scope();
  if (options.dryRun === true) {
    const proposal = await planner(worldOf(options, store, visibleBpffs(options.bpffs), scope));
    return foreseen(options, store, proposal);
  }
  const bpffs = mountedBpffs(options.bpffs);
  using _lock = await lockStore(options, store);
  const transaction = options.session?.transaction;
  // What an open transaction did is no leftover.
  const cleared = transaction === undefined ? clearLeftovers(options, store) : undefined;
  const world = worldOf(options, store, bpffs, scope);
  const proposal = await planner(world);
  if (proposal === undefined || proposal.actions.length === 0) return { actions: [], made: new Map() };
  const plan = planOf(options, world, proposal);
  refuseBeside(plan.actions, store, { goesByPins: options.despiteJournal === true, dryRun: false });
  noteProblems(options, cleared, plan.function);
  if (options.confirmWithinMs !== undefined)
    return await awaitedChange(options, options.confirmWithinMs, world, proposal);
  const stage = stageOf(options, store, proposal);
  // What could not be taken back is not to come back once the function is gone.
  if (options.despiteJournal === true) removePending(store, plan.function);
  if (transaction !== undefined) await transaction.perform(plan, stage, options.signal);
  else {
    await execute(plan, stage, options.signal);
    if (options.despiteJournal === true) recoverWithout(plan.function, stage);
  }
  // Who comes to confirm what the reboot took back is still to be told.
  if (proposal.restores !== true) removePending(store, plan.function);
  return { actions: plan.actions, made: stage.made };
}

/** Makes a change that is taken back unless it is confirmed. Who is to take it back is there before anything is done. */
async function awaitedChange(
  options: EnvironmentOptions,
  forMs: number,
  world: World,
  proposal: Proposal,
): Promise<Outcome> {
  if (options.session?.transaction !== undefined) {
    throw new NetkitError(
      'usage',
      'what is made as a whole cannot wait for a confirmation in one of its parts',
      {
        hint: 'leave --atomic or --confirm out',
      },
    );
  }
  const { store, bpffs, change } = world;
  const { plan, unconfirmed } = awaiting(planOf(options, world, proposal), forMs, store);
  using _watcher = await startWatcher(
    { stateDir: store.directory, bpffs, function: plan.function, change },
    options,
  );
  const stage = { ...stageOf(options, store, proposal), unconfirmed };
  await execute(plan, stage, options.signal);
  const returnsAt = readPending(store, plan.function)?.deadline.at;
  return { actions: plan.actions, made: stage.made, returnsAt };
}

/** What would be done. */
function foreseen(options: EnvironmentOptions, store: StateStore, proposal: Proposal | undefined): Outcome {
  const actions = proposal?.actions ?? [];
  if (proposal === undefined || actions.length === 0) return { actions, made: new Map() };
  refuseBeside(actions, store, { goesByPins: options.despiteJournal === true, dryRun: true });
  const forMs = options.confirmWithinMs;
  if (forMs === undefined) return { actions, made: new Map() };
  const { plan } = awaiting(planOf(options, { bootId: bootId(), change: '' }, proposal), forMs, store);
  return { actions: plan.actions, made: new Map() };
}

/** The plan of a proposal. */
export function planOf(
  options: EnvironmentOptions,
  { change: identity, bootId: boot }: Pick<World, 'change' | 'bootId'>,
  proposal: Proposal,
): Plan {
  return {
    change: identity,
    bootId: boot,
    command: options.command,
    startedAt: new Date().toISOString(),
    function: proposal.function,
    actions: proposal.actions,
  };
}

/** Clears what a killed command and the last boot left, under the lock; with `dryRun` only says what there is. */
export async function recoverLeft(options: EnvironmentOptions): Promise<Cleared> {
  const store = new StateStore(options.stateDir);
  if (options.dryRun === true) {
    return {
      recovery: pendingBatch(store) ?? pendingRecovery(store),
      settled: { returned: overdue(readablePending(store)), problems: [] },
    };
  }
  mountedBpffs(options.bpffs);
  using _lock = await lockStore(options, store);
  return clearLeftovers(options, store);
}

/**
 * {@link recoverLeft}, where anything is left: for commands that look whether there is something to do before they take the
 * lock. What a killed command left half done may look like all that is to be.
 */
export async function recoverFirst(options: EnvironmentOptions): Promise<void> {
  const store = new StateStore(options.stateDir);
  const waits = readablePending(store).filter(
    (each) => each.stage === 'confirmed' || overdue([each]).length > 0,
  );
  const isLeft =
    waits.length > 0 || pendingBatch(store) !== undefined || pendingRecovery(store) !== undefined;
  if (isLeft && options.dryRun !== true) noteProblems(options, await recoverLeft(options));
}

/** Undefined where a session holds the lock, which then outlives this change. */
export async function lockStore(
  options: EnvironmentOptions,
  store: StateStore,
): Promise<Disposable | undefined> {
  if (options.session !== undefined) {
    await options.session.enter();
    return undefined;
  }
  store.prepare();
  return acquireLock(store.lockPath, lockOptions(options));
}

/** How a command waits for others, and what it tells of itself to those that wait for it. */
export function lockOptions(options: EnvironmentOptions): LockOptions {
  return {
    timeoutMs: options.lockTimeoutMs,
    command: options.command,
    signal: options.signal,
    onWait: (holder) => options.note(`waiting for ${holder}`),
  };
}

/** What was cleared before the work of a command. */
export interface Cleared {
  /** Of a killed command. */
  readonly recovery: Recovery | undefined;
  /** Changes that nobody confirmed in time. */
  readonly settled: Settled;
}

/**
 * Takes back or finishes what killed commands left, takes back what nobody confirmed, and forgets what the last boot did.
 * Call it under the lock.
 */
export function clearLeftovers(options: EnvironmentOptions, store: StateStore): Cleared {
  const recovery = recoverJournal(options, store);
  store.removeUnfinished();
  if (recovery !== undefined)
    options.note(`'${recovery.command}' had been killed: its change was ${recovery.outcome}`);
  const settled = settlePending(stageOf(options, store));
  for (const name of store.names()) {
    const state = store.peek(name);
    if (state === undefined || state.bootId === bootId() || state.persist) continue;
    store.remove(name);
    if (state.object !== null) store.dropObject(state.object.file);
  }
  return { recovery, settled };
}

/** @param but whose problems are told otherwise */
export function noteProblems({ note }: EnvironmentOptions, cleared: Cleared | undefined, but?: string): void {
  for (const { function: name, message } of cleared?.settled.problems ?? []) if (name !== but) note(message);
}

function recoverJournal(options: EnvironmentOptions, store: StateStore): Recovery | undefined {
  let recovery: Recovery | undefined;
  // Where the journal of a batch stayed, a single change is the later one.
  for (const next of [recover, recoverBatch]) {
    try {
      recovery = next(stageOf(options, store)) ?? recovery;
    } catch (error) {
      if (options.despiteJournal !== true || !(error instanceof NetkitError)) throw error;
      options.note(`${error.message}: what was killed is not undone`);
    }
  }
  return recovery;
}

/** What planners get. @param scope owns what they open */
export function worldOf(options: EnvironmentOptions, store: StateStore, bpffs: string, scope: Scope): World {
  return { bpffs, store, bootId: bootId(), change: newUuid(), scope, note: options.note };
}

/** What actions act on, for what is no planned change too. */
export function stageOf(options: EnvironmentOptions, store: StateStore, proposal?: Proposal): Stage {
  const bpffs = visibleBpffs(options.bpffs);
  const { spec, reuse, targets, succession, declared } = proposal ?? {};
  return { store, bpffs, spec, reuse, targets, succession, declared, made: new Map(), note: options.note };
}
