/** Keeping changes that were made with a limit of time. */
import type { Action } from '../action.js';
import { clearLeftovers, type EnvironmentOptions, lockStore, stageOf } from '../environment.js';
import { StateStore } from '../store.js';
import { type PendingChange, readablePending, readPending, removePending } from './record.js';
import { keep, overdue } from './returning.js';

export interface Confirmation {
  /** What stays from now on. */
  readonly kept: readonly PendingChange[];
  /** What was taken back, now or earlier, and nobody was told of. */
  readonly returned: readonly PendingChange[];
  /** What should have been taken back, which failed. */
  readonly stuck: readonly PendingChange[];
  /** What was done, or under `dryRun` would be. */
  readonly actions: readonly Action[];
}

/**
 * Keeps what waits, of one function or of all.
 * @throws NetkitError `locked`, `interrupted`, `not-permitted`, `bad-state`
 */
export async function confirmChanges(
  options: EnvironmentOptions,
  functionName: string | undefined,
): Promise<Confirmation> {
  const store = new StateStore(options.stateDir);
  const changes = (): readonly PendingChange[] => {
    if (functionName === undefined) return readablePending(store);
    const one = readPending(store, functionName);
    return one === undefined ? [] : [one];
  };
  if (options.dryRun === true) {
    const late = new Set(overdue(changes()));
    const kept = changes().filter((change) => change.stage === 'waiting' && !late.has(change));
    const returned = changes().filter((change) => change.stage === 'returned');
    return confirmation(kept, [...returned, ...late], []);
  }
  // Without a state directory there is nothing to keep, and none is to be made for that.
  if (store.pendingNames().length === 0) return confirmation([], [], []);
  using _lock = await lockStore(options, store);
  const { settled } = clearLeftovers({ ...options, note: () => undefined }, store);
  const problems = new Map(settled.problems.map(({ function: name, message }) => [name, message]));
  const found = changes();
  // On a full disk what failed may not be written down.
  const waiting = found
    .filter(({ stage }) => stage === 'waiting')
    .map((change) => ({ ...change, problem: problems.get(change.plan.function) ?? change.problem }));
  const kept = waiting.filter(({ problem }) => problem === null);
  const stuck = waiting.filter(({ problem }) => problem !== null);
  const returned = found.filter(({ stage }) => stage === 'returned');
  for (const change of kept) keep(change, stageOf(options, store));
  for (const { plan } of returned) removePending(store, plan.function);
  return confirmation(kept, returned, stuck);
}

function confirmation(
  kept: readonly PendingChange[],
  returned: readonly PendingChange[],
  stuck: readonly PendingChange[],
): Confirmation {
  return { kept, returned, stuck, actions: kept.flatMap(({ finish }) => finish) };
}
