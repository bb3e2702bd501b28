/** Taking back changes that nobody confirmed in time, and finishing those whose confirmation was killed. */
import { messageOf, NetkitError } from '../../base/errors.js';
import { bootId } from '../../host/kernel.js';
import { concernsFiles, isFull, undoAll } from '../execute.js';
import type { Stage } from '../perform.js';
import { finish } from '../reversible.js';
import { steppingStone } from '../stepping-stone.js';
import type { StateStore } from '../store.js';
import {
  isAbandoned,
  type PendingChange,
  type ReturnReason,
  readPending,
  removePending,
  timeLeft,
  writePending,
} from './record.js';

/** What became of changes that waited. */
export interface Settled {
  /** They were taken back. */
  readonly returned: readonly PendingChange[];
  /** Why others could not be. */
  readonly problems: readonly { readonly function: string; readonly message: string }[];
}

/**
 * Takes back what is overdue. What cannot be taken back stays and is told, and so is what cannot be read; neither keeps the
 * rest from being done. Call it under the lock.
 */
export function settlePending(stage: Stage): Settled {
  const returned: PendingChange[] = [];
  const problems: { function: string; message: string }[] = [];
  for (const name of stage.store.pendingNames()) {
    try {
      const change = settleOne(name, stage);
      if (change !== undefined) returned.push(change);
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      problems.push({ function: name, message: error.message });
    }
  }
  return { returned, problems };
}

/** What {@link settlePending} would take back. */
export function overdue(changes: readonly PendingChange[]): PendingChange[] {
  return changes.filter((change) => change.stage === 'waiting' && timeLeft(change) <= 0);
}

function settleOne(name: string, stage: Stage): PendingChange | undefined {
  const change = readPending(stage.store, name);
  if (change === undefined) return undefined;
  if (change.stage === 'confirmed') {
    finishConfirmed(change, stage);
    stage.note(`'netkit confirm' had been killed: '${change.plan.command}' stays`);
  }
  return overdue([change]).length === 0 ? undefined : takeBack(change, stage);
}

const returnWords: Readonly<Record<ReturnReason, string>> = {
  time: 'nobody confirmed it in time',
  reboot: 'nobody confirmed it in time',
  health: 'it did not do what it was to do',
  abandoned: 'it was killed before it was known whether all is well',
};

/**
 * Takes a change back that waits. Call it under the lock.
 * @throws NetkitError when something could not be undone, which is written down too
 */
export function takeBack(change: PendingChange, stage: Stage, why?: ReturnReason): PendingChange {
  const { plan } = change;
  const isThisBoot = plan.bootId === bootId();
  const reason = why ?? (!isThisBoot ? 'reboot' : isAbandoned(change) ? 'abandoned' : 'time');
  try {
    const actions = isThisBoot ? plan.actions : plan.actions.filter(concernsFiles);
    undoAll(actions, stage, `'${plan.command}' was not confirmed`, steppingStone);
  } catch (error) {
    noted(stage.store, { ...change, problem: messageOf(error) });
    throw error;
  }
  steppingStone();
  const returned: PendingChange = {
    ...change,
    plan: { ...plan, actions: [] },
    finish: [],
    stage: 'returned',
    returnedAt: new Date().toISOString(),
    reason,
    problem: null,
  };
  writeInAnyCase(stage.store, returned);
  steppingStone();
  stage.note(`'${plan.command}' was taken back: ${returnWords[reason]}`);
  return returned;
}

/** From here on the change is not taken back any more; a killed confirmation is finished by the next command. */
export function keep(change: PendingChange, stage: Stage): void {
  steppingStone();
  const confirmed: PendingChange = { ...change, stage: 'confirmed' };
  writeInAnyCase(stage.store, confirmed);
  steppingStone();
  finishConfirmed(confirmed, stage);
}

/** What failed is told and tried again, whether or not there is room to write it down. */
function noted(store: StateStore, change: PendingChange): void {
  try {
    writePending(store, change);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

/**
 * Has the change wait no longer, on a full disk too: then its file goes first, which makes room for the new one. Where it does
 * not, there is none, and somebody who confirms what was taken back is not told.
 */
function writeInAnyCase(store: StateStore, change: PendingChange): void {
  try {
    writePending(store, change);
  } catch (error) {
    if (!isFull(error)) throw error;
    removePending(store, change.plan.function);
    noted(store, change);
  }
}

function finishConfirmed({ plan, finish: left }: PendingChange, stage: Stage): void {
  finish(plan.bootId === bootId() ? left : left.filter(concernsFiles), stage);
  removePending(stage.store, plan.function);
  steppingStone();
}
